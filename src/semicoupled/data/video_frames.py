"""The frames of a video file by their numbers: an index of its packets first, and images when they are asked for."""

from __future__ import annotations

import atexit
import bisect
import os
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semicoupled.data.video_container import decode, frame_rate, load_av, open_video, upright
from semicoupled.errors import DataError

_OPEN = 4
"""Files that a process keeps open at once; the one unused for longest is closed for another."""


class Index(NamedTuple):
    """Time stamps of a file, rising.

    Attributes:
        stamps: of all frames.
        keys: of those from which decoding can begin.
    """

    stamps: list[int]
    keys: list[int]


class VideoFrames:
    """A video as a sequence of images that can be read in any order.

    Frames that follow each other are read as quickly as the file is decoded. A jump costs the decoding from the key
    frame before; in a file without time stamps (raw ``.h264``, ``.hevc``) a jump back begins at its beginning. Making
    the index reads the file, and decodes nothing. It may be pickled and used in several processes.
    """

    def __init__(self, path: Path) -> None:
        """Read the index of a file.

        Args:
            path: the video.

        Raises:
            DataError: it cannot be opened, or has no frame; see `semicoupled.data.video.probe`.
            MissingExtraError: PyAV is not installed.
        """
        self.path = path
        av = load_av()
        with open_video(path) as container:
            stream = container.streams.video[0]
            rate, base = frame_rate(stream), stream.time_base
            found: list[tuple[int | None, bool]] = []
            try:
                found += [
                    (packet.pts, packet.is_keyframe)
                    for packet in container.demux(stream)
                    if packet.size and not packet.is_discard
                ]
            except av.error.FFmpegError:  # what lies behind is lost; reading the last frames will say so
                if not found:
                    raise DataError(f"{path}: is damaged at its beginning. Copy or record it again") from None
        if not found:
            raise DataError(f"{path}: holds no frame; expected at least one. Copy or record it again")
        stamps = sorted({pts for pts, _ in found if pts is not None})
        self.index: Index | None = None
        """Where its frames begin; None for a file without time stamps."""
        if len(stamps) == len(found):
            self.index = Index(stamps, sorted(pts for pts, key in found if key and pts is not None))
        if self.index is None:
            self.times = np.arange(len(found)) / rate
        else:
            self.times = np.array([float((stamp - stamps[0]) * base) for stamp in stamps])
        """N, float64: seconds since the first frame, rising."""
        self._size: tuple[int, ...] | None = None

    def __len__(self) -> int:
        """The number of frames."""
        return len(self.times)

    def name(self, index: int) -> str:
        """Say where a frame lies."""
        return f"{self.path}, frame {index}"

    def read(self, index: int) -> np.ndarray:
        """Decode a frame.

        Args:
            index: from 0.

        Returns:
            H W 3, uint8, RGB, upright.

        Raises:
            DataError: there is no such frame, or it cannot be decoded.
        """
        if not 0 <= index < len(self):
            raise DataError(f"{self.path}: has no frame {index}; it has {len(self)}, counted from 0")
        image = upright(_reader(self).frame(index), self.path)
        if self._size not in (None, image.shape):
            raise DataError(
                f"{self.name(index)}: is {image.shape[1]}x{image.shape[0]} pixels, and other frames are not; expected "
                "one size. Convert the video"
            )
        self._size = image.shape
        return image

    def close(self) -> None:
        """Close the file; reading opens it again."""
        reader = _READERS.pop(id(self), None)
        if reader is not None:
            reader.close()


class _Reader:
    """An open file that stands before some frame."""

    def __init__(self, frames: VideoFrames) -> None:
        self.path, self.index = frames.path, frames.index
        self._begin()

    def frame(self, index: int) -> Any:
        try:
            return self._frame(index)
        except DataError as error:
            raise _broken(self.path, index) from error
        finally:
            if self._last is None:  # it failed: where the file stands is not known
                self.close()
                _forget(self)

    def close(self) -> None:
        self._stack.__exit__(None, None, None)

    def _begin(self) -> None:
        self._stack = open_video(self.path)
        self._container = self._stack.__enter__()
        self._next, self._last = 0, None
        self._decoded: Iterator[Any] = decode(self._container, self.path)

    def _frame(self, index: int) -> Any:
        if self._last is not None and index == self._next - 1:
            return self._last
        if self.index is None:
            return self._counted(index)
        stamps, keys = self.index
        key = keys[max(0, bisect.bisect_right(keys, stamps[index]) - 1)] if keys else None
        passed = self._next > 0 and (self._next > index or (key is not None and key > stamps[self._next - 1]))
        if passed or (self._next == 0 and key is not None and key > stamps[0]):
            self._seek(key)
        found = self._forward(index, stamps)
        if found is None and passed:  # the file's own index led astray
            self._again()
            found = self._forward(index, stamps)
        if found is None:
            self._last = None
            raise _broken(self.path, index)
        return found

    def _forward(self, index: int, stamps: list[int]) -> Any:
        """Decode up to a frame by its stamp; None where it is passed without being seen."""
        wanted, self._last = stamps[index], None
        for frame in self._decoded:
            if frame.pts is None or frame.pts < wanted:
                continue
            at = bisect.bisect_left(stamps, frame.pts)
            self._next, self._last = at + 1, frame
            return frame if frame.pts == wanted else None
        self._next, self._last = len(stamps) + 1, None
        return None

    def _counted(self, index: int) -> Any:
        """Decode up to a frame of a file without stamps."""
        if self._next > index:
            self._again()
        self._last = None
        for frame in self._decoded:
            self._next, self._last = self._next + 1, frame
            if self._next > index:
                return frame
        self._last = None
        raise _broken(self.path, index)

    def _seek(self, key: int | None) -> None:
        if key is None:
            self._again()
            return
        try:
            self._container.seek(key, stream=self._container.streams.video[0], backward=True)
        except (load_av().error.FFmpegError, OSError):
            self._again()
            return
        self._decoded = decode(self._container, self.path)
        self._last = None

    def _again(self) -> None:
        self.close()
        self._begin()


def _broken(path: Path, index: int) -> DataError:
    return DataError(
        f"{path}, frame {index}: cannot be decoded; the file is damaged there or before it, or ends early. Copy or "
        "record it again"
    )


_READERS: OrderedDict[int, _Reader] = OrderedDict()
_OF_PARENTS: list[_Reader] = []
"""Left alone for ever: closing one would wait for its threads, which a fork does not take along."""


def _leave_to_parent() -> None:
    _OF_PARENTS.extend(_READERS.values())
    _READERS.clear()


def _close_all() -> None:
    while _READERS:
        _READERS.popitem()[1].close()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def _reader(frames: VideoFrames) -> _Reader:
    key = id(frames)
    reader = _READERS.get(key)
    if reader is None or reader.path != frames.path or reader.index is not frames.index:
        reader = _Reader(frames)
    _READERS[key] = reader
    _READERS.move_to_end(key)
    while len(_READERS) > _OPEN:
        _READERS.popitem(last=False)[1].close()
    return reader


def _forget(reader: _Reader) -> None:
    for key in [key for key, kept in _READERS.items() if kept is reader]:
        del _READERS[key]
