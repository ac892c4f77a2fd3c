"""UCF-101: ``classInd.txt`` (number, class), ``trainlist0N.txt`` (video, number), ``testlist0N.txt`` (video alone)."""

from __future__ import annotations

from pathlib import Path

from semicoupled.errors import DataError
from semicoupled.tasks.action.listing.clip import (
    Clip,
    Listing,
    Split,
    find_video,
    group_of_name,
    make_listing,
    read_lines,
)

NAME = "UCF-101"
_PLACES = (".", "ucfTrainTestlist", "UCF101TrainTestSplits-RecognitionTask/ucfTrainTestlist", "annotations", "splits")
_VIDEOS = ("UCF-101", "UCF101", "videos", ".")


def find(root: Path) -> list[Path]:
    """Give ``classInd.txt``, where it is there."""
    return [path for place in _PLACES if (path := root / place / "classInd.txt").is_file()][:1]


def read(root: Path, files: list[Path], split: int) -> Listing:
    """Read one of the official splits.

    Args:
        root: the folder with the lists in it or below it, and the videos in ``UCF-101/`` or class folders.
        files: ``classInd.txt``.
        split: 1, 2 or 3.

    Raises:
        DataError: a list is missing, or a line that cannot be used.
    """
    classes: dict[int, str] = {}
    for number, line in read_lines(files[0]):
        first, _, name = line.partition(" ")
        if not first.isdecimal() or not name.strip():
            raise DataError(f"{files[0]}: line {number}: expected a number and a class, got {line!r}")
        classes[int(first)] = name.strip()
    folders = [root / name for name in _VIDEOS if (root / name).is_dir()]
    clips: list[Clip] = []
    lists: tuple[tuple[Split, str], ...] = (("train", "trainlist"), ("test", "testlist"))
    for part, stem in lists:
        file = files[0].with_name(f"{stem}{split:02d}.txt")
        for number, line in read_lines(file):
            where, (video, _, told) = f"{file}: line {number}", line.partition(" ")
            label = video.split("/")[0] if "/" in video else video.removeprefix("v_").split("_g")[0]
            if told.strip():
                if not told.strip().isdecimal() or int(told) not in classes:
                    raise DataError(f"{where}: class {told.strip()!r} is not in {files[0].name}")
                label = classes[int(told)]
            if label not in classes.values():
                raise DataError(f"{where}: class {label!r} is not in {files[0].name}")
            path = find_video(folders, video, where)
            clips.append(Clip(path, label, video, part, group_of_name(video, label)))
    return make_listing(root, f"{NAME}, split {split}", clips, [classes[number] for number in sorted(classes)])
