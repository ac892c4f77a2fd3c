"""What every list of labeled videos is read into."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal, NamedTuple

from semicoupled.data.lines import Line, numbered_lines
from semicoupled.data.shards import PackedFile, PackedFrames
from semicoupled.data.video import VIDEO_SUFFIXES
from semicoupled.errors import DataError, nearest

Split = Literal["train", "validation", "test"]

SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validate": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
IMAGE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp"))
CLASS_FILES = ("classes.txt", "labels.txt", "class_names.txt")
"""Files that name the classes, one a line, where a list numbers them from 0."""
_GROUP = re.compile(r"(?:^|_)g(\d+)_c\d+(?:$|[_.])")


VideoPlace = Path | PackedFile | PackedFrames
"""Where a video is: a file, a folder of its frames, or either of them in a shard."""


class Clip(NamedTuple):
    """One labeled video, or a part of one.

    Attributes:
        path: a video file, a folder of its frames, or either of them in a shard.
        label: the class's name.
        name: tells it from all others of its list; relative to the list's root where it can be.
        split: the one that the list puts it in; None where it says nothing.
        group: clips of one group (a person, a place, a source video) never come into different splits; None where
            the clip is a group of its own.
        start: seconds, where it is a part of a video; None for the beginning.
        end: seconds; None for the end.
    """

    path: VideoPlace
    label: str
    name: str
    split: Split | None = None
    group: str | None = None
    start: float | None = None
    end: float | None = None

    @property
    def family(self) -> str:
        """What never comes into two splits: the group, else the video itself."""
        return str(self.path) if self.group is None else f"group {self.group}"


@dataclass(frozen=True)
class Listing:
    """The labeled videos of a data set.

    Args:
        root: the folder or file that was asked for.
        format: its name in words.
        clips: in the order of the list.
        classes: names, in the order of the list's own numbers where it has such, else sorted.
        problems: sentences about what could not be listed; whoever learns from the clips stops at the first.
    """

    root: Path
    format: str
    clips: Sequence[Clip]
    classes: Sequence[str]
    problems: Sequence[str] = ()


def make_listing(
    root: Path, kind: str, clips: Iterable[Clip], classes: Sequence[str] | None = None, problems: Sequence[str] = ()
) -> Listing:
    """Put clips together.

    Raises:
        DataError: there are none.
    """
    found = list(clips)
    if not found:
        raise DataError(problems[0] if problems else f"{root}: {kind}: names no video; expected at least one")
    return Listing(root, kind, found, classes or sorted({clip.label for clip in found}), problems)


def class_names_beside(folder: Path) -> Sequence[str] | None:
    """Read the names of the classes that lie beside a list (`CLASS_FILES`); None where there are none.

    Raises:
        DataError: the file is no text.
    """
    file = next((folder / name for name in CLASS_FILES if (folder / name).is_file()), None)
    return None if file is None else [line.text.strip() for line in numbered_lines(file, "classes, one a line")]


def class_name(label: str, names: Sequence[str] | None, where: str) -> str:
    """Give the name of a class that a list numbers; a label that is a name already stays.

    Args:
        label: as the list has it.
        names: of the classes, by number; None where nobody names them.
        where: list and line, for the error.

    Raises:
        DataError: a number without a name, or a name that is none of them.
    """
    if names is None or (not label.isdecimal() and label in names):
        return label
    if not label.isdecimal():
        raise DataError(f"{where}: the file of class names beside it has no {label!r}. {nearest(label, names)}")
    if int(label) >= len(names):
        raise DataError(f"{where}: class {label}; expected 0 to {len(names) - 1}, as many as have a name")
    return names[int(label)]


def group_of_name(name: str, label: str) -> str | None:
    """Give the group that a name such as ``v_Archery_g08_c01.avi`` tells, of this class; None where it tells none."""
    match = _GROUP.search(Path(name).name)
    return None if match is None else f"{label}/g{match[1]}"


def find_video(folders: Sequence[Path], name: str, where: str) -> Path:
    """Find a video by the name that a list has for it: with or without its ending, or as a folder of frames.

    Args:
        folders: to look into, in order.
        name: relative to one of them.
        where: list and line, for the error.

    Returns:
        The path; where nothing is there the first that was tried, so that whoever reads it names it.

    Raises:
        DataError: the list names a single image: that would be a list of frames.
    """
    if Path(name).suffix.lower() in IMAGE_SUFFIXES:
        raise DataError(
            f"{where}: names the image {name!r}; expected a video, or a folder of frames. Frames of one video in "
            "several splits would tell the answer: list whole videos"
        )
    tried = [Path(name)] if Path(name).is_absolute() else [folder / name for folder in folders]
    for path in tried:
        if path.exists():
            return path
        for other in (path.with_suffix(""), *(path.with_name(path.name + suffix) for suffix in _USUAL)):
            if other != path and other.exists():
                return other
    return tried[0]


_USUAL = (".mp4", ".avi", ".mkv", ".webm", ".mov")


def is_video_name(path: PurePath) -> bool:
    """Whether a file's name is that of a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def read_lines(path: Path) -> list[Line]:
    """Read the lines of a list of videos, without blanks at their ends; see `semicoupled.data.lines.numbered_lines`.

    Raises:
        DataError: the file is missing, is far too long, or is no text.
    """
    found = numbered_lines(path, "a list of videos, one a line")
    return [Line(number, text.strip()) for number, text in found]
