"""From a labeled clip to its frames: a video file, or a folder of images, as RGB images with their times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2

from semicoupled.data.augment import Size, covering, resize
from semicoupled.data.image_files import read_image
from semicoupled.data.shards import PackedFile, PackedFrames
from semicoupled.data.video import VideoFrame, read_video
from semicoupled.errors import DataError
from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.tasks.action.listing.clip import IMAGE_SUFFIXES, Clip, VideoPlace


def iterate_frames(
    path: VideoPlace,
    *,
    start: float | None = None,
    end: float | None = None,
    rate: float | None = None,
    frame_rate: float = 25.0,
) -> Iterator[VideoFrame]:
    """Decode frames as they are asked for.

    Args:
        path: a video file, a folder of its frames, or either of them in a shard.
        start: seconds; None for the beginning.
        end: seconds; None for the end.
        rate: frames a second to give; None for every frame. Times are kept: a video of a varying rate is brought to it.
        frame_rate: of frames that are images.

    Raises:
        DataError: it is missing, empty, damaged, or holds no picture; after the frames before were given.
    """
    if isinstance(path, PackedFrames):
        yield from _images(path, path.files, start or 0.0, end, rate, frame_rate)
    elif isinstance(path, Path) and path.is_dir():
        yield from _images(path, image_files(path), start or 0.0, end, rate, frame_rate)
    else:
        yield from read_video(path, start, end, rate)


def clip_frames(clip: Clip, settings: DataSettings) -> Iterator[VideoFrame]:
    """Decode a clip's frames at the settings' rate and colors, brought to the size that crops are taken from."""
    frames = iterate_frames(
        clip.path, start=clip.start, end=clip.end, rate=settings.rate, frame_rate=settings.frame_rate
    )
    return small_frames(frames, settings)


def small_frames(frames: Iterator[VideoFrame], settings: DataSettings) -> Iterator[VideoFrame]:
    """Bring frames to the size that crops are taken from, H W C, and to the channels of the settings."""
    crop = Size(settings.height, settings.width)
    for time, image in frames:
        size = covering(Size(*image.shape[:2]), crop, settings.short_side)
        small = resize(image, size)
        if settings.color in ("gray", "flow"):
            small = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)[..., None]
        yield VideoFrame(time, small)


def image_files(folder: Path) -> list[Path]:
    """Give the images of a folder in order: by the numbers in their names, so that 10 comes behind 9."""
    files = [
        path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    ]
    return sorted(files, key=lambda path: by_numbers(path.name))


def by_numbers(name: str) -> list[int | str]:
    """Give what names are sorted by, so that 10 comes behind 9."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _images(
    folder: Path | PackedFrames,
    files: Sequence[Path | PackedFile],
    start: float,
    end: float | None,
    rate: float | None,
    frame_rate: float,
) -> Iterator[VideoFrame]:
    if not files:
        raise DataError(
            f"{folder}: holds no images; expected the frames of a video as {', '.join(sorted(IMAGE_SUFFIXES))}"
        )
    seconds = len(files) / frame_rate if end is None else min(end, len(files) / frame_rate)
    step = 1 / (rate or frame_rate)
    count = int((seconds - start) / step + 1 - 1e-6)
    if count < 1:
        raise DataError(
            f"{folder}: has no frame from {start:g} s on; its {len(files)} last {len(files) / frame_rate:g} s"
        )
    for number in range(count):
        time = start + number * step
        file = files[min(len(files) - 1, int(time * frame_rate + 1e-6))]
        yield VideoFrame(time, read_image(file))
