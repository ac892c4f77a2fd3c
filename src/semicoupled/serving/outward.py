"""HDF5 files that reach out of themselves: links to other files, and arrays whose bytes lie in other files.

The library follows both without asking. A stranger's file could so show any file that the server can read as an image.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py

from semicoupled.errors import DataError

_MOST_OBJECTS = 20_000


def refuse_outward(files: Iterable[Path]) -> None:
    """Refuse HDF5 files that reach out of themselves, wherever in the file they do.

    Args:
        files: of any format; what is no HDF5 file is passed over.

    Raises:
        DataError: a file has an external or virtual array, an external link, or absurdly many objects.
    """
    for path in files:
        if not path.is_file() or not h5py.is_hdf5(path):
            continue
        try:
            with h5py.File(path, "r") as file:
                _walk(path, file)
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise DataError(f"{path}: cannot be read ({error}); expected a whole HDF5 file") from error


def _walk(path: Path, file: h5py.File) -> None:
    groups: list[h5py.Group] = [file]
    seen: set[object] = set()
    while groups:
        group = groups.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise DataError(f"{path}: {name!r} is a link to another file; expected everything in this one")
            if isinstance(link, h5py.SoftLink):
                continue  # leads to something in this file, which is met by its own name, or to an external link
            found: Any = group.get(name)
            if found is None or found.id in seen:
                continue
            seen.add(found.id)
            if len(seen) > _MOST_OBJECTS:
                raise DataError(f"{path}: holds more than {_MOST_OBJECTS} objects; expected a radar file")
            if isinstance(found, h5py.Group):
                groups.append(found)
            elif isinstance(found, h5py.Dataset) and (found.external or found.is_virtual):
                raise DataError(f"{path}: the pixels of {name!r} lie in another file; expected everything in this one")
