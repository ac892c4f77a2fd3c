"""Video in, frame by frame: upright RGB images with their times, by PyAV (extra ``video``).

What a header says of a video (frames, length, rate) is often missing or wrong; here it is only a hint, and frames are
counted where they are decoded.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semicoupled.data.video_container import (
    SEEK_MARGIN,
    Clock,
    VideoSource,
    decode,
    frame_rate,
    no_frame,
    open_video,
    quarter_turns,
    seek,
    stamped,
    stated_rate,
    stated_seconds,
    upright,
)
from semicoupled.errors import DataError

_LOG = logging.getLogger(__name__)
VIDEO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "m2ts", "mts", "flv", "wmv", "3gp", "ogv"),
        *("hevc", "h264", "264", "265", "mjpeg"),
    )
)
"""Of the names of files that are taken for videos where a folder is looked through."""
_NEAR = 2.0
"""Seconds that are decoded and thrown away rather than sought."""
_SAME = 1e-6
"""Seconds by which two times may differ and be the same."""
_EARLY = 1.0
"""Seconds that a video may end before its header says so, or as long as a frame of it is seen."""
_LONGEST_GAP = 600.0
"""Seconds that a frame may be given again for; a damaged stamp would have it given for years."""


class VideoInfo(NamedTuple):
    """What the header of a video says, with the size of its first frame as it is shown.

    Attributes:
        frames: how many; None where the header does not say. Not to be relied on.
        rate: frames a second on average; None likewise.
        seconds: its length; None likewise.
        height: of the upright image, px.
        width: of the upright image, px.
        rotation: degrees counterclockwise, a multiple of 90, that the stored image was turned by to stand upright.
    """

    frames: int | None
    rate: float | None
    seconds: float | None
    height: int
    width: int
    rotation: int


class VideoFrame(NamedTuple):
    """One frame.

    Attributes:
        time: seconds since the first frame of the video; rising.
        image: H W 3, uint8, RGB, upright.
    """

    time: float
    image: np.ndarray


class VideoCheck(NamedTuple):
    """What decoding a whole video found.

    Attributes:
        info: what the header says; None where the video cannot be opened.
        frames: that were decoded.
        seconds: from the first frame to the last.
        problem: a sentence that names the file; None where all is well.
    """

    info: VideoInfo | None
    frames: int
    seconds: float
    problem: str | None


def is_video(path: Path) -> bool:
    """Say whether a file's name is one of a video; see `VIDEO_SUFFIXES`."""
    return path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()


def probe(path: VideoSource) -> VideoInfo:
    """Read the header and the first frame.

    Raises:
        DataError: there is no such file, it is empty or no video, it holds no picture, or its first frame is broken.
        MissingExtraError: PyAV is not installed.
    """
    with open_video(path) as container:
        stream = container.streams.video[0]
        first = next(decode(container, path), None)
        if first is None:
            raise no_frame(path)
        turns = quarter_turns(first)
        size = (first.height, first.width) if turns % 2 == 0 else (first.width, first.height)
        return VideoInfo(stream.frames or None, stated_rate(stream), stated_seconds(container), *size, 90 * turns)


def read_video(
    path: VideoSource, start: float | None = None, end: float | None = None, rate: float | None = None
) -> Iterator[VideoFrame]:
    """Decode a video.

    Args:
        path: the file, or a video in a shard.
        start: seconds; the first frame is the first one at or after it.
        end: seconds; the last frame is before it.
        rate: frames a second to give; None gives each frame of the file at its own time, which need not be equally
            spaced. Else the times are ``start``, ``start + 1 / rate``, ..., each with the frame that is seen then:
            frames are left out or given again.

    Returns:
        The frames, decoded as they are asked for; images of one size.

    Raises:
        DataError: see `probe`; or the video is damaged or ends early, which is raised after all frames before
            were given; or, where `rate` is given, no frame comes for ten minutes; or there is no frame between `start`
            and `end`; or these make no sense.
        MissingExtraError: PyAV is not installed.
    """
    begin = 0.0 if start is None else start
    if not (math.isfinite(begin) and begin >= 0 and (end is None or end > begin)):
        raise DataError(f"{path}: expected 0 <= start < end in seconds, got start {start} and end {end}")
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise DataError(f"{path}: rate: expected frames a second above 0, got {rate}")
    frames = _timed(path, begin, end)
    given = False
    wanted = (
        _resample(path, frames, begin, rate) if rate else (frame for frame in frames if frame.time >= begin - _SAME)
    )
    for frame in wanted:
        given = True
        yield frame
    if not given:
        until = "its end" if end is None else f"{end:g} s"
        raise DataError(
            f"{path}: has no frame from {begin:g} s to {until}. `semicoupled data check` says how long it is"
        )


def check_video(path: VideoSource) -> VideoCheck:
    """Decode a whole video and say what was found; a bad video raises nothing.

    Raises:
        MissingExtraError: PyAV is not installed.
    """
    info, frames, time = None, 0, 0.0
    try:
        info = probe(path)
        for frame in read_video(path):
            frames, time = frames + 1, frame.time
    except DataError as error:
        return VideoCheck(info, frames, time, str(error))
    return VideoCheck(info, frames, time, None)


def _timed(path: VideoSource, begin: float, end: float | None) -> Iterator[VideoFrame]:
    """Give the frames before `end`, from `begin` on or from some way before it."""
    if begin > _NEAR:
        with open_video(path) as container:
            clock = Clock(frame_rate(container.streams.video[0]))
            frames = seek(container, path, clock, begin - SEEK_MARGIN)
            if frames is not None:
                yield from _upright(frames, path, end, container)
                return
        _LOG.debug("%s: cannot be sought; decoding from its beginning", path)
    with open_video(path) as container:
        clock = Clock(frame_rate(container.streams.video[0]))
        yield from _upright(stamped(decode(container, path), clock), path, end, container)


def _upright(
    frames: Iterator[tuple[float, Any]], path: VideoSource, end: float | None, container: Any
) -> Iterator[VideoFrame]:
    """Turn the frames before `end` upright, and see to it that they are of one size and as many as was stated."""
    size: tuple[int, ...] | None = None
    stated, before = stated_seconds(container), 0.0
    lasts = max(_EARLY, 1 / frame_rate(container.streams.video[0]))
    for time, frame in frames:
        if size is not None:
            lasts = max(lasts, time - before)
        if end is not None and time >= end - _SAME:
            return
        image = upright(frame, path)
        if size not in (None, image.shape):
            raise DataError(
                f"{path}: at {time:.3f} s the frames change to {image.shape[1]}x{image.shape[0]} pixels; expected one "
                "size. Cut it there, or convert it"
            )
        size = image.shape
        yield VideoFrame(time, image)
        before = time
    if size is None:
        raise no_frame(path)
    if stated is not None and before + lasts < 0.95 * stated:  # a slide may be shown for minutes
        raise DataError(
            f"{path}: ends after {before:.2f} s, where its header says {stated:.2f} s: its end is missing. The frames "
            "before can be used; copy or record it again, or cut it there"
        )


def _resample(path: VideoSource, frames: Iterator[VideoFrame], begin: float, rate: float) -> Iterator[VideoFrame]:
    shown: VideoFrame | None = None
    number, tolerance = 0, 1e-3 / rate
    for frame in frames:
        if shown is not None and frame.time - max(shown.time, begin) > _LONGEST_GAP:
            raise DataError(
                f"{path}: no frame comes from {shown.time:.0f} s to {frame.time:.0f} s; expected one every "
                f"{_LONGEST_GAP:.0f} s at least. Its times may be damaged: record it again, or give it others (`ffmpeg "
                "-i IN -vf setpts=N/25/TB OUT`)"
            )
        while shown is not None and begin + number / rate < frame.time - tolerance:
            yield VideoFrame(begin + number / rate, shown.image)
            number += 1
        shown = frame
    if shown is not None and begin + number / rate <= shown.time + tolerance:
        yield VideoFrame(begin + number / rate, shown.image)
