"""Lists without a header: ``path label`` or ``path frames label`` a line, parted by blanks, tabs or commas.

Labels are names, or numbers that a file ``classes.txt`` or ``labels.txt`` beside the list may name, one class a line. A
list called ``train...``, ``val...`` or ``test...`` is that split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from semicoupled.errors import DataError
from semicoupled.tasks.action.listing.clip import (
    CLASS_FILES,
    SPLIT_NAMES,
    Clip,
    Listing,
    Split,
    class_name,
    class_names_beside,
    find_video,
    group_of_name,
    is_video_name,
    make_listing,
    read_lines,
)

NAME = "list without header"


def find(root: Path) -> list[Path]:
    """Give the lists of this format: the file itself, or those right in the folder whose first line is of a list."""
    files = [root] if root.is_file() else [*sorted(root.glob("*.txt")), *sorted(root.glob("*.csv"))]
    return [path for path in files if path.name not in CLASS_FILES and _is_list(path)]


def read(root: Path, files: list[Path], split: int) -> Listing:
    """Read lists; videos are named relative to the list's folder, or to ``videos`` in it.

    Raises:
        DataError: a line that cannot be used.
    """
    del split
    names = class_names_beside(files[0].parent)
    return make_listing(root, NAME, [clip for file in files for clip in _clips(file, names)], names)


def _is_list(path: Path) -> bool:
    try:
        lines = read_lines(path)
    except DataError:
        return False
    parts = _parts(lines[0].text) if lines else None
    return parts is not None and (is_video_name(Path(parts[0])) or (path.parent / parts[0]).exists())


def _parts(line: str) -> tuple[str, str] | None:
    cells = [cell for cell in re.split(r"[\t,]" if re.search(r"[\t,]", line) else r"\s+", line) if cell]
    if len(cells) == 3 and cells[1].strip().isdecimal():  # path, number of frames, label
        del cells[1]
    return (cells[0].strip(), cells[1].strip()) if len(cells) == 2 else None


def _clips(file: Path, names: Sequence[str] | None) -> Iterator[Clip]:
    for number, line in read_lines(file):
        where, parts = f"{file}: line {number}", _parts(line)
        if parts is None:
            raise DataError(f"{where}: expected `video label`, got {line!r}")
        video, label = parts
        label = class_name(label, names, where)
        path = find_video([file.parent, file.parent / "videos"], video, where)
        yield Clip(path, label, video, _split_of(file), group_of_name(video, label))


def _split_of(file: Path) -> Split | None:
    word = re.match(r"[a-z]+", file.stem.lower())
    return None if word is None else SPLIT_NAMES.get(word[0].removesuffix("list"))
