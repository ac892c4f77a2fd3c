from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from semicoupled.data.live import Latest, Source, open_camera, read_mjpeg, read_raw
from semicoupled.data.video import VideoFrame
from semicoupled.data.video_writer import video_writer
from semicoupled.errors import DataError, SettingsError


def image(value: int) -> np.ndarray:
    return np.full((8, 10, 3), value, np.uint8)


def source(frames: Iterator[VideoFrame], closed: list[bool] | None = None) -> Source:
    return Source("made", frames, lambda: (closed if closed is not None else []).append(True), live=True)


def test_of_late_frames_the_newest_is_given_and_the_others_are_counted():
    go, gone = threading.Event(), threading.Event()

    def frames() -> Iterator[VideoFrame]:
        yield VideoFrame(0.0, image(0))
        go.wait(5)
        for number in range(1, 6):
            yield VideoFrame(float(number), image(number))
        gone.set()

    latest = Latest(source(frames()))
    assert next(latest).time == 0.0
    go.set()
    assert gone.wait(5)
    assert next(latest).time == 5.0
    assert latest.dropped == 4
    assert list(latest) == []


def test_a_source_that_fails_says_so_where_frames_are_taken():
    def frames() -> Iterator[VideoFrame]:
        yield VideoFrame(0.0, image(0))
        raise DataError("the cable is gone")

    latest = Latest(source(frames()))
    with pytest.raises(DataError, match="the cable is gone"):
        list(latest)


def test_a_source_that_says_nothing_is_given_up_and_closed():
    hold, closed = threading.Event(), []

    def frames() -> Iterator[VideoFrame]:
        hold.wait(5)
        yield VideoFrame(0.0, image(0))

    latest = Latest(source(frames(), closed), patience=0.2)
    with pytest.raises(DataError, match=r"made: no frame for 0\.2 s; expected it to go on"):
        next(latest)
    hold.set()
    latest.close()
    assert closed == [True]


def test_frames_are_not_kept():
    frames = (VideoFrame(float(number), image(number % 250)) for number in range(3000))
    latest = Latest(source(frames))
    seen = 0
    for _ in latest:
        seen += 1
    assert seen + latest.dropped == 3000


def test_raw_frames():
    content = b"".join(image(value).tobytes() for value in (3, 7, 11))
    frames = list(read_raw(io.BytesIO(content), "10x8", 5).frames)
    assert [frame.time for frame in frames] == pytest.approx([0, 0.2, 0.4])
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [3, 7, 11]
    assert frames[0].image.shape == (8, 10, 3)
    begun = time.monotonic()
    times = [frame.time for frame in read_raw(io.BytesIO(content), "10x8").frames]
    assert times[0] == 0
    assert times == sorted(times)
    assert times[-1] < time.monotonic() - begun + 0.1
    with pytest.raises(DataError, match="stdin: ends within frame 2, after 236 of its 240 bytes"):
        list(read_raw(io.BytesIO(content[:-4]), "10x8").frames)
    for size in ("10", "10x0", "axb"):
        with pytest.raises(SettingsError, match="expected WIDTHxHEIGHT of raw RGB frames"):
            read_raw(io.BytesIO(content), size)


def test_jpegs_one_after_the_other():
    jpegs = [cv2.imencode(".jpg", image(value))[1].tobytes() for value in (10, 90, 200)]
    frames = list(read_mjpeg(io.BytesIO(b"".join(jpegs)), 10).frames)
    assert [round(float(frame.image.mean()) / 10) for frame in frames] == [1, 9, 20]
    with pytest.raises(DataError, match="stdin: ends within an image"):
        list(read_mjpeg(io.BytesIO(jpegs[0] + jpegs[1][:50])).frames)
    with pytest.raises(DataError, match="expected JPEG images one after the other"):
        list(read_mjpeg(io.BytesIO(b"RIFF" * 100)).frames)
    with pytest.raises(DataError, match="frame 0 is no JPEG that can be decoded"):
        list(read_mjpeg(io.BytesIO(b"\xff\xd8nothing\xff\xd9")).frames)


def photograph(value: int, ending: bytes = b"") -> bytes:
    """A progressive JPEG of 40 x 60 px with a thumbnail in front, which ends as an image does, and an `ending`."""
    thumbnail, whole = io.BytesIO(), io.BytesIO()
    Image.new("L", (16, 16)).save(thumbnail, "JPEG")
    noise = np.random.default_rng(value).integers(0, 60, (40, 60), dtype=np.uint8) + np.uint8(value)
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + bytes(6) + thumbnail.getvalue()
    Image.fromarray(noise).save(whole, "JPEG", exif=exif, progressive=True)
    assert whole.getvalue().count(b"\xff\xd9") > 1
    return whole.getvalue() + ending


@pytest.mark.parametrize("at_once", [1, 7, 1 << 16])
def test_jpegs_with_a_thumbnail_and_zeros_behind(at_once: int):
    content = photograph(10, bytes(5)) + photograph(100) + photograph(180, bytes(3))

    class Slow(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            return super().read1(min(size or at_once, at_once))

    frames = list(read_mjpeg(Slow(content), 10).frames)
    assert [frame.image.shape for frame in frames] == [(40, 60, 3)] * 3
    assert [round(float(frame.image.mean()) - 29.5, -1) for frame in frames] == [10, 100, 180]
    with pytest.raises(DataError, match="stdin: ends within an image"):
        list(read_mjpeg(Slow(content[:-9])).frames)


def test_what_ffmpeg_reads_is_a_stream(tmp_path: Path):
    pytest.importorskip("av", reason="needs PyAV: pip install semicoupled[video]")
    with video_writer(tmp_path / "a.mp4", 10) as video:
        for value in (10, 100, 200):
            video.write(np.full((16, 16, 3), value, np.uint8))
    stream = open_camera(f"file:{tmp_path / 'a.mp4'}")
    assert stream.live
    assert [round(float(frame.image.mean()) / 10) for frame in stream.frames] == [1, 10, 20]
    stream.close()


def test_a_camera_that_is_not_there_is_said_so_and_a_password_is_not():
    with pytest.raises(DataError, match=r"camera 77: cannot be opened; expected a camera that no other program uses"):
        open_camera("77")
    pytest.importorskip("av", reason="needs PyAV: pip install semicoupled[video]")
    with pytest.raises(DataError, match=r"^rtsp://127\.0\.0\.1:9/x: cannot be opened as a stream") as raised:
        open_camera("rtsp://user:secret@127.0.0.1:9/x")
    assert "secret" not in str(raised.value)
    with pytest.raises(DataError, match=r"^rtsp://127\.0\.0\.1:9/x: cannot be opened as a stream") as raised:
        open_camera("rtsp://user:with@secret@127.0.0.1:9/x")  # FFmpeg takes all up to the last @
    assert "secret" not in str(raised.value)
