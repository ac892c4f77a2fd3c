from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semicoupled.data.untrusted import check_image, check_place, container_format, untrusted
from semicoupled.data.video import read_video
from semicoupled.data.video_writer import video_writer
from semicoupled.errors import DataError

pytest.importorskip("av", reason="no PyAV: pip install 'semicoupled[video]'")
PIXELS = 100 * 100


def write(path: Path, width: int = 32, height: int = 24, frames: int = 3) -> Path:
    with video_writer(path, 10) as video:
        for index in range(frames):
            video.write(np.full((height, width, 3), 60 * index, np.uint8))
    return path


def png_of(width: int, height: int) -> bytes:
    """A PNG that says a size, and holds no pixels."""
    head = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    part = struct.pack(">I", len(head)) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return b"\x89PNG\r\n\x1a\n" + part + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


def test_a_file_must_lie_below_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a").write_text("a")
    (tmp_path / "secret").write_text("secret")
    (inside / "link").symlink_to(tmp_path / "secret")
    (inside / "near").symlink_to(inside / "a")
    with untrusted(inside, PIXELS):
        check_place(inside / "a")
        check_place(inside / "near")
        check_place(inside / "x" / ".." / "a")
        for path in (tmp_path / "secret", inside / ".." / "secret", inside / "link"):
            with pytest.raises(DataError, match="lies elsewhere"):
                check_place(path)
    check_place(inside / "link")  # who is trusted may


def test_an_image_is_refused_by_its_head(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (100, 100)).save(buffer, "JPEG")
    with untrusted(tmp_path, PIXELS):
        check_image(tmp_path / "a.jpg", buffer.getvalue())
        with pytest.raises(DataError, match="is 101 x 100 pixels; expected at most 10000"):
            check_image(tmp_path / "a.png", png_of(101, 100))
        with pytest.raises(DataError, match="cannot be decoded"):
            check_image(tmp_path / "bomb.png", png_of(60_000, 60_000))
        with pytest.raises(DataError, match="cannot be decoded"):
            check_image(tmp_path / "a.jpg", b"no image")
        Image.new("RGB", (10, 10)).save(script := io.BytesIO(), "EPS")
        with pytest.raises(DataError, match="cannot be decoded"):
            check_image(tmp_path / "a.jpg", script.getvalue())
    check_image(tmp_path / "a.png", png_of(101, 100))


def test_a_video_is_read_as_it_always_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    usual = [frame.image for frame in read_video(path)]
    with untrusted(tmp_path, PIXELS):
        assert container_format(path) == "mov"
        found = [frame.image for frame in read_video(path)]
    assert len(found) == 3
    np.testing.assert_array_equal(found, usual)
    assert container_format(path) is None


@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {secret}\n",
        '<?xml version="1.0"?><MPD><BaseURL>{secret}</BaseURL></MPD>',
        "GGGG <MPD><BaseURL>{secret}</BaseURL></MPD>",
        "[playlist]\nFile1={secret}\n",
        "",
    ],
)
def test_a_playlist_is_no_video(tmp_path: Path, content: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    secret = write(tmp_path / "secret.mp4")
    path = inside / "a.mp4"
    path.write_text(content.format(secret=secret) + " ")
    with untrusted(inside, PIXELS), pytest.raises(DataError, match="is no video that is taken here"):
        list(read_video(path))


def test_a_playlist_that_begins_like_a_stream_reaches_nothing(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    secret = write(tmp_path / "secret.mp4")
    text = f'<?xml version="1.0"?><MPD><BaseURL>{secret}</BaseURL></MPD>'.ljust(188) + "G" * 400
    (inside / "a.ts").write_text(text)
    with untrusted(inside, PIXELS):
        assert container_format(inside / "a.ts") == "mpegts"
        with pytest.raises(DataError):
            list(read_video(inside / "a.ts"))


def test_a_video_of_huge_frames_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", 128, 96)
    with untrusted(tmp_path, 128 * 96):
        assert len(list(read_video(path))) == 3
    with (
        untrusted(tmp_path, 128 * 96 - 1),
        pytest.raises(DataError, match="is 128 x 96 pixels; expected at most 12287"),
    ):
        list(read_video(path))


def test_a_link_to_a_video_elsewhere_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.mp4").symlink_to(write(tmp_path / "secret.mp4"))
    with untrusted(inside, PIXELS), pytest.raises(DataError, match="lies elsewhere"):
        list(read_video(inside / "a.mp4"))
