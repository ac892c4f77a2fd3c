"""Which files are meant: a folder, a file, a zarr store, or a pattern of them."""

from __future__ import annotations

import glob
from fnmatch import fnmatch
from pathlib import Path

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.files.formats.zarr_store import is_store

BESIDE_DATA = (".md", ".txt", ".json", ".csv", ".yaml", ".yml", ".html", ".pdf", ".log")
"""Files that lie beside radar files and are none; hidden ones are passed over as well."""


def find_files(root: Path, pattern: str | None = None) -> list[Path]:
    """List the radar files below a folder, or that a glob pattern names, or one file; a zarr store is one file.

    Args:
        root: a folder, a file, or a pattern such as ``radar/2021*/*.h5`` (``**`` for any depth).
        pattern: keeps only what `matches_glob`.

    Raises:
        DataError: there is no such folder, or nothing in it.
    """
    if root.exists():
        named = [root]
    elif glob.has_magic(str(root)):
        named = [Path(name) for name in sorted(glob.glob(str(root), recursive=True))]  # noqa: PTH207 - of any depth
        if not named:
            raise DataError(f"{root}: the pattern names no files; expected radar files. Check it, quotes included")
    else:
        raise DataError(f"{root}: no such folder or file; expected radar files. Check the name")
    if len(named) == 1 and (named[0].is_file() or is_store(named[0])):
        files = named
    else:
        files = sorted({file for place in named for file in _below(place)})
    if pattern is not None:
        files = [path for path in files if matches_glob(path, root, pattern)]
    if not files:
        asked = f" that match {pattern!r}" if pattern else ""
        raise DataError(f"{root}: holds no radar files{asked}; expected at least one. Check the folder and the pattern")
    return files


def base_folder(root: Path) -> Path:
    """Give the folder that events are named from: the root, or of a pattern the part before the first wildcard."""
    if root.exists() or not glob.has_magic(str(root)):
        return root
    parts = root.parts
    wild = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:wild]) if wild else Path()


def matches_glob(path: Path, root: Path, pattern: str) -> bool:
    """Whether a file, or a folder above it, matches a pattern relative to the root, or one of several.

    Args:
        path: the file.
        root: see `find_files`.
        pattern: such as ``2021-02-05``, or several with commas between them.
    """
    relative = path.relative_to(base_folder(root))
    patterns = [each.strip().rstrip("/") for each in pattern.split(",")]
    return any(fnmatch(part.as_posix(), each) for part in (relative, *relative.parents[:-1]) for each in patterns)


def _below(place: Path) -> list[Path]:
    """List the files in a folder, deeply; stores are not entered."""
    if place.is_file() or is_store(place):
        return [] if _is_beside(place) else [place]
    found: list[Path] = []
    for path in sorted(place.iterdir()):
        if not path.name.startswith("."):
            found += _below(path)
    return found


def _is_beside(path: Path) -> bool:
    return path.name.startswith(".") or path.suffix.lower() in BESIDE_DATA
