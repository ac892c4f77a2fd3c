"""Files of strangers: what they name must lie where they lie, and what is decoded must not be huge.

A list of frames may name any image on the machine, a playlist that calls itself a video any file that FFmpeg reads. Who
shows to others what strangers' files hold, such as a server, reads them within `untrusted`; everywhere else nothing is
refused.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semicoupled.data.shards import PackedFile
from semicoupled.errors import DataError

IMAGE_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM")
"""What Pillow may take a picture for. It knows forty more, by content and not by name: some are hardly tried, and for
PostScript it starts a program."""
_HEAD = 256
_CONTAINERS = (
    *((4, box, "mov") for box in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (8, b"AVI ", "avi"),
    (0, b"FLV\x01", "flv"),
    (0, b"OggS", "ogg"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"GIF8", "gif"),
    (0, b"\xff\xd8\xff", "mjpeg"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
    (0, b"\x00\x00\x01\xb3", "mpegvideo"),
    (188, b"\x47", "mpegts"),
    (196, b"\x47", "mpegts"),
)
"""Where in a file which bytes stand, and what FFmpeg calls what begins so."""
_RAW = (b"\x00\x00\x01", b"\x00\x00\x00\x01")


@dataclass(frozen=True)
class Bounds:
    """What is let through.

    Args:
        folder: that no file may lie outside of, links followed.
        pixels: of one image, at most.
    """

    folder: Path
    pixels: int


_BOUNDS: ContextVar[Bounds | None] = ContextVar("_BOUNDS", default=None)


@contextmanager
def untrusted(folder: Path, pixels: int) -> Generator[None]:
    """Read strangers' files within this context.

    Args:
        folder: that they must lie in.
        pixels: of one image, at most.
    """
    token = _BOUNDS.set(Bounds(folder.resolve(), pixels))
    try:
        yield
    finally:
        _BOUNDS.reset(token)


def check_place(path: Path) -> None:
    """Refuse a file that lies elsewhere.

    Raises:
        DataError: it does, whichever way its name is written.
    """
    bounds = _BOUNDS.get()
    if bounds is not None and not path.resolve().is_relative_to(bounds.folder):
        raise DataError(f"{path.name[:100]}: lies elsewhere; expected only files below the folder that was chosen")


def check_pixels(path: Path | PackedFile, width: int, height: int) -> None:
    """Refuse an image before it is decoded.

    Raises:
        DataError: it has too many pixels.
    """
    bounds = _BOUNDS.get()
    if bounds is not None and width * height > bounds.pixels:
        raise DataError(
            f"{path}: is {width} x {height} pixels; expected at most {bounds.pixels} in one image. Make it smaller"
        )


def check_image(path: Path | PackedFile, content: bytes) -> None:
    """Refuse an image by what its head says.

    Raises:
        DataError: it is no image that is known, or has too many pixels.
    """
    if _BOUNDS.get() is None:
        return
    import io

    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=IMAGE_FORMATS) as image:
            width, height = image.size
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: cannot be decoded ({type(error).__name__}); expected an image") from error
    check_pixels(path, width, height)


def container_format(path: Path | PackedFile) -> str | None:
    """Name a video's container by its first bytes, so that FFmpeg needs not guess.

    Guessing would also find playlists and scripts, which reach for other files and addresses.

    Returns:
        FFmpeg's name of the format; None where files are trusted, and FFmpeg may guess.

    Raises:
        DataError: it is none that is known, or lies elsewhere.
    """
    if _BOUNDS.get() is None:
        return None
    check_place(path.shard if isinstance(path, PackedFile) else path)
    with path.open() if isinstance(path, PackedFile) else path.open("rb") as file:
        head = file.read(_HEAD)
    for place, start, name in _CONTAINERS:
        if head[place : place + len(start)] == start:
            return name
    if head.startswith(_RAW):
        return "hevc" if path.suffix.lower() in (".hevc", ".265") else "h264"
    raise DataError(
        f"{path}: is no video that is taken here; expected MP4, MOV, MKV, WebM, AVI, MPEG, Ogg, FLV, WMV, GIF or raw "
        "H.264 or HEVC. Convert it"
    )


def limit_decoder(path: Path | PackedFile, stream: Any) -> None:
    """Refuse a video's stream that says huge frames, and let its decoder make none.

    Args:
        path: the file.
        stream: of PyAV, not yet decoded from.

    Raises:
        DataError: the stream says more pixels than are let through.
    """
    bounds = _BOUNDS.get()
    if bounds is None:
        return
    context = stream.codec_context
    check_pixels(path, context.width or 0, context.height or 0)
    context.options = {**context.options, "max_pixels": str(bounds.pixels)}
