"""The trainings behind ``semicoupled demo``: toys with their presets, into run folders that are taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from semicoupled.cli.options import Parser
from semicoupled.cli.task_options import presets_for, resolve_settings
from semicoupled.find_task import find_task
from semicoupled.rows import Row
from semicoupled.run_folder import open_run
from semicoupled.task_parts import TaskModel
from semicoupled.tasks.toy.evaluation import rows_of_tests
from semicoupled.tasks.toy.settings import ToySettings
from semicoupled.training.loop import fit
from semicoupled.training.progress import Progress


@dataclass(frozen=True)
class Planned:
    """A training to be made.

    Args:
        name: of its run folder.
        settings: all of them.
    """

    name: str
    settings: ToySettings


@dataclass(frozen=True)
class Finished:
    """A finished training.

    Args:
        name: of its run folder.
        settings: that it was trained with.
        folder: its run folder.
        model: trained, in eval mode.
        rows: its scores on all tests of its question.
        seconds: of training.
    """

    name: str
    settings: ToySettings
    folder: Path
    model: TaskModel
    rows: tuple[Row, ...]
    seconds: float


def toy_settings(question: str, kind: str, seed: int, options: Sequence[str] = ()) -> ToySettings:
    """Make the settings of a toy training: the presets of its question, of its kind, and of both together.

    Args:
        question: ``which_way``, ``which_shape`` or ``star``.
        kind: of the model.
        seed: of the run.
        options: more settings, ``["--training.steps=100"]``, which win.
    """
    presets = presets_for("toy", [question], kind)
    parser = Parser("demo", "", "")
    chosen = resolve_settings("toy", presets, [], [f"--seed={seed}", f"--model.kind={kind}", *options], parser)
    return cast(ToySettings, chosen)


def train_all(plan: Sequence[Planned], out: Path, *, device: str, workers: int, progress: Progress) -> list[Finished]:
    """Train and test one after the other; what is finished already is taken as it is.

    Args:
        plan: the trainings.
        out: folder of the run folders.
        device: as ``--device``.
        workers: processes that load data.
        progress: who is told how far it is.
    """
    task = find_task("toy")
    finished: list[Finished] = []
    progress.begin("demo", len(plan))
    try:
        for planned in plan:
            folder = open_run(out / planned.name, "toy", planned.settings)
            result = fit(task, planned.settings, folder.path, device=device, workers=workers, progress=progress)
            model = cast(TaskModel, result.model)
            rows = tuple(rows_of_tests(planned.settings, model, progress))
            finished.append(Finished(planned.name, planned.settings, folder.path, model, rows, result.seconds))
            progress.update(len(finished))
    finally:
        progress.end()
    return finished
