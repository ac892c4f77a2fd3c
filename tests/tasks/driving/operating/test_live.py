"""Driving as frames come: through a pipe, from a camera, until somebody ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from tests.tasks.driving.operating.using import predictor, rows_of

from semicoupled.cli.main import main
from semicoupled.data.video import VideoFrame, read_video
from semicoupled.errors import SettingsError
from semicoupled.run_folder import LoadedRun
from semicoupled.tasks.driving.operating.live import LIVE_COLUMNS
from semicoupled.tasks.driving.settings import PredictOptions

pytest.importorskip("av", reason="needs PyAV: pip install semicoupled[video]")


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
