"""Images that are frames: what can be wrong with one is a sentence."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from semicoupled.data.image_files import read_image
from semicoupled.errors import DataError


def test_an_image_is_read_as_it_was_written(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (5, 7, 3), np.uint8)
    assert cv2.imwrite(str(tmp_path / "a.png"), image[..., ::-1])
    assert np.array_equal(read_image(tmp_path / "a.png"), image)


def huge(width: int) -> bytes:
    """The head of a PNG that says to be as wide and as high."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, width, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"a\.png: cannot be read \(No such file or directory\)"),
        (b"", r"a\.png: is empty \(0 bytes\); expected an image"),
        (b"no picture", r"a\.png: cannot be decoded; expected an image"),
        (huge(1_000_000), r"a\.png: cannot be decoded"),
    ],
)
def test_what_is_none_is_told(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_image(tmp_path / "a.png")
