"""A task in a folder of one's own is found, and the commands work on it: the example of the tutorial."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from semicoupled.cli.main import main
from semicoupled.find_task import task_folders
from semicoupled.rows import read_rows

EXAMPLES = Path(__file__).parents[1] / "examples" / "tasks"


@pytest.fixture
def gauge(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put the example beside the package's tasks, and give a folder of its clips."""
    tasks = importlib.import_module("semicoupled.tasks")
    monkeypatch.setattr(tasks, "__path__", [*tasks.__path__, str(EXAMPLES)])
    spec = importlib.util.spec_from_file_location("gauge_case", EXAMPLES / "gauge" / "case.py")
    assert spec is not None
    assert spec.loader is not None
    case = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(case)
    return case.make_clips(tmp_path / "clips", ["a", "b", "c", "held_d"])


def test_folders_that_the_environment_names_hold_tasks(tmp_path: Path) -> None:
    code = "from semicoupled.find_task import task_folders; print(task_folders()['gauge'], 'toy' in task_folders())"
    environment = {**os.environ, "SEMICOUPLED_TASKS": os.pathsep.join([str(tmp_path / "none"), str(EXAMPLES)])}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert result.stdout.split() == [str(EXAMPLES / "gauge"), "True"]
    assert "gauge" not in task_folders()


def test_the_commands_work_on_the_example(gauge: Path, tmp_path: Path) -> None:
    run, scores = str(tmp_path / "run"), tmp_path / "scores.json"
    train = ["train", "gauge", f"--data.root={gauge}", "--training.steps=40", "--training.batch=2", "--run", run]
    assert main([*train, "--device=cpu"]) == 0
    assert main(["evaluate", "gauge", run, "--device=cpu", "--json", str(scores)]) == 0
    ours, mean = read_rows(scores).rows
    assert (ours.model, mean.model) == ("semicoupled", "mean")
    assert ours.value < mean.value
    out = tmp_path / "values.json"
    assert main(["predict", "gauge", run, str(gauge / "held_d.npz"), "--out", str(out), "--device=cpu"]) == 0
    assert len(json.loads(out.read_text(encoding="utf-8"))["held_d.npz"]) == 16
    assert main(["explain", "importance", run, "--samples=1", "--device=cpu"]) == 0


@pytest.mark.parametrize(
    ("frames", "value", "said"),
    [
        (None, None, "expected an .npz file with frames"),
        ((4, 3), 4, r"expected frames T H W and value T, got \(4, 3\)"),
    ],
)
def test_what_is_no_clip_is_named(
    gauge: Path,
    tmp_path: Path,
    frames: tuple[int, ...] | None,
    value: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import numpy as np

    if frames is None:
        (gauge / "b.npz").write_bytes(b"broken")
    else:
        np.savez(gauge / "b.npz", frames=np.zeros(frames, np.uint8), value=np.zeros(value))
    assert main(["train", "gauge", f"--data.root={gauge}", "--run", str(tmp_path / "run"), "--device=cpu"]) == 3
    error = capsys.readouterr().err
    assert "b.npz" in error
    assert importlib.import_module("re").search(said, " ".join(error.split()))


@pytest.mark.slow
def test_the_contract_holds_for_the_example() -> None:
    contract = str(Path(__file__).parent / "tasks" / "test_contract.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", contract, "-k", "gauge"]
    environment = {**os.environ, "SEMICOUPLED_TASKS": str(EXAMPLES)}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stdout
    assert "passed" in result.stdout
