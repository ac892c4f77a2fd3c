"""What is killed: training, evaluation and prediction of every task on tiny made data, a watch, and other outputs."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from fire_process import run

from semicoupled.find_task import task_folders

HERE = Path(__file__).parent
TASKS = tuple(sorted(task_folders()))
_KINDS = ("train", "evaluate", "predict")
_MORE = {"nowcasting": ("watch",), "outline": ("masks",), "action": ("annotate",)}
TRAINING = (
    "--training.steps=4",
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


def kinds_of(task: str) -> tuple[str, ...]:
    """Say what is done with a task: three things with each, and with some one more, which writes in another way."""
    return (*_KINDS, *_MORE.get(task, ()))


def prediction(task: str, kind: str, run_folder: Path, data: Path) -> Command:
    """Give a prediction with a run; its inputs are made in the folder."""
    case = case_of(task)
    if kind == "watch":
        return _watch(run_folder, data, case.inputs(data)[0])
    inputs = case.inputs(data)
    if task == "action":  # several, so that there is something to take up
        for seed in range(1, 4):
            inputs.append(case._samples().write_video(data / f"clip{seed}.mp4", frames=8 + seed, seed=seed))
    if task == "outline":
        pictures = case._makers().make_pictures(data / "now", 3)
        inputs = [data / "now" / picture.file for picture in pictures]

    def make(out: Path) -> list[str]:
        ways = {
            "nowcasting predict": ["--lead=10", "--out", str(out / case.OUT)],  # two steps: every one is a picture, too
            "driving predict": ["--out", str(out / case.OUT), "--out", str(out / "angles.mp4")],
            "outline masks": ["--format=masks", "--out", str(out / "masks"), "--pictures", str(out / "pictures")],
            "action annotate": ["--out", str(out / case.OUT), "--annotate", str(out / "videos")],
        }
        given = ways.get(f"{task} {kind}", ["--out", str(out / case.OUT)])
        return ["predict", task, str(run_folder), *map(str, inputs), *given, "--device=cpu"]

    return Command(f"{task} {kind}", make)


def _watch(run_folder: Path, data: Path, comes: Path) -> Command:
    """Give a watch that has looked once, when there were two frames, and finds two more."""
    files = sorted(comes.iterdir())
    before, state = data / "before", "watch.safetensors"
    folder = data / "watched"
    for place in (before, folder):
        place.mkdir()
    for file in files[:2]:
        shutil.copy2(file, folder)

    def look(out: Path) -> list[str]:
        given = ["--out", str(out / "{time}.nc"), "--state", str(out / state), "--status", str(out / "status.json")]
        how = ["--watch", str(folder), "--once", "--allow-missing=2", "--lead=10", "--device=cpu"]
        return ["predict", "nowcasting", str(run_folder), *how, *given]

    ended = run(look(before), before)
    assert ended.code == 0, ended.said
    for file in files[2:]:
        shutil.copy2(file, folder)

    def make(out: Path) -> list[str]:
        if not (out / state).exists():
            shutil.copy2(before / state, out / state)
        return look(out)

    return Command("nowcasting watch", make)
