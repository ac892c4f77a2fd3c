"""What is killed: training, evaluation and prediction of every task on tiny made data."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from semicoupled.find_task import task_folders

HERE = Path(__file__).parent
TASKS = tuple(sorted(task_folders()))
KINDS = ("train", "evaluate", "predict")
TRAINING = (
    "--training.steps=6",
    "--training.validate_every=2",
    "--training.checkpoint_every=1",
    "--training.log_every=2",
    "--training.precision=float32",
    "--training.tensorboard=false",
)


class Command(NamedTuple):
    """A command whose end can be compared.

    Attributes:
        name: of the task and of the kind.
        make: gives the arguments that write into a folder.
    """

    name: str
    make: Callable[[Path], Sequence[str]]


def case_of(task: str) -> ModuleType:
    """Import the task's case of the contract test."""
    file = HERE.parent / "tasks" / task / "case.py"
    spec = importlib.util.spec_from_file_location(f"fire_case_{task}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def training(task: str, data: Path) -> Command:
    """Give the training of a task; its data are made in the folder."""
    options = [*case_of(task).options(data), *TRAINING]
    return Command(f"{task} train", lambda out: ["train", task, "--device=cpu", "--run", str(out / "run"), *options])


def evaluation(task: str, run: Path) -> Command:
    """Give the evaluation of a run."""
    return Command(
        f"{task} evaluate",
        lambda out: ["evaluate", task, str(run), "--device=cpu", "--json", str(out / "scores.json")],
    )


def prediction(task: str, run: Path, data: Path) -> Command:
    """Give a prediction with a run; its inputs are made in the folder."""
    case = case_of(task)
    inputs = case.inputs(data)
    if task == "action":  # several, so that there is something to take up
        for seed in range(1, 4):
            inputs.append(case._samples().write_video(data / f"clip{seed}.mp4", frames=8 + seed, seed=seed))
    more = {"driving": ["angles.mp4"]}.get(task, [])

    def make(out: Path) -> list[str]:
        outs = [word for name in (case.OUT, *more) for word in ("--out", str(out / name))]
        return ["predict", task, str(run), *map(str, inputs), *outs, "--device=cpu"]

    return Command(f"{task} predict", make)
