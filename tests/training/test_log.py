from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from semicoupled.training.log import FILE, RunLog, read_log


def write(folder: Path, first: int, steps: range) -> None:
    log = RunLog(folder, first, tensorboard=False)
    for step in steps:
        log.write("training", step, step / 2, {"main_loss": 1.0 / step})
    log.close()


def test_a_line_a_record(tmp_path: Path) -> None:
    write(tmp_path, 0, range(1, 4))
    assert read_log(tmp_path)[1] == {"kind": "training", "step": 2, "seconds": 1.0, "main_loss": 0.5}
    assert len((tmp_path / FILE).read_text().splitlines()) == 3


def test_steps_that_are_made_again_are_logged_once(tmp_path: Path) -> None:
    write(tmp_path, 0, range(1, 8))
    with (tmp_path / FILE).open("a") as file:
        file.write('{"kind": "training", "st')  # killed here
    assert [line["step"] for line in read_log(tmp_path)] == list(range(1, 8))
    write(tmp_path, 4, range(5, 10))
    assert [line["step"] for line in read_log(tmp_path)] == list(range(1, 10))
    write(tmp_path, 0, range(1, 3))
    assert [line["step"] for line in read_log(tmp_path)] == [1, 2]


def test_what_is_no_number_is_null(tmp_path: Path) -> None:
    log = RunLog(tmp_path, 0, tensorboard=False)
    log.write("validation", 1, 0.0, {"score": math.nan, "other": math.inf})
    log.close()
    assert json.loads((tmp_path / FILE).read_text())["score"] is None
    assert read_log(tmp_path / "nothing") == []


def test_tensorboard_gets_the_same_numbers(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = RunLog(tmp_path, 0)
    log.write("training", 3, 0.0, {"main_loss": 0.25})
    log.close()
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    (event,) = events.Scalars("training/main_loss")
    assert (event.step, event.value) == (3, 0.25)
