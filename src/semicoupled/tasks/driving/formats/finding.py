"""Which drives lie in a folder, told by their content.

A format is a module with `NAME`, `recognizes(path)` and `read(path, settings)`; to add one, write the module and name
it in `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from semicoupled.data.damage import damage_told
from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats import comma, comma2k19, dbnet, donkey, donkey_v1, names_angles, table, udacity
from semicoupled.tasks.driving.formats.text import NO_TEXT

_DEEPEST = 6


class Format(Protocol):
    """What a module that reads a format offers."""

    NAME: str

    def recognizes(self, path: Path) -> bool:
        """Whether the file or folder is of this format, by its content."""
        ...

    def read(self, path: Path, settings: DataSettings) -> list[Drive]:
        """Read it: the runs as they lie there, not cut, angles as the format has them but positive to the right.

        The name of a run that is the whole file or folder is empty.
        """
        ...


FORMATS: tuple[Format, ...] = (donkey, donkey_v1, comma2k19, comma, dbnet, udacity, table, names_angles)
"""Asked in this order."""


class Found(NamedTuple):
    """A file or folder that a format knows.

    Args:
        name: what stands before the names of its runs; empty for what is all of the root.
        whole: what a run is called that is all of the root.
        path: the file or folder.
        format: that reads it.
    """

    name: str
    whole: str
    path: Path
    format: Format


def find_format(path: Path) -> Format | None:
    """Give the format of a file or folder; None if none knows it.

    Raises:
        DataError: it is damaged so that it cannot even be told.
    """
    for each in FORMATS:
        with damage_told(path, each.NAME):
            if each.recognizes(path):
                return each
    return None


def find_drives(root: Path) -> list[Found]:
    """List what can be read in a file or below a folder.

    Args:
        root: a drive of any known format, or a folder with drives of one format in it or in its folders.

    Returns:
        What was found, in the order of the names.

    Raises:
        DataError: nothing is there, nothing is known, or formats are mixed.
    """
    if not root.exists():
        raise DataError(f"{root}: no such file or folder; expected a drive, or a folder of drives. Correct the path")
    known = find_format(root)
    found = [Found("", root.stem, root, known)] if known is not None else list(_below(root, root, 0))
    names = sorted({each.format.NAME for each in found})
    if not found:
        what = "is no drive that is known"
        if root.is_dir():
            what = "is empty" if not any(root.iterdir()) else f"{what}, and holds none"
        raise DataError(
            f"{root}: {what}; expected one of: {', '.join(each.NAME for each in FORMATS)}. docs/data.md says what each "
            "looks like"
        )
    if len(names) > 1:
        shown = ", ".join(f"{name} ({next(each.path for each in found if name == each.format.NAME)})" for name in names)
        raise DataError(
            f"{root}: holds drives of several formats: {shown}; their angles may not agree; expected one format. Put "
            "each into a folder of its own"
        )
    return found


def _below(folder: Path, root: Path, depth: int) -> Iterator[Found]:
    """Go through a folder; where a file of it is a drive, its folders hold that drive's images and are passed over."""
    if not folder.is_dir() or depth > _DEEPEST:
        return
    children = [child for child in sorted(folder.iterdir(), key=_by_number) if not child.name.startswith(".")]
    files = [
        (child, each)
        for child in children
        if child.suffix.lower() not in NO_TEXT and child.is_file() and (each := find_format(child)) is not None
    ]
    for child, each in files:
        alone = len(files) == 1
        name = (folder if alone else child.with_suffix("")).relative_to(root).as_posix()
        yield Found("" if name == "." else name, root.resolve().name, child, each)
    for child in children:
        if not child.is_dir():
            continue
        each = find_format(child)
        if each is not None:
            yield Found(child.relative_to(root).as_posix(), root.resolve().name, child, each)
        elif not files:
            yield from _below(child, root, depth + 1)


def _by_number(path: Path) -> tuple[int, int, str]:
    """Sort 2 before 10, and numbers before names."""
    return (0, int(path.name), path.name) if path.name.isdecimal() else (1, 0, path.name)
