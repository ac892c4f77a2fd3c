"""HMDB-51: ``CLASS_test_splitN.txt``, each line a video and 1 (train), 2 (test) or 0 (neither)."""

from __future__ import annotations

from pathlib import Path

from semicoupled.errors import DataError
from semicoupled.tasks.action.listing.clip import Clip, Listing, Split, find_video, make_listing, read_lines

NAME = "HMDB-51"
_PLACES = (".", "testTrainMulti_7030_splits", "test_train_splits", "annotations", "splits")
_VIDEOS = (".", "hmdb51_org", "videos", "hmdb51")
_SPLITS: dict[str, Split | None] = {"0": None, "1": "train", "2": "test"}


def find(root: Path) -> list[Path]:
    """Give the lists of all classes and splits, where they are there."""
    if not root.is_dir():
        return []
    return [file for place in _PLACES for file in sorted((root / place).glob("*_test_split[1-9].txt"))]


def read(root: Path, files: list[Path], split: int) -> Listing:
    """Read one of the official splits; videos that it leaves out are left out.

    Args:
        root: the folder with the lists in it or below it, and the videos in class folders.
        files: all lists.
        split: 1, 2 or 3.

    Raises:
        DataError: there are no lists of this split, or a line that cannot be used.
    """
    ending = f"_test_split{split}.txt"
    chosen = [file for file in files if file.name.endswith(ending)]
    if not chosen:
        raise DataError(
            f"{root}: has no lists *{ending}; expected one for each class. Set data.split to one that is there"
        )
    clips: list[Clip] = []
    for file in chosen:
        label = file.name.removesuffix(ending)
        folders = [root / place / label for place in _VIDEOS if (root / place / label).is_dir()] or [root / label]
        for number, line in read_lines(file):
            where, parts = f"{file}: line {number}", line.rsplit(None, 1)
            if len(parts) != 2 or parts[1] not in _SPLITS:
                raise DataError(f"{where}: expected a video and 0, 1 or 2, got {line!r}")
            part = _SPLITS[parts[1]]
            if part is not None:
                clips.append(Clip(find_video(folders, parts[0], where), label, f"{label}/{parts[0]}", part))
    return make_listing(root, f"{NAME}, split {split}", clips)
