"""A folder of classes with videos or folders of frames in each; ``train/``, ``val/`` and ``test/`` may stand above."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from semicoupled.errors import DataError
from semicoupled.tasks.action.listing.clip import (
    IMAGE_SUFFIXES,
    SPLIT_NAMES,
    Clip,
    Listing,
    Split,
    group_of_name,
    is_video_name,
    make_listing,
)

NAME = "folder of classes"


def find(root: Path) -> list[Path]:
    """Give the class folders."""
    if not root.is_dir():
        return []
    return [folder for _, folder in _classes(root) if any(True for _ in _videos(folder))]


def read(root: Path, files: list[Path], split: int) -> Listing:
    """List the videos of all classes.

    Raises:
        DataError: images lie right in a class's folder: nobody knows which belong to one video.
    """
    del split
    clips: list[Clip] = []
    for part, folder in _classes(root):
        if folder not in files:
            continue
        for path in _videos(folder):
            name = path.relative_to(root).as_posix()
            clips.append(Clip(path, folder.name, name, part, group_of_name(path.name, folder.name)))
        loose = next((path for path in sorted(folder.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES), None)
        if loose is not None:
            raise DataError(
                f"{loose}: an image right in a class's folder; expected videos, or folders with the frames of one "
                "video each. Which frames belong together must be known, or one video would come into two splits"
            )
    return make_listing(root, NAME, clips)


def is_frame_folder(folder: Path) -> bool:
    """Whether a folder holds images and no folders: the frames of one video."""
    inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return any(path.suffix.lower() in IMAGE_SUFFIXES for path in inside) and not any(path.is_dir() for path in inside)


def _classes(root: Path) -> Iterator[tuple[Split | None, Path]]:
    for folder in _inside(root):
        if folder.name.lower() in SPLIT_NAMES and any(True for _ in _inside(folder)):
            split: Split | None = SPLIT_NAMES[folder.name.lower()]
            for inside in _inside(folder):
                yield split, inside
        else:
            yield None, folder


def _inside(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith("."))


def _videos(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(".") and (is_video_name(path) if path.is_file() else is_frame_folder(path)):
            yield path
