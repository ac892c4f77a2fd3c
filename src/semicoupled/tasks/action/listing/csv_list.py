"""CSV with a header: ``video, label[, split, start, end, group]``, in any order; other columns are passed over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from semicoupled.errors import DataError, nearest
from semicoupled.tasks.action.listing.clip import (
    SPLIT_NAMES,
    Clip,
    Listing,
    Split,
    find_video,
    group_of_name,
    make_listing,
)
from semicoupled.tasks.action.listing.table import columns_of, rows_of

NAME = "CSV"
_VIDEO = ("video", "path", "file", "filename", "clip")
_LABEL = ("label", "class", "action")
_OTHERS = ("split", "start", "end", "group")


def find(root: Path) -> list[Path]:
    """Give the lists of this format: the file itself, or those right in the folder."""
    if root.is_file():
        return [root] if _meant(root) else []
    return [path for path in sorted(root.glob("*.csv")) if _meant(path)]


def read(root: Path, files: list[Path], split: int) -> Listing:
    """Read lists; videos are named relative to the list's folder.

    Raises:
        DataError: a line that cannot be used.
    """
    del split
    return make_listing(root, NAME, [clip for file in files for clip in _clips(file)])


def _meant(path: Path) -> Mapping[str, str] | None:
    """Give the columns by what they mean; None where the file is no such list."""
    columns = columns_of(path)
    video, label = (next((name for name in names if name in columns), None) for names in (_VIDEO, _LABEL))
    if video is None or label is None:
        return None
    return {"video": video, "label": label, **{name: name for name in _OTHERS if name in columns}}


def _clips(file: Path) -> Iterator[Clip]:
    columns = _meant(file)
    assert columns is not None  # `find` has looked
    own = SPLIT_NAMES.get(file.stem.lower())  # train.csv, test.csv
    for where, row in rows_of(file):
        cells = {name: row[column] for name, column in columns.items()}
        if not cells["video"] or not cells["label"]:
            raise DataError(f"{where}: expected a video and a label, got {cells['video']!r} and {cells['label']!r}")
        start, end = _seconds(cells, "start", where), _seconds(cells, "end", where)
        if start is not None and end is not None and end <= start:
            raise DataError(f"{where}: ends at {end:g} s, not after its start at {start:g} s. Correct one of them")
        part = "" if start is None and end is None else f"@{cells.get('start', '')}-{cells.get('end', '')}"
        yield Clip(
            find_video([file.parent], cells["video"], where),
            cells["label"],
            f"{cells['video']}{part}",
            _split(cells.get("split", ""), where) or own,
            cells.get("group") or group_of_name(cells["video"], cells["label"]),
            start,
            end,
        )


def _split(text: str, where: str) -> Split | None:
    if text and text.lower() not in SPLIT_NAMES:
        raise DataError(f"{where}: there is no split {text!r}. {nearest(text, SPLIT_NAMES)}")
    return SPLIT_NAMES.get(text.lower())


def _seconds(cells: Mapping[str, str], name: str, where: str) -> float | None:
    text = cells.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not value >= 0:
        raise DataError(f"{where}: {name} is {text!r}; expected seconds from 0, or nothing")
    return value
