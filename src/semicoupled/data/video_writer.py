"""Video out: an MP4, image by image, by PyAV (extra ``video``); H.264 where the library has it, else MPEG-4."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from semicoupled.data.video_container import load_av
from semicoupled.errors import DataError, ShapeError
from semicoupled.files import replacing

_CODECS = ("libx264", "mpeg4")
_TICKS = 60_000
"""Ticks of a second in which times are kept."""


class VideoWriter:
    """Encodes images one by one; memory does not grow with their number. See `video_writer` and `encode_video`."""

    def __init__(self, target: str | IO[bytes], rate: float) -> None:
        """Open a video for writing.

        Args:
            target: a path, or a file that can be sought.
            rate: images a second, for those that come without a time.

        Raises:
            DataError: the rate is not above 0.
            MissingExtraError: PyAV is not installed.
        """
        self._av = load_av("MP4 is written")
        if not (math.isfinite(rate) and rate > 0):
            raise DataError(f"a video's rate: expected images a second above 0, got {rate}")
        # one image an hour has no fraction of so small a denominator
        self._rate = Fraction(rate).limit_denominator(1001) or Fraction(1, round(1 / rate))
        self._container: Any = self._av.open(target, "w", format="mp4")
        self._stream: Any = None
        self._size = (0, 0)
        self._last = -1

    def __enter__(self) -> VideoWriter:
        """Give itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Finish the video, or just let go of the file where the block failed."""
        self.close(finish=kind is None)

    def write(self, image: np.ndarray, time: float | None = None) -> None:
        """Append an image.

        Args:
            image: H W 3, uint8, RGB; all of one size. An odd row or column at the edge is given twice.
            time: seconds at which it is shown, from 0, rising; None for one interval after the one before.

        Raises:
            ShapeError: the image is none, or of another size than the first.
            DataError: the time does not rise.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ShapeError(f"a video's image: expected H W 3, uint8, got {image.shape}, {image.dtype}")
        if self._stream is None:
            self._size = image.shape[:2]
            self._stream = self._begin()
        if image.shape[:2] != self._size:
            raise ShapeError(f"a video's image: expected the size of the first, {self._size}, got {image.shape[:2]}")
        tick = self._last + round(_TICKS / self._rate) if self._last >= 0 else 0
        if time is not None:
            tick = round(time * _TICKS)
            if tick <= self._last:
                raise DataError(
                    f"a video's times: expected more than {max(self._last, 0) / _TICKS:.3f} s, got {time:.3f} s"
                )
        self._last = tick
        even = np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)), mode="edge")
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
        frame.pts, frame.time_base = tick, Fraction(1, _TICKS)
        self._container.mux(self._stream.encode(frame))

    def close(self, *, finish: bool = True) -> None:
        """Write what is still held back, and close the file.

        Args:
            finish: False where the file will be thrown away.

        Raises:
            DataError: there was no image.
        """
        try:
            if finish and self._stream is None:
                raise DataError("a video needs at least one image, and there was none")
            if finish:
                self._container.mux(self._stream.encode())
        finally:
            self._container.close()

    def _begin(self) -> Any:
        codec = next(name for name in _CODECS if name in self._av.codecs_available)
        stream: Any = self._container.add_stream(codec, rate=self._rate)
        stream.height, stream.width = (length + length % 2 for length in self._size)
        stream.pix_fmt = "yuv420p"
        if codec == "libx264":
            stream.options = {"preset": "veryfast"}  # a third of the time, a little larger
        stream.codec_context.time_base = Fraction(1, _TICKS)
        return stream


@contextmanager
def video_writer(path: Path, rate: float) -> Generator[VideoWriter]:
    """Write an MP4, whole or not at all: it takes its place when the block ends well.

    Args:
        path: the file to make or to replace.
        rate: images a second, for those that come without a time.

    Raises:
        DataError: no image was written, or the rate is not above 0.
        MissingExtraError: PyAV is not installed.
    """
    with replacing(path) as temporary, VideoWriter(str(temporary), rate) as writer:
        yield writer


def encode_video(target: IO[bytes], images: Iterable[np.ndarray], rate: float) -> None:
    """Write images of an even rate as an MP4 into an open file; see `VideoWriter`."""
    with VideoWriter(target, rate) as writer:
        for image in images:
            writer.write(image)
