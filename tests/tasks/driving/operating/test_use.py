"""Driving as it is used: files of every kind in, tables and videos out, and frame by frame with a state."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

import semicoupled
from semicoupled.cli.main import main
from semicoupled.data.video import VideoFrame, read_video
from semicoupled.data.video_writer import video_writer
from semicoupled.errors import DataError, SettingsError
from semicoupled.run_folder import LoadedRun
from semicoupled.tasks.driving.formats.reading import read_drives
from semicoupled.tasks.driving.operating.answer_table import COLUMNS, read_csv
from semicoupled.tasks.driving.operating.inputs import read_inputs
from semicoupled.tasks.driving.operating.live import LIVE_COLUMNS
from semicoupled.tasks.driving.operating.predictor import DrivingPredictor
from semicoupled.tasks.driving.operating.session import DriveSession
from semicoupled.tasks.driving.settings import DataSettings, PredictOptions

av = pytest.importorskip("av", reason="needs PyAV: pip install semicoupled[video]")


@pytest.fixture(scope="module")
def run(make_driving_run: Callable[..., Path]) -> Path:
    return make_driving_run()


@pytest.fixture(scope="module")
def loaded(run: Path) -> LoadedRun:
    return semicoupled.load(run, device="cpu")


def predictor(loaded: LoadedRun) -> DrivingPredictor:
    return loaded.task.predictor(loaded.settings, loaded.description, loaded.model)


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


@pytest.fixture
def tub(samples: ModuleType, tmp_path: Path) -> Path:
    return samples.write_tub(tmp_path / "tub", {"a": samples.make_drive(30), "b": samples.make_drive(12, seed=1)})


def write_film(path: Path, images: np.ndarray, rate: float = 20) -> Path:
    with video_writer(path, rate) as video:
        for image in images:
            video.write(image)
    return path


# a session is the same as a drive at once


@pytest.mark.parametrize("kind", ["semicoupled", "convlstm", "cnn", "cnn_lstm"])
def test_frame_by_frame_says_what_the_whole_drive_says(make_driving_run: Callable[..., Path], tub: Path, kind: str):
    loaded = semicoupled.load(make_driving_run(kind=kind), device="cpu")
    answering = predictor(loaded)
    for drive in read_drives(tub, loaded.settings.data):
        whole = answering.answer(drive)
        by_count = answering.session(every=2)
        by_time = answering.session()
        assert (by_count.packed is not None) == (kind == "semicoupled")
        for index in range(len(drive)):
            image = drive.frames.read(index)
            assert by_count.update(image).angle == pytest.approx(whole.main[index], abs=1e-5)
            assert by_time.update(image, drive.times[index]).angle == pytest.approx(whole.main[index], abs=1e-5)
        assert np.ptp(whole.main) > 1e-3


def test_all_streams_are_answered_when_they_are_asked_for(loaded: LoadedRun, tub: Path):
    answering = predictor(loaded)
    drive = read_drives(tub, loaded.settings.data)[0]
    whole, session = answering.answer(drive), answering.session(all_streams=True, every=2)
    for index in range(6):
        said = session.update(drive.frames.read(index))
        assert whole.spatial is not None
        assert whole.temporal is not None
        assert said[:3] == pytest.approx((whole.main[index], whole.spatial[index], whole.temporal[index]), abs=1e-5)
    plain = answering.session()
    assert plain.update(drive.frames.read(0)).temporal is None


def test_a_gap_begins_anew_and_a_slow_camera_does_not(loaded: LoadedRun, samples: ModuleType):
    answering = predictor(loaded)
    images = samples.make_drive(6).frames
    session, fresh = answering.session(), answering.session()
    for index in range(3):
        session.update(images[index], index / 10)
    other = session.update(images[3], 0.3).angle
    session.update(images[4], 9.0)
    assert session.update(images[5], 9.1).angle == pytest.approx(_after(fresh, images[4:6], 0.1), abs=1e-6)
    slow = answering.session()
    said = [slow.update(images[index], float(index)).angle for index in range(4)]
    assert said[0] != said[3]
    first = answering.session().update(images[3], 0.0).angle
    assert other != pytest.approx(first, abs=1e-6), "the state must matter, or this test says nothing"


def _after(session: DriveSession, images: np.ndarray, interval: float) -> float:
    return [session.update(image, index * interval).angle for index, image in enumerate(images)][-1]


def test_a_session_keeps_no_more_after_many_frames(loaded: LoadedRun, samples: ModuleType):
    images = samples.make_drive(8).frames
    session = predictor(loaded).session()
    for index in range(100):
        session.update(images[index % 8], index / 30)
    tracemalloc.start()
    before = _bytes_kept(session)
    for index in range(100, 400):
        session.update(images[index % 8], index / 30)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert _bytes_kept(session) == before
    assert grown < 100_000


def _bytes_kept(session: DriveSession) -> int:
    return sum(cell.gate.untyped_storage().nbytes() for kept in session._kept for cell in kept.state.main)


def test_what_is_no_frame_is_refused(loaded: LoadedRun):
    session = predictor(loaded).session()
    with pytest.raises(DataError, match=r"a frame: expected H W 3, uint8, RGB, got \(4, 4\), float64"):
        session.update(np.zeros((4, 4)))


# files in, files out


def test_a_tub_becomes_a_table_and_a_video(run: Path, tub: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    table, film = tmp_path / "a.csv", tmp_path / "a.mp4"
    assert main(["predict", "driving", str(run), str(tub), "--out", str(table), "--out", str(film)]) == 0
    assert capsys.readouterr().out.split() == [str(table), str(film)]
    rows = rows_of(table)
    assert tuple(rows[0]) == COLUMNS
    assert [row["drive"] for row in rows] == ["a"] * 30 + ["b"] * 12
    assert float(rows[7]["truth"]) == pytest.approx(0, abs=1)
    frames = list(read_video(film))
    assert len(frames) == 42
    assert frames[29].time == pytest.approx(29 / 20, abs=2e-3)
    assert frames[30].time == pytest.approx(29 / 20 + 0.5, abs=2e-3)
    assert set(read_csv(table)) == {"a", "b"}
    assert read_csv(table)["b"].angles[3] == pytest.approx(float(rows[33]["angle"]))


def test_the_wheel_is_drawn_where_the_table_says(loaded: LoadedRun, samples: ModuleType, tmp_path: Path):
    from semicoupled.tasks.driving.operating.wheel import MAIN, SPACE, Moment, Renderer

    view = np.full((120, 160, 3), 90, np.uint8)

    def mark(angle: float) -> float:
        image = Renderer("normalized").draw(view, Moment(0.0, angle))
        red = (np.abs(image.astype(int) - SPACE).sum(-1) < 40) & (np.arange(image.shape[0]) < 300)[:, None].repeat(
            480, 1
        )
        blue = (np.abs(image.astype(int) - MAIN).sum(-1) < 40)[:, :140]
        return float(np.argwhere(red)[:, 1].mean() - np.argwhere(blue)[:, 1].mean())

    assert mark(0.6) > 10 > -10 > mark(-0.6)
    assert abs(mark(0.0)) < 4
    drawn = Renderer("degrees", "importance")
    pictures = [drawn.draw(view, Moment(t / 10, float("nan"), importance=np.sin(t))) for t in range(200)]
    assert len({picture.shape for picture in pictures}) == 1
    assert len(drawn._past) <= 102, "traces keep ten seconds"


def test_a_video_and_its_frames_in_a_folder_get_the_same_angles(run: Path, samples: ModuleType, tmp_path: Path):
    film = write_film(tmp_path / "drive.mp4", samples.make_drive(24).frames)
    folder = tmp_path / "drive"
    folder.mkdir()
    for index, frame in enumerate(read_video(film)):
        cv2.imwrite(str(folder / f"{index}.png"), frame.image[..., ::-1])  # 2.png comes before 10.png
    out = tmp_path / "film.csv", tmp_path / "folder.csv"
    assert main(["predict", "driving", str(run), str(film), "--out", str(out[0])]) == 0
    assert main(["predict", "driving", str(run), str(folder), "--rate=20", "--out", str(out[1])]) == 0
    assert out[0].read_text() == out[1].read_text()
    rows = rows_of(out[0])
    assert len(rows) == 24
    assert rows[3]["truth"] == ""
    assert rows[3]["drive"] == "drive"
    assert main(["predict", "driving", str(run), str(film), str(folder), "--rate=20", "--out", str(out[0])]) == 0
    assert len(rows_of(out[0])) == 48


def test_a_folder_of_images_has_no_times_of_its_own(samples: ModuleType, tmp_path: Path):
    for index in range(3):
        samples.write_image(tmp_path / "now" / f"{index}.jpg", samples.make_drive(1).frames[0])
    with pytest.raises(DataError, match=r"now: 3 images without times; .* Give --rate N"):
        read_inputs([tmp_path / "now"], DataSettings(), "degrees")
    drive = read_inputs([tmp_path / "now"], DataSettings(), "degrees", 2.0)[0]
    assert drive.times.tolist() == [0.0, 0.5, 1.0]
    assert len(read_inputs([tmp_path / "now" / "1.jpg"], DataSettings(), "degrees")) == 1
    with pytest.raises(DataError, match="nothing to predict from"):
        read_inputs([], DataSettings(), "degrees")
    with pytest.raises(DataError, match="no such file or folder"):
        read_inputs([tmp_path / "nowhere"], DataSettings(), "degrees")


def test_a_slow_video_is_no_row_of_gaps_and_a_folder_of_videos_is_many_drives(samples: ModuleType, tmp_path: Path):
    images = samples.make_drive(5).frames
    write_film(tmp_path / "slow.mp4", images, rate=1)
    write_film(tmp_path / "other.mp4", images)
    drives = read_inputs([tmp_path], DataSettings(), "degrees")
    assert [(drive.name, len(drive)) for drive in drives] == [("other", 5), ("slow", 5)]
    assert drives[0].unit == "degrees"


def test_a_frame_that_cannot_be_read_is_left_out_if_asked(run: Path, samples: ModuleType, tmp_path: Path):
    tub = samples.write_tub(tmp_path / "tub", {"a": samples.make_drive(30)})
    sorted((tub / "images").iterdir())[9].write_bytes(b"")
    out = tmp_path / "a.csv"
    assert main(["predict", "driving", str(run), str(tub), "--out", str(out)]) == 3
    assert not out.exists()
    film = tmp_path / "a.mp4"
    asked = ["predict", "driving", str(run), str(tub), "--on-error=skip", "--out", str(out), "--out", str(film)]
    assert main(asked) == 0
    assert sum(row["angle"] == "" for row in rows_of(out)) == 1
    for file in sorted((tub / "images").iterdir())[10:14]:
        file.write_bytes(b"")
    assert main(asked) == 3


def test_what_it_cannot_write_is_said_first(loaded: LoadedRun, tub: Path, tmp_path: Path):
    with pytest.raises(SettingsError, match=r"expected a file that ends with \.csv or \.mp4"):
        loaded.predict(tub, tmp_path / "a.txt")
    with pytest.raises(SettingsError, match="expected each file once"):
        loaded.predict(tub, [tmp_path / "a.csv", tmp_path / "a.csv"])


# live


class Pipe:
    """Standard input that gives a little at a time, as a pipe does."""

    def __init__(self, content: bytes) -> None:
        self.buffer = self
        self._rest = content

    def read(self, count: int = -1) -> bytes:
        taken = self._rest[: min(count, 1000)]
        self._rest = self._rest[len(taken) :]
        return taken


def through(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", Pipe(content))


def test_raw_frames_through_a_pipe_get_the_angles_of_the_drive(
    run: Path, samples: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loaded: LoadedRun
):
    made = samples.make_drive(20)
    through(monkeypatch, made.frames.tobytes())
    out, film = tmp_path / "a.csv", tmp_path / "a.mp4"
    height, width = made.frames.shape[1:3]
    asked = [f"--stdin={width}x{height}", "--rate=20", "--out", str(out), "--out", str(film), "--streams=all"]
    assert main(["predict", "driving", str(run), *asked]) == 0
    rows = rows_of(out)
    assert tuple(rows[0]) == LIVE_COLUMNS
    assert len(rows) == 20
    assert all(0 < float(row["milliseconds"]) < 5000 for row in rows)
    session = predictor(loaded).session(every=2)
    expected = [session.update(image).angle for image in made.frames]
    assert [float(row["angle"]) for row in rows] == pytest.approx(expected, abs=2e-5)
    assert len(list(read_video(film))) == 20


def test_jpegs_through_a_pipe(run: Path, samples: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    jpegs = [cv2.imencode(".jpg", image[..., ::-1])[1].tobytes() for image in samples.make_drive(7).frames]
    through(monkeypatch, b"".join(jpegs))
    out = tmp_path / "a.csv"
    asked = ["predict", "driving", str(run), "--stdin=mjpeg", "--rate=10", "--out", str(out)]
    assert main([*asked, "--frames=5"]) == 0
    assert len(rows_of(out)) == 5
    through(monkeypatch, b"".join(jpegs)[:-10])
    assert main(asked) == 3
    assert len(rows_of(out)) == 6, "what was answered stays"


def test_a_pipe_that_ends_within_a_frame_keeps_what_was_answered(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    through(monkeypatch, bytes(32 * 24 * 3 * 2 + 100))
    out = tmp_path / "a.csv"
    assert main(["predict", "driving", str(run), "--stdin=32x24", "--rate=10", "--out", str(out)]) == 3
    assert "ends within frame 2, after 100 of its 2304 bytes" in capsys.readouterr().err.replace("\n", " ")
    assert len(rows_of(out)) == 2
    through(monkeypatch, b"")
    assert main(["predict", "driving", str(run), "--stdin=32x24", "--out", str(out)]) == 3
    assert "gave no frame" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="a camera's file is opened by its path")
def test_a_camera_is_followed_and_ends_when_it_ends(
    run: Path, samples: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    images = samples.make_drive(6).frames

    class Camera:
        def __init__(self, number: int) -> None:
            assert number == 3
            self.left = list(images)

        def isOpened(self) -> bool:  # noqa: N802
            return True

        def set(self, *_: object) -> bool:
            return True

        def read(self) -> tuple[bool, np.ndarray | None]:
            return (True, self.left.pop(0)) if self.left else (False, None)

        def release(self) -> None:
            released.append(True)

    released: list[bool] = []
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    out = tmp_path / "a.csv"
    assert main(["predict", "driving", str(run), "--camera=3", "--late=keep", "--out", str(out)]) == 0
    assert len(rows_of(out)) == 6
    assert released
    assert main(["predict", "driving", str(run), "--camera=3", "--out", str(out)]) == 0
    rows = rows_of(out)
    assert 1 <= len(rows) <= 6
    assert len(rows) + int(rows[-1]["dropped"]) <= 6


def test_ctrl_c_ends_it_and_what_was_written_is_whole(loaded: LoadedRun, samples: ModuleType, tmp_path: Path):
    from semicoupled.data.live import Source
    from semicoupled.tasks.driving.operating.live import drive_live
    from semicoupled.training.progress import NoProgress

    closed: list[bool] = []

    def frames() -> Iterator[VideoFrame]:
        for index, image in enumerate(samples.make_drive(4).frames):
            yield VideoFrame(index / 10, image)
        raise KeyboardInterrupt

    source = Source("made", frames(), lambda: closed.append(True), live=False)
    outs = [tmp_path / "a.csv", tmp_path / "a.mp4"]
    done = drive_live(
        source, predictor(loaded).session(), outs, PredictOptions(stdin="1x1"), NoProgress(), lambda: False
    )
    assert (done.frames, done.dropped, closed) == (4, 0, [True])
    assert len(rows_of(outs[0])) == 4
    assert len(list(read_video(outs[1]))) == 4


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal")
def test_ctrl_c_in_a_terminal_ends_a_pipe_that_waits(run: Path, samples: ModuleType, tmp_path: Path):
    made, out = samples.make_drive(5), tmp_path / "a.csv"
    height, width = made.frames.shape[1:3]
    command = [sys.executable, "-m", "semicoupled", "predict", "driving", str(run), f"--stdin={width}x{height}"]
    process = subprocess.Popen(
        [*command, "--rate=20", "--out", str(out)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # ignored where the tests run in the background
    )
    assert process.stdin is not None
    process.stdin.write(made.frames.tobytes())
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while (not out.exists() or len(rows_of(out)) < 5) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    process.stdin.close()
    assert len(rows_of(out)) == 5


def test_options_that_do_not_go_together_are_refused(run: Path, tmp_path: Path, loaded: LoadedRun):
    for options, message in [
        ({"camera": "0", "stdin": "mjpeg"}, "expected one of them"),
        ({"frames": 3}, "--frames: is of use with --camera or --stdin alone"),
        ({"camera": "0", "rate": 3.0}, "a camera's frames have the times"),
        ({"rate": 0.0}, "--rate: expected frames a second above 0"),
        ({"stdin": "mjpeg", "frames": 0}, "--frames: expected at least 1"),
    ]:
        with pytest.raises(SettingsError, match=message):
            PredictOptions(**options)
    with pytest.raises(SettingsError, match="no inputs are read"):
        loaded.predict(tmp_path, tmp_path / "a.csv", stdin="3x3")
    with pytest.raises(SettingsError, match="expected WIDTHxHEIGHT of raw RGB frames"):
        loaded.predict([], tmp_path / "a.csv", stdin="big")
