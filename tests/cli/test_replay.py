from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from semicoupled.cli.main import main
from semicoupled.errors import DataError
from semicoupled.tasks.driving.operating import replay as replay_module
from semicoupled.tasks.driving.operating.answer_table import read_csv


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "drive").mkdir()
    for index in range(20):
        cv2.imwrite(str(tmp_path / "drive" / f"{index}.png"), rng.integers(0, 255, (24, 32, 3), np.uint8))
    return tmp_path / "drive"


@pytest.fixture
def stored(folder: Path, make_driving_run: Callable[..., Path], tmp_path: Path) -> tuple[Path, Path]:
    """A run, and what it said."""
    run, answers = make_driving_run(), tmp_path / "stored.csv"
    assert main(["predict", "driving", str(run), str(folder), "--rate=20", "--out", str(answers)]) == 0
    return run, answers


def replay(run: Path, folder: Path, answers: Path, *options: str) -> int:
    return main(["replay", "driving", str(run), str(folder), "--rate=20", f"--against={answers}", *options])


def change(answers: Path, line: int, angle: str) -> None:
    rows = list(csv.reader(io.StringIO(answers.read_text())))
    rows[line][3] = angle
    answers.write_text("\n".join(",".join(row) for row in rows) + "\n")


def test_the_same_model_says_the_same_in_time(
    stored: tuple[Path, Path], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run, answers = stored
    for options in ((), ("--unpacked",), ("--budget=5000", f"--json={tmp_path / 'r.json'}")):
        assert replay(run, folder, answers, *options) == 0
    assert "1 drives, 20 frames: good" in capsys.readouterr().out
    result = json.loads((tmp_path / "r.json").read_text())
    assert result["good"]
    assert result["drives"][0]["frames"] == 20
    assert 0 < result["drives"][0]["mean"] <= result["drives"][0]["slowest"]


def test_another_answer_is_found_and_named(stored: tuple[Path, Path], folder: Path, capsys: pytest.CaptureFixture[str]):
    run, answers = stored
    before = read_csv(answers)["drive"].angles[6]
    change(answers, 7, f"{before + 0.01:.5f}")
    assert replay(run, folder, answers) == 1
    shown = capsys.readouterr().out
    assert "DIFFERS" in shown
    assert "0.01" in shown
    assert "│ 6 " in shown or " 6 │" in shown
    assert "1 FAILED" in shown
    assert replay(run, folder, answers, "--tolerance=0.02") == 0
    change(answers, 7, "")
    assert replay(run, folder, answers, "--tolerance=0.02") == 1
    assert "no answer" in capsys.readouterr().out


def test_a_model_that_is_too_slow_fails(stored: tuple[Path, Path], folder: Path, capsys: pytest.CaptureFixture[str]):
    run, answers = stored
    assert replay(run, folder, answers, "--budget=0.0001") == 1
    shown = capsys.readouterr().out
    assert "LATE" in shown
    assert "DIFFERS" not in shown


def test_another_model_differs(stored: tuple[Path, Path], folder: Path, make_driving_run: Callable[..., Path]):
    _, answers = stored
    assert replay(make_driving_run(widths=(6, 4)), folder, answers) == 1


def test_other_drives_are_refused(
    stored: tuple[Path, Path], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run, answers = stored
    (folder / "19.png").unlink()
    assert replay(run, folder, answers) == 3
    assert "has 19 frames, and 20 stored answers" in capsys.readouterr().err.replace("\n", " ")
    folder.rename(tmp_path / "other")
    assert replay(run, tmp_path / "other", answers) == 3
    assert "the stored answers are of drives drive; got other" in capsys.readouterr().err.replace("\n", " ")
    assert replay_module.TOLERANCE < 0.01


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "has no column angle, drive, frame, time"),
        ("drive,frame,time,angle\n", "holds no answers"),
        ("drive,frame,time,angle\nd,0,0,x\n", "line 2: expected numbers"),
        ("drive,frame,time,angle\nd,1,0,0\n", "line 2: is frame 1 of drive 'd'; expected 0"),
    ],
)
def test_a_table_that_is_none_is_said_so(tmp_path: Path, text: str, message: str):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_csv(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_csv(tmp_path / "none.csv")


def test_what_cannot_be_replayed_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["replay", "nowcasting", "r", "i", "--against=f"]) == 2
    assert "cannot replay task 'nowcasting'" in capsys.readouterr().err
    assert main(["replay", "driving", "r", "i", "--against=f", "--budget=-1"]) == 2
    assert "is no number above 0" in capsys.readouterr().err
