"""Frames as they come: from a camera, from a stream that FFmpeg reads, or from another program through a pipe.

A camera goes on whether or not somebody keeps up with it: of the frames that came meanwhile the newest is given, and
the others are counted as dropped. What comes through a pipe waits in it, and all of it is given.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import IO, Any, NamedTuple

import cv2
import numpy as np

from semicoupled.data.video import VideoFrame
from semicoupled.data.video_container import load_av, upright
from semicoupled.errors import DataError, SettingsError

_START, _END = b"\xff\xd8", b"\xff\xd9"
_SCAN = b"\xff\xda"
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""What ends the data of a scan: an FF that is neither stuffed, nor a restart, nor padding (ISO/IEC 10918-1, B.1.1)."""
_CHUNK = 1 << 16
_LARGEST_JPEG = 64 << 20
_SIZE = re.compile(r"(\d+)x(\d+)")
_NETWORK = ("rtsp:", "rtmp:", "rtp:", "udp:", "srt:")
_PATIENCE = 10.0
"""Seconds without a frame after which a camera or a stream counts as gone."""


class Source(NamedTuple):
    """Where frames come from.

    Attributes:
        name: for messages.
        frames: blocks until the next one comes; ends with the stream. Times are seconds since the first frame.
        close: lets go of the camera or the file; may be called twice.
        live: whether it goes on by itself, so that late frames must be dropped.
    """

    name: str
    frames: Iterator[VideoFrame]
    close: Callable[[], None]
    live: bool


class Latest:
    """The newest frame of a source that does not wait; what came in between is counted as dropped.

    Args:
        source: read in a thread of its own.
        patience: seconds without a frame after which it counts as gone.
    """

    def __init__(self, source: Source, patience: float = _PATIENCE) -> None:
        self._source, self._patience = source, patience
        self._condition = threading.Condition()
        self._newest: VideoFrame | None = None
        self._ended, self._error = False, None
        self.dropped = 0
        self._thread = threading.Thread(target=self._read, name=f"frames of {source.name}", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[VideoFrame]:
        """Give itself."""
        return self

    def __next__(self) -> VideoFrame:
        """Wait for a frame that was not given yet.

        Raises:
            DataError: the source failed, or nothing has come for too long.
        """
        deadline = time.monotonic() + self._patience
        with self._condition:
            while self._newest is None:
                if self._ended:
                    if self._error is not None:
                        raise self._error
                    raise StopIteration
                # short waits, so that Ctrl-C is heard
                if not self._condition.wait(0.1) and time.monotonic() > deadline:
                    raise DataError(f"{self._source.name}: no frame for {self._patience:g} s; expected it to go on")
            frame, self._newest = self._newest, None
            return frame

    def close(self) -> None:
        """Stop reading and let go of the source."""
        with self._condition:
            self._ended = True
        self._thread.join(2.0)
        self._source.close()

    def _read(self) -> None:
        error: Exception | None = None
        try:
            for frame in self._source.frames:
                with self._condition:
                    if self._ended:
                        break
                    self.dropped += self._newest is not None
                    self._newest = frame
                    self._condition.notify_all()
        except Exception as raised:  # noqa: BLE001 - it is raised again where the frames are taken
            error = raised
        with self._condition:
            self._ended, self._error = True, error
            self._condition.notify_all()


def open_camera(camera: str) -> Source:
    """Open a camera, or a stream.

    Args:
        camera: the number of a camera (``0`` is the first), or its device (``/dev/video0``); or what FFmpeg reads, such
            as ``rtsp://user:password@host/path``, ``http://host/stream.mjpg`` or ``udp://@:5000``.

    Returns:
        A live source.

    Raises:
        DataError: it cannot be opened.
        MissingExtraError: a stream, and PyAV is not installed.
    """
    if camera.isdecimal() or camera.startswith("/dev/"):
        return _camera(int(camera) if camera.isdecimal() else camera)
    return _stream(camera)


def read_raw(pipe: IO[bytes], size: str, rate: float | None = None) -> Source:
    """Read raw frames from a pipe: RGB, 8 bit, row after row, nothing in between (``-f rawvideo -pix_fmt rgb24``).

    Args:
        pipe: such as the standard input.
        size: ``WIDTHxHEIGHT`` in pixels.
        rate: frames a second; None takes the time at which each comes.

    Raises:
        SettingsError: the size is none.
    """
    found = _SIZE.fullmatch(size)
    if found is None or not (int(found[1]) and int(found[2])):
        raise SettingsError(f"stdin {size!r}: expected WIDTHxHEIGHT of raw RGB frames, such as 160x120, or mjpeg")
    width, height = int(found[1]), int(found[2])

    def images() -> Iterator[np.ndarray]:
        wanted, number = height * width * 3, 0
        while content := _read_whole(pipe, wanted):
            if len(content) < wanted:
                raise DataError(
                    f"stdin: ends within frame {number}, after {len(content)} of its {wanted} bytes; expected "
                    f"{width}x{height} pixels of raw RGB. Is the size right?"
                )
            yield np.frombuffer(content, np.uint8).reshape(height, width, 3)
            number += 1

    return Source("stdin", _timed(images(), rate), lambda: None, live=False)


def read_mjpeg(pipe: IO[bytes], rate: float | None = None) -> Source:
    """Read JPEG images that follow each other in a pipe (``-f mjpeg``).

    Args:
        pipe: such as the standard input.
        rate: frames a second; None takes the time at which each comes.

    Raises:
        DataError: the pipe holds no JPEG image, or one that is broken.
    """

    def images() -> Iterator[np.ndarray]:
        for number, content in enumerate(_jpegs(pipe)):
            try:
                image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            except cv2.error:  # such as at a size that is none
                image = None
            if image is None:
                raise DataError(f"stdin: frame {number} is no JPEG that can be decoded ({len(content)} bytes)")
            yield np.ascontiguousarray(image[..., ::-1])

    return Source("stdin", _timed(images(), rate), lambda: None, live=False)


def _timed(images: Iterator[np.ndarray], rate: float | None) -> Iterator[VideoFrame]:
    begun: float | None = None
    for number, image in enumerate(images):
        now = time.monotonic()
        begun = now if begun is None else begun
        yield VideoFrame(now - begun if rate is None else number / rate, image)


def _read_whole(pipe: IO[bytes], count: int) -> bytes:
    """Read so many bytes, or what is left; a pipe may give less at a time."""
    parts: list[bytes] = []
    while count and (part := pipe.read(count)):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _jpegs(pipe: IO[bytes]) -> Iterator[bytes]:
    read = getattr(pipe, "read1", pipe.read)
    held, seen = b"", 0
    while part := read(_CHUNK):
        held += part
        while (begin := held.find(_START)) >= 0:
            held = held[begin:]
            seen, whole = _end_of_jpeg(held, seen)
            if not whole:
                break
            yield held[:seen]
            held, seen = held[seen:], 0
        if not held.startswith(_START):
            held = held.lstrip(b"\0")  # some cameras fill up with zeros
        if held[:2] not in (b"", b"\xff", _START) or len(held) > _LARGEST_JPEG:
            raise DataError(
                "stdin: expected JPEG images one after the other (`ffmpeg ... -f mjpeg -`), got other bytes"
            )
    if held:
        raise DataError(f"stdin: ends within an image, after {len(held)} bytes of it")


def _end_of_jpeg(content: bytes, place: int) -> tuple[int, bool]:
    """Find where an image ends, segment by segment: what stands before its scans may hold an end, that of a thumbnail.

    Args:
        content: begins with the image, as far as it has come.
        place: where to go on: 0, or what was given before.

    Returns:
        The place behind the image, and True; or the last segment's, and False where more must come.
    """
    place = max(place, len(_START))
    while len(content) >= place + 4 or content[place : place + 2] == _END:
        marker = content[place : place + 2]
        if marker == _END:
            return place + 2, True
        if marker == b"\xff\xff":  # padding
            place += 1
            continue
        if marker < b"\xff\xc0":  # it is broken: the decoder will say so
            end = content.find(_END, place)
            return (place, False) if end < 0 else (end + 2, True)
        behind = place + 2 + int.from_bytes(content[place + 2 : place + 4], "big")
        if marker == _SCAN:
            following = _MARKER.search(content, behind)
            if following is None:
                break
            behind = following.start()
        place = behind
    return place, False


def _camera(camera: int | str) -> Source:
    capture = cv2.VideoCapture(camera)
    name = f"camera {camera}"
    if not capture.isOpened():
        capture.release()
        raise DataError(
            f"{name}: cannot be opened; expected a camera that no other program uses. On Linux `ls /dev/video*` lists "
            "them; this user must be in the group video"
        )
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def images() -> Iterator[np.ndarray]:
        while True:
            good, image = capture.read()
            if not good:
                return  # unplugged, or the end of a file
            yield np.ascontiguousarray(image[..., ::-1])

    return Source(name, _timed(images(), None), capture.release, live=True)


def _stream(url: str) -> Source:
    av = load_av("a stream is read")
    shown = re.sub(r"//[^/?#]*@", "//", url)  # a password is nobody's business, and may hold an @ itself
    # without a buffer the delay is least; a file would lose its first frames by it
    options = {"fflags": "nobuffer"} if url.startswith(_NETWORK) else {}
    if url.startswith("rtsp:"):
        options["rtsp_transport"] = "tcp"
    try:
        container: Any = av.open(url, options=options, timeout=_PATIENCE)
        if not container.streams.video:
            container.close()
            raise ValueError("it has no pictures")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{shown}: cannot be opened as a stream ({reason}); expected a camera's number, or an address that FFmpeg "
            "reads, such as rtsp://host/path"
        ) from error
    video = container.streams.video[0]
    broken = (av.error.FFmpegError, ValueError)

    def images() -> Iterator[np.ndarray]:
        try:
            for frame in container.decode(video):
                yield upright(frame, shown)
        except broken as error:
            raise DataError(f"{shown}: broke off ({getattr(error, 'strerror', None) or error})") from error

    def close() -> None:
        with suppress(*broken):
            container.close()

    return Source(shown, _timed(images(), None), close, live=True)
