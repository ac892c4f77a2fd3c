"""Killed at any moment and taken up again: the same final weights, bit for bit."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_task import FakeSettings, FakeTask
from safetensors.torch import load_file

from semicoupled.training.checkpoint import load_newest
from semicoupled.training.log import read_log
from semicoupled.training.loop import fit
from semicoupled.training.settings import GoalWeights, SegmentSettings, SwitchSettings, TrainingSettings

STEPS = 42
SETTINGS = FakeSettings(
    frames=6,
    samples=7,
    dropout=0.2,  # takes from torch's own generator
    training=TrainingSettings(
        steps=STEPS,
        batch=2,
        accumulate=2,
        schedule="cosine",
        warm_up=0.1,
        learning_rate=0.01,
        weight_average=0.9,
        validate_every=5,
        checkpoint_every=3,
        log_every=4,
        tensorboard=False,
    ),
    switches=SwitchSettings("astsgd", classes=3, scope="sample", controller="learned"),
    segments=SegmentSettings(4, carry="start"),
    goals=GoalWeights(overlap=0.5),
)


def train(folder: Path, settings: FakeSettings) -> None:
    torch.set_num_threads(1)
    fit(FakeTask(), settings, folder, device="cpu")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    threads = torch.get_num_threads()
    train(folder, SETTINGS)
    torch.set_num_threads(threads)
    return folder


def check_same(folder: Path, whole: Path) -> None:
    one, two = load_file(folder / "model.safetensors"), load_file(whole / "model.safetensors")
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    logs = [[{k: v for k, v in line.items() if k != "seconds"} for line in read_log(f)] for f in (folder, whole)]
    assert logs[0] == logs[1]
    ends = [load_newest(path / "checkpoints") for path in (folder, whole)]
    assert ends[0] is not None
    assert ends[1] is not None
    check_equal(ends[0].content, ends[1].content)


def check_equal(one: Any, two: Any) -> None:
    """Compare all that a checkpoint holds, but the seconds."""
    assert type(one) is type(two)
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, two)
    elif isinstance(one, dict):
        assert one.keys() == two.keys()
        for name in one:
            if name != "elapsed":
                check_equal(one[name], two[name])
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(two)
        for left, right in zip(one, two, strict=True):
            check_equal(left, right)
    else:
        assert one == two


def wait_for(process: Any, seen: Callable[[], bool]) -> None:
    """Wait until something is seen, or the process is over."""
    begin = time.monotonic()
    while process.is_alive() and not seen() and time.monotonic() < begin + 30:
        time.sleep(0.0005)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_at_random_moments_the_weights_are_the_same(tmp_path: Path, uninterrupted: Path) -> None:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["semicoupled.training.loop", "fake_task"])  # so that a start takes no seconds
    random_moment = random.Random()
    slowed = replace(SETTINGS, pause=0.002)
    folder = tmp_path / "checkpoints"
    kills, reached = 0, set[int]()
    for how in ("step", "write", "any", "step", "write", "step", "never"):
        before = set(folder.glob("*.pt"))
        process = processes.Process(target=train, args=(tmp_path, slowed))
        process.start()
        if how == "step":  # some time after the next checkpoint
            wait_for(process, lambda then=before: bool(set(folder.glob("*.pt")) - then))
        if how == "write":  # while a checkpoint is written
            wait_for(process, lambda: any(folder.glob("*.part")))
        if how != "never":
            process.join(0.0 if how == "write" else random_moment.uniform(0.0, 0.15))
        if how != "never" and process.is_alive():
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.join(60)
        if process.exitcode == 0:
            break
        found = load_newest(folder)
        reached.add(0 if found is None else found.step)
    assert process.exitcode == 0
    assert kills >= 3
    assert len(reached - {0}) >= 2  # it was really taken up, from several places
    check_same(tmp_path, uninterrupted)


@pytest.mark.parametrize("last", [3, 15])
def test_a_damaged_checkpoint_costs_steps_and_changes_nothing(
    tmp_path: Path, uninterrupted: Path, last: int, caplog: pytest.LogCaptureFixture
) -> None:
    class PowerCutError(Exception):
        pass

    class Stopping(FakeTask):
        def goals(self, settings: FakeSettings) -> Any:
            losses, passes = super().goals(settings), []

            def counted(out: Any, batch: Any) -> Any:
                passes.append(1)
                if len(passes) > 4 * (last + 4):  # two passes of two segments a step
                    raise PowerCutError
                return losses(out, batch)

            return counted

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.raises(PowerCutError):
        fit(Stopping(), SETTINGS, tmp_path, device="cpu")
    newest = max((tmp_path / "checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:-500])
    train(tmp_path, SETTINGS)
    torch.set_num_threads(threads)
    assert "is damaged" in caplog.text
    check_same(tmp_path, uninterrupted)


def test_a_run_can_be_moved(tmp_path: Path, uninterrupted: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(uninterrupted, moved)
    result = fit(FakeTask(), SETTINGS, moved, device="cpu")
    assert result.weights == moved / "model.safetensors"
    assert result.steps == STEPS
