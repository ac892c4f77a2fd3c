"""Kinetics: CSV with ``label, youtube_id, time_start, time_end[, split]``; cut videos, in class folders or not.

What is usually found on a disk is a part of the list, since videos vanish: those that are not there are left out,
counted and reported.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from semicoupled.errors import DataError
from semicoupled.tasks.action.listing.clip import SPLIT_NAMES, Clip, Listing, is_video_name, make_listing
from semicoupled.tasks.action.listing.table import columns_of, rows_of

NAME = "Kinetics"
_LOG = logging.getLogger(__name__)
_COLUMNS = {"label", "youtube_id", "time_start", "time_end"}
_PLACES = (".", "annotations")


def find(root: Path) -> list[Path]:
    """Give the lists of this format: the file itself, or those in the folder."""
    if root.is_file():
        return [root] if _is_list(root) else []
    return [path for place in _PLACES for path in sorted((root / place).glob("*.csv")) if _is_list(path)]


def read(root: Path, files: list[Path], split: int) -> Listing:
    """Read the lists.

    Args:
        root: the folder, or a list.
        files: the lists; a list called ``train``, ``val`` or ``test`` is that split.
        split: plays no part.

    Raises:
        DataError: a line that cannot be used, or none of the videos is there.
    """
    del split
    folder = root if root.is_dir() else root.parent
    there = {path.stem: path for path in sorted(folder.rglob("*")) if is_video_name(path)}
    clips: list[Clip] = []
    absent: list[str] = []
    for file in files:
        for where, row in rows_of(file):
            stem = _stem(row, where)
            path = there.get(stem) or there.get(row["youtube_id"])
            if path is None:
                absent.append(stem)
                continue
            whole = path.stem == row["youtube_id"]  # not cut yet
            part = SPLIT_NAMES.get((row.get("split") or file.stem.split("_")[-1]).lower())
            start, end = (float(row["time_start"]), float(row["time_end"])) if whole else (None, None)
            clips.append(Clip(path, row["label"], stem, part, row["youtube_id"], start, end))
    if absent and clips:
        _LOG.warning("%s: %d of %d videos of the lists are not there", root, len(absent), len(absent) + len(clips))
    if absent and not clips:
        raise DataError(
            f"{root}: none of the {len(absent)} videos of the lists is there, such as {absent[0]}.mp4; expected them "
            "in folders below the list's"
        )
    return make_listing(root, NAME, clips)


def _is_list(path: Path) -> bool:
    return set(columns_of(path)) >= _COLUMNS


def _stem(row: Mapping[str, str], where: str) -> str:
    try:
        start, end = int(float(row["time_start"])), int(float(row["time_end"]))
    except (ValueError, OverflowError) as error:
        raise DataError(
            f"{where}: expected times in seconds, got {row['time_start']!r} and {row['time_end']!r}"
        ) from error
    if not row["label"] or not row["youtube_id"] or end <= start:
        raise DataError(f"{where}: expected a label, a youtube_id and a rising pair of times, got {dict(row)}")
    return f"{row['youtube_id']}_{start:06d}_{end:06d}"
