"""Images that several processes outline: one file, that of one process."""

from __future__ import annotations

from pathlib import Path

import pytest
from outline_samples import make_pictures
from tests.tasks.killed import WAIT, kill_one_of_two, start
from tests.tasks.outline.case import options

from semicoupled.cli.main import main


@pytest.mark.slow
def test_what_a_killed_process_had_begun_is_taken_up(tmp_path: Path) -> None:
    run, alone, out = tmp_path / "run", tmp_path / "alone.json", tmp_path / "out.json"
    settings = [*options(tmp_path), "--training.steps=1"]
    assert main(["train", "outline", *settings, "--run", str(run), "--device=cpu"]) == 0
    make_pictures(tmp_path, 40)
    line = ["predict", "outline", str(run), str(tmp_path / "images"), "--out"]
    assert start([*line, str(alone)]).wait(WAIT) == 0
    kill_one_of_two([*line, str(out)], out)
    assert out.read_bytes() == alone.read_bytes()
