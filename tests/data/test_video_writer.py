from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from semicoupled.data.video import probe, read_video
from semicoupled.data.video_writer import encode_video, video_writer
from semicoupled.errors import DataError, ShapeError

av = pytest.importorskip("av", reason="needs PyAV: pip install semicoupled[video]")


def gray(value: int, height: int = 33, width: int = 47) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_what_is_written_is_read(tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("semicoupled.data.video_writer._CODECS", (codec,))
    path = tmp_path / "folder" / "a.mp4"
    with video_writer(path, 20) as writer:
        for number in range(8):
            writer.write(gray(25 * number))
    frames = list(read_video(path))
    assert [frame.time for frame in frames] == pytest.approx(np.arange(8) / 20, abs=1e-4)
    assert [round(float(frame.image.mean()) / 25) for frame in frames] == list(range(8))
    assert frames[0].image.shape == (34, 48, 3), "yuv420 has even sides"
    assert probe(path).seconds == pytest.approx(0.4, abs=0.06)
    assert [file.name for file in path.parent.iterdir()] == ["a.mp4"]


def test_times_are_kept(tmp_path: Path):
    times = [0.0, 0.05, 0.11, 0.5, 0.52]
    with video_writer(tmp_path / "a.mp4", 20) as writer:
        for number, time in enumerate(times):
            writer.write(gray(40 * number), time)
        with pytest.raises(DataError, match=r"a video's times: expected more than 0\.520 s, got 0\.520 s"):
            writer.write(gray(0), 0.52)
    assert [frame.time for frame in read_video(tmp_path / "a.mp4")] == pytest.approx(times, abs=1e-3)


def test_one_image_an_hour(tmp_path: Path):
    with video_writer(tmp_path / "a.mp4", 1 / 3600) as writer:
        for number in range(3):
            writer.write(gray(40 * number))
    assert [frame.time for frame in read_video(tmp_path / "a.mp4")] == pytest.approx([0, 3600, 7200])


def test_a_video_is_there_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "a.mp4"
    path.write_text("the last one")

    def fail() -> None:
        with video_writer(path, 10) as writer:
            writer.write(gray(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "the last one"
    with pytest.raises(DataError, match="a video needs at least one image"), video_writer(path, 10):
        pass
    assert path.read_text() == "the last one"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_image_of_the_video_is_refused(tmp_path: Path):
    with video_writer(tmp_path / "a.mp4", 10) as writer:
        writer.write(gray(1))
        with pytest.raises(ShapeError, match=r"expected the size of the first, \(33, 47\), got \(20, 47\)"):
            writer.write(gray(1, height=20))
        with pytest.raises(ShapeError, match=r"expected H W 3, uint8, got \(4, 4\), float64"):
            writer.write(np.zeros((4, 4)))
    with pytest.raises(DataError, match="expected images a second above 0, got 0"), video_writer(tmp_path / "b.mp4", 0):
        pass


def test_into_memory():
    buffer = io.BytesIO()
    encode_video(buffer, [gray(10), gray(200)], 2.5)
    with av.open(io.BytesIO(buffer.getvalue())) as container:
        assert [round(float(frame.to_ndarray(format="gray").mean()), -1) for frame in container.decode(video=0)]
        assert float(container.streams.video[0].average_rate) == pytest.approx(2.5)
