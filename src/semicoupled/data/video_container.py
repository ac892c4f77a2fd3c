"""A video file as PyAV has it: opened, decoded frame by frame, sought, and what is odd about it said by name."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from semicoupled.data.shards import PackedFile
from semicoupled.data.untrusted import container_format, limit_decoder
from semicoupled.errors import DataError, MissingExtraError

_DEFAULT_RATE = 25.0
VideoSource = Path | PackedFile
"""Where a video is: a file, or a part of a shard."""
SEEK_MARGIN = 1.0
"""Seconds before the asked start that are sought, since a container's index may be off."""


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


@contextmanager
def open_video(path: VideoSource) -> Generator[Any]:
    """Open a video file, or one that lies in a shard, with PyAV; the container is closed at the end.

    Raises:
        DataError: there is no such file, it is empty, no video, or holds no picture.
        MissingExtraError: PyAV is not installed.
    """
    av = load_av()
    if isinstance(path, Path) and not path.is_file():
        raise DataError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}; expected a video file")
    if (path.member.size if isinstance(path, PackedFile) else path.stat().st_size) == 0:
        raise DataError(f"{path}: is empty (0 bytes); expected a video. Copy or record it again")
    kind = container_format(path)
    with path.open() if isinstance(path, PackedFile) else nullcontext(str(path)) as place:
        yield from _container(av, place, path, kind)


def _container(av: Any, place: Any, path: VideoSource, kind: str | None) -> Generator[Any]:
    try:
        container = av.open(place, format=kind, metadata_errors="ignore")
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


def decode(container: Any, path: VideoSource) -> Iterator[Any]:
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


def seek(container: Any, path: VideoSource, clock: Clock, seconds: float) -> Iterator[tuple[float, Any]] | None:
    """Go to a key frame before a time; None where the file has no stamps, or an index that leads astray.

    Args:
        container: an open one, of which nothing was decoded.
        path: for messages.
        clock: of the video; it goes on from the key frame.
        seconds: since the first frame of the video.

    Returns:
        The frames of PyAV from the key frame on, each with its seconds since the first frame of the video.

    Raises:
        DataError: the file is damaged.
    """
    av, stream = load_av(), container.streams.video[0]
    first = next(decode(container, path), None)
    if first is None or first.pts is None:
        return None
    clock.time(first.pts, first.time_base)
    try:
        container.seek(first.pts + int(seconds / stream.time_base), stream=stream, backward=True)
    except (av.error.FFmpegError, OSError):
        return None
    frames = decode(container, path)
    landed = next(frames, None)
    time = None if landed is None else clock.seconds(landed.pts, landed.time_base)
    if time is None or not 0 <= time <= seconds + SEEK_MARGIN:
        return None
    clock.jump(time)
    # by the same iterator: at the end of a file a decoder gives several frames at once
    return itertools.chain([(time, landed)], stamped(frames, clock))


def stamped(frames: Iterator[Any], clock: Clock) -> Iterator[tuple[float, Any]]:
    """Give each frame of PyAV with its seconds since the first frame of the video."""
    for frame in frames:
        yield clock.time(frame.pts, frame.time_base), frame


def upright(frame: Any, path: VideoSource | str) -> np.ndarray:
    """Give a decoded frame of PyAV as an upright image, H W 3, uint8, RGB.

    Raises:
        DataError: its pixels cannot be converted.
    """
    av = load_av()
    try:
        image = frame.to_ndarray(format="rgb24")
    except (av.error.FFmpegError, ValueError) as error:
        raise DataError(f"{path}: pixels of the kind {frame.format.name} cannot be read ({_reason(error)})") from error
    turns = quarter_turns(frame)
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def frame_rate(stream: Any) -> float:
    """Give the frames a second of a stream, or a guess where its header does not say."""
    return stated_rate(stream) or _DEFAULT_RATE


def stated_rate(stream: Any) -> float | None:
    """Give the frames a second by the header; None where it does not say."""
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate
    return float(rate) if rate else None


def stated_seconds(container: Any) -> float | None:
    """Give how long the pictures last by the header; a length that may be that of the sound does not count."""
    stream = container.streams.video[0]
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and len(container.streams) == 1:
        return container.duration / load_av().time_base
    return None


def quarter_turns(frame: Any) -> int:
    """Give the quarter turns counterclockwise that make a frame stand upright."""
    return round(frame.rotation / 90) % 4


def no_frame(path: VideoSource) -> DataError:
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


def _rest(stream: Any, broken: tuple[type[Exception], ...]) -> list[Any]:
    """Give the frames that a decoder still holds back, once no more can be put in."""
    try:
        return list(stream.codec_context.decode(None))
    except broken:
        return []


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
