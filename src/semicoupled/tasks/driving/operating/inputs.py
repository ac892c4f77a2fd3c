"""What can be predicted from: drives of any format, videos, and folders of images; labels may be missing."""

from __future__ import annotations

import dataclasses
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from semicoupled.data.video import is_video
from semicoupled.data.video_frames import VideoFrames
from semicoupled.errors import DataError
from semicoupled.skipping import OnError, Skipped
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive, Frames, Unit
from semicoupled.tasks.driving.formats.finding import find_format
from semicoupled.tasks.driving.formats.images import ImageFiles
from semicoupled.tasks.driving.formats.reading import cut_at_gaps, read_drives
from semicoupled.tasks.driving.formats.text import IMAGE_SUFFIXES

_SLOW = 2.5
"""Intervals of a slow video that make a gap, where `data.gap_seconds` is less."""


def read_inputs(paths: Sequence[Path], settings: DataSettings, unit: Unit, rate: float | None = None) -> list[Drive]:
    """Read what is to be answered.

    Args:
        paths: drives of any known format, videos, folders of images in the order of their names, and folders of videos
            or drives.
        settings: of the run's data.
        unit: that the model answers in; drives without labels get it.
        rate: frames a second of folders of images, which have no times.

    Returns:
        The drives, cut at gaps, each once; a video or a folder of images has no angles (NaN). Drives of one name are
        called by their way from the folder that holds them.

    Raises:
        DataError: nothing is there or nothing is known; a folder of images without `rate`.
    """
    if not paths:
        raise DataError("nothing to predict from; expected a video, a drive or a folder of images. Name one or more")
    return _told_apart([drive for path in paths for drive in _read(path, settings, unit, rate)])


def _told_apart(drives: Sequence[Drive]) -> list[Drive]:
    """Leave out what was named twice, and call drives of one name by where they lie: a table has nothing but names."""
    once = list({(drive.source.resolve(), drive.name): drive for drive in drives}.values())
    counts = Counter(drive.name for drive in once)
    doubled = {(drive.source, drive.run) for drive in once if counts[drive.name] > 1}  # with all parts of their runs
    if not doubled:
        return once
    above = Path(os.path.commonpath([source.resolve().parent for source, _ in doubled]))
    return [
        dataclasses.replace(drive, name=_placed(drive, above)) if (drive.source, drive.run) in doubled else drive
        for drive in once
    ]


def _placed(drive: Drive, above: Path) -> str:
    """Give a drive's name behind its way from a folder; what is all of a file or folder is called by the way alone."""
    source, name, part = drive.source.resolve(), drive.name, ""
    if name.startswith(f"{drive.run}+"):  # of a run that was cut
        name, part = drive.run, name.removeprefix(drive.run)
    way = source.relative_to(above).as_posix()
    return f"{way}{part}" if name in (source.name, source.stem) else f"{way}/{name}{part}"


def _read(path: Path, settings: DataSettings, unit: Unit, rate: float | None) -> list[Drive]:
    if is_video(path):
        return _video(path, settings, unit)
    if path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES:
        return _images(path, [path], settings, unit, rate or 1.0)
    if path.is_dir() and find_format(path) is None:
        files = [file for file in sorted(path.iterdir(), key=_natural) if not file.name.startswith(".")]
        images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
        videos = [file for file in files if is_video(file)]
        if not any(find_format(file) for file in files if file not in images and file not in videos):
            if images:
                return _images(path, images, settings, unit, rate)
            if videos:
                return [drive for video in videos for drive in _video(video, settings, unit)]
    return read_drives(path, settings)


def _video(path: Path, settings: DataSettings, unit: Unit) -> list[Drive]:
    frames = VideoFrames(path)
    return _cut(Drive(path.stem, path.stem, path, frames, frames.times, _no_angles(len(frames)), unit), settings)


def _images(path: Path, images: Sequence[Path], settings: DataSettings, unit: Unit, rate: float | None) -> list[Drive]:
    if rate is None:
        raise DataError(
            f"{path}: {len(images)} images without times; expected to be told how many were taken a second. Give "
            "--rate N"
        )
    times = np.arange(len(images)) / rate
    name = path.name or path.resolve().name
    return _cut(Drive(name, name, path, ImageFiles(images), times, _no_angles(len(images)), unit), settings)


def _cut(drive: Drive, settings: DataSettings) -> list[Drive]:
    usual = float(np.median(np.diff(drive.times))) if len(drive) > 1 else 0.0
    return cut_at_gaps(drive, max(settings.gap_seconds, _SLOW * usual))


def _no_angles(count: int) -> np.ndarray:
    return np.full(count, np.nan)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort 2.jpg before 10.jpg."""
    parts = re.findall(r"\d+|\D+", path.name.lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


class Forgiving:
    """Frames that go on where one cannot be read: the frame before stands in, and is not answered.

    Args:
        frames: of a drive.
        where: they lie, for messages.
        on_error: ``fail`` raises as they do; ``skip`` goes on, unless more than one, and than 1 %, cannot be read.
        seen: is told the number of each frame that is asked for.
    """

    def __init__(
        self, frames: Frames, where: str, on_error: OnError, seen: Callable[[int], None] | None = None
    ) -> None:
        self._frames, self._seen = frames, seen
        self._skipped = Skipped(on_error, where, spared=1)
        self._last: np.ndarray | None = None
        self.missing: set[int] = set()

    def __len__(self) -> int:
        """The number of frames."""
        return len(self._frames)

    def name(self, index: int) -> str:
        """Say where a frame lies."""
        return self._frames.name(index)

    def read(self, index: int) -> np.ndarray:
        """Decode a frame, or give the one that was read before.

        Raises:
            DataError: it cannot be read, and is not to be passed over: the first one, or too many.
        """
        if self._seen is not None:
            self._seen(index)
        try:
            self._last = self._frames.read(index)
        except DataError as error:
            if self._last is None:
                raise
            if index not in self.missing:
                self._skipped.add(error)
                self.missing.add(index)
            self._skipped.check(len(self))
        return self._last


def forgiving(drive: Drive, on_error: OnError, seen: Callable[[int], None] | None = None) -> tuple[Drive, Forgiving]:
    """Give a drive whose frames are read as `Forgiving` does, and these."""
    frames = Forgiving(drive.frames, str(drive.source), on_error, seen)
    return dataclasses.replace(drive, frames=frames), frames
