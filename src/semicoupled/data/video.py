"""Video in, frame by frame: upright RGB images with their times, by PyAV (extra ``video``).

What a header says of a video (frames, length, rate) is often missing or wrong; here it is only a hint, and frames are
counted where they are decoded.
"""

from __future__ import annotations

import importlib
import itertools
import logging
import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semicoupled.data.untrusted import container_format, limit_decoder
from semicoupled.errors import DataError, MissingExtraError

_LOG = logging.getLogger(__name__)
VIDEO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "m2ts", "mts", "flv", "wmv", "3gp", "ogv"),
        *("hevc", "h264", "264", "265", "mjpeg"),
    )
)
"""Of the names of files that are taken for videos where a folder is looked through."""
_DEFAULT_RATE = 25.0
_NEAR = 2.0
"""Seconds that are decoded and thrown away rather than sought."""
_MARGIN = 1.0
"""Seconds before the asked start that are sought, since a container's index may be off."""
_SAME = 1e-6
"""Seconds by which two times may differ and be the same."""
_EARLY = 1.0
"""Seconds that a video may end before its header says so."""


class VideoInfo(NamedTuple):
    """What the header of a video says, with the size of its first frame as it is shown.

    Attributes:
        frames: how many; None where the header does not say. Not to be relied on.
        rate: frames a second on average; None likewise.
        seconds: its length; None likewise.
        height: of the upright image, in pixels.
        width: likewise.
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


def load_av(purpose: str = "video is read and written") -> Any:
    """Import PyAV.

    Args:
        purpose: what it is needed for, as the beginning of a sentence that goes on "by PyAV".

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module("av")
    except ImportError as error:
        raise MissingExtraError(
            f'{purpose} by PyAV, which is not installed; install it by `pip install "semicoupled[video]"`'
        ) from error


def is_video(path: Path) -> bool:
    """Say whether a file's name is one of a video; see `VIDEO_SUFFIXES`."""
    return path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()


def probe(path: Path) -> VideoInfo:
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
        turns = _turns(first)
        size = (first.height, first.width) if turns % 2 == 0 else (first.width, first.height)
        return VideoInfo(stream.frames or None, _stated_rate(stream), _stated_seconds(container), *size, 90 * turns)


def read_video(
    path: Path, start: float | None = None, end: float | None = None, rate: float | None = None
) -> Iterator[VideoFrame]:
    """Decode a video.

    Args:
        path: the file.
        start: seconds; the first frame is the first one at or after it.
        end: seconds; the last frame is before it.
        rate: frames a second to give; None gives each frame of the file at its own time, which need not be equally
            spaced. Else the times are ``start``, ``start + 1 / rate``, ..., each with the frame that is seen then:
            frames are left out or given again.

    Returns:
        The frames, decoded as they are asked for; images of one size.

    Raises:
        DataError: see `probe`; or the video is damaged or ends early, which is raised after all frames before
            were given; or there is no frame between `start` and `end`; or these make no sense.
        MissingExtraError: PyAV is not installed.
    """
    begin = 0.0 if start is None else start
    if not (math.isfinite(begin) and begin >= 0 and (end is None or end > begin)):
        raise DataError(f"{path}: expected 0 <= start < end in seconds, got start {start} and end {end}")
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise DataError(f"{path}: rate: expected frames a second above 0, got {rate}")
    frames = _timed(path, begin, end)
    given = False
    wanted = _resample(frames, begin, rate) if rate else (frame for frame in frames if frame.time >= begin - _SAME)
    for frame in wanted:
        given = True
        yield frame
    if not given:
        until = "its end" if end is None else f"{end:g} s"
        raise DataError(
            f"{path}: has no frame from {begin:g} s to {until}. `semicoupled data check` says how long it is"
        )


def check_video(path: Path) -> VideoCheck:
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


@contextmanager
def open_video(path: Path) -> Generator[Any]:
    """Open a video file with PyAV; the container is closed at the end.

    Raises:
        DataError: there is no such file, it is empty, no video, or holds no picture.
        MissingExtraError: PyAV is not installed.
    """
    av = load_av()
    if not path.is_file():
        raise DataError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}; expected a video file")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: is empty (0 bytes); expected a video. Copy or record it again")
    kind = container_format(path)
    try:
        container = av.open(str(path), format=kind, metadata_errors="ignore")
    except (av.error.FFmpegError, ValueError) as error:
        raise DataError(
            f"{path}: cannot be opened as a video ({_reason(error)}); expected a file that FFmpeg reads, whole. A "
            "recording that was cut off before its end has no index: copy or record it again"
        ) from error
    with container:
        if not container.streams.video:
            kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "no streams"
            raise DataError(f"{path}: holds no video stream (found: {kinds}); expected a video with pictures")
        if not container.streams.video[0].codec_context:
            raise DataError(f"{path}: its video has a codec that PyAV cannot decode. Convert it to H.264")
        limit_decoder(path, container.streams.video[0])
        yield container


def upright(frame: Any, path: Path | str) -> np.ndarray:
    """Give a decoded frame of PyAV as an upright image, H W 3, uint8, RGB.

    Raises:
        DataError: its pixels cannot be converted.
    """
    av = load_av()
    try:
        image = frame.to_ndarray(format="rgb24")
    except (av.error.FFmpegError, ValueError) as error:
        raise DataError(f"{path}: pixels of the kind {frame.format.name} cannot be read ({_reason(error)})") from error
    turns = _turns(frame)
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def frame_rate(stream: Any) -> float:
    """Give the frames a second of a stream, or a guess where its header does not say."""
    return _stated_rate(stream) or _DEFAULT_RATE


def _timed(path: Path, begin: float, end: float | None) -> Iterator[VideoFrame]:
    """Give the frames before `end`, from `begin` on or from some way before it."""
    if begin > _NEAR:
        with open_video(path) as container:
            clock = Clock(frame_rate(container.streams.video[0]))
            landed = _seek(container, path, clock, begin - _MARGIN)
            if landed is not None:
                frames = itertools.chain([landed], _stamped(decode(container, path), clock))
                yield from _upright(frames, path, end, _stated_seconds(container))
                return
        _LOG.debug("%s: cannot be sought; decoding from its beginning", path)
    with open_video(path) as container:
        clock = Clock(frame_rate(container.streams.video[0]))
        frames = _stamped(decode(container, path), clock)
        yield from _upright(frames, path, end, _stated_seconds(container))


def _stamped(frames: Iterator[Any], clock: Clock) -> Iterator[tuple[float, Any]]:
    for frame in frames:
        yield clock.time(frame.pts, frame.time_base), frame


def _upright(
    frames: Iterator[tuple[float, Any]], path: Path, end: float | None, stated: float | None
) -> Iterator[VideoFrame]:
    """Turn the frames before `end` upright, and see to it that they are of one size and as many as was stated."""
    size: tuple[int, ...] | None = None
    before = 0.0
    for time, frame in frames:
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
    if stated is not None and before + _EARLY < 0.95 * stated:
        raise DataError(
            f"{path}: ends after {before:.2f} s, where its header says {stated:.2f} s: its end is missing. The frames "
            "before can be used; copy or record it again, or cut it there"
        )


def no_frame(path: Path) -> DataError:
    """Give the error of a video without a single frame."""
    return DataError(f"{path}: holds no frame that can be decoded; expected at least one. Copy or record it again")


class Clock:
    """Turns the time stamps of frames into rising seconds since the first.

    A frame without a stamp, or with one that does not rise, comes one frame after the one before.

    Args:
        rate: frames a second, for frames without stamps.
    """

    def __init__(self, rate: float) -> None:
        """Begin before the first frame."""
        self._interval, self._origin = 1 / rate, 0
        self._last: float | None = None

    def seconds(self, pts: int | None, base: Any) -> float | None:
        """Give the seconds of a stamp since the first frame's, without moving on; None where there is no stamp."""
        return None if pts is None or not base else float((pts - self._origin) * base)

    def time(self, pts: int | None, base: Any) -> float:
        """Give the time of the next frame."""
        if self._last is None:
            self._origin, self._last = pts or 0, 0.0
            return 0.0
        stamp = self.seconds(pts, base)
        self._last = stamp if stamp is not None and stamp > self._last else self._last + self._interval
        return self._last

    def jump(self, time: float) -> None:
        """Go on from the frame at `time`, which was sought."""
        self._last = time


def _resample(frames: Iterator[VideoFrame], begin: float, rate: float) -> Iterator[VideoFrame]:
    shown: VideoFrame | None = None
    number, tolerance = 0, 1e-3 / rate
    for frame in frames:
        while shown is not None and begin + number / rate < frame.time - tolerance:
            yield VideoFrame(begin + number / rate, shown.image)
            number += 1
        shown = frame
    if shown is not None and begin + number / rate <= shown.time + tolerance:
        yield VideoFrame(begin + number / rate, shown.image)


def decode(container: Any, path: Path) -> Iterator[Any]:
    """Decode from where a container stands; a frame is a PyAV one.

    Raises:
        DataError: the file is damaged; all frames that can be decoded before were given.
    """
    av, stream, count = load_av(), container.streams.video[0], 0
    broken = (av.error.FFmpegError, ValueError)  # looked up now: a generator may end after its modules have
    try:
        for packet in container.demux(stream):
            for frame in packet.decode():
                count += 1
                yield frame
    except broken as error:
        for frame in _rest(stream, broken):
            count += 1
            yield frame
        raise DataError(
            f"{path}: is damaged after {count} decoded frames ({_reason(error)}). The frames before can be used; copy "
            "or record it again"
        ) from error


def _rest(stream: Any, broken: tuple[type[Exception], ...]) -> list[Any]:
    """Give the frames that a decoder still holds back, once no more can be put in."""
    try:
        return list(stream.codec_context.decode(None))
    except broken:
        return []


def _seek(container: Any, path: Path, clock: Clock, seconds: float) -> tuple[float, Any] | None:
    """Go to a key frame before a time; None where the file has no stamps, or an index that leads astray."""
    av, stream = load_av(), container.streams.video[0]
    first = next(decode(container, path), None)
    if first is None or first.pts is None:
        return None
    clock.time(first.pts, first.time_base)
    try:
        container.seek(first.pts + int(seconds / stream.time_base), stream=stream, backward=True)
    except (av.error.FFmpegError, OSError):
        return None
    landed = next(decode(container, path), None)
    time = None if landed is None else clock.seconds(landed.pts, landed.time_base)
    if time is None or not 0 <= time <= seconds + _MARGIN:
        return None
    clock.jump(time)
    return time, landed


def _turns(frame: Any) -> int:
    """Give the quarter turns counterclockwise that make a frame stand upright."""
    return round(frame.rotation / 90) % 4


def _stated_rate(stream: Any) -> float | None:
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate
    return float(rate) if rate else None


def _stated_seconds(container: Any) -> float | None:
    """Give how long the pictures last by the header; a length that may be that of the sound does not count."""
    stream = container.streams.video[0]
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and len(container.streams) == 1:
        return container.duration / load_av().time_base
    return None


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
