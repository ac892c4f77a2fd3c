"""The trainings of a study: each in its run folder, with what it took, and none begun again that has ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from semicoupled.files import write_text
from semicoupled.run_folder import open_run
from semicoupled.studies import Trial
from semicoupled.task import find_task
from semicoupled.training.progress import Progress

TRAINED = "trained.json"
"""In a run folder: that the training has come to its end, and what it took."""


class Trained(NamedTuple):
    """What a training took.

    Attributes:
        steps: optimizer steps.
        seconds: of wall time.
        kept_step: the step whose weights were kept.
        parameters: numbers that were learned.
    """

    steps: int
    seconds: float
    kept_step: int
    parameters: int


def train(task: str, trial: Trial, device: str = "auto", workers: int = 0, progress: Progress | None = None) -> Trained:
    """Train a variant, or take its training up where it was left; a finished one is not begun again.

    Args:
        task: the task's name.
        trial: what is trained, and where.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        workers: processes that load data.
        progress: who is told how far it is.

    Raises:
        RunError: the run folder was begun with other settings.
    """
    from semicoupled.training.loop import fit

    _ = open_run(trial.path, task, trial.settings)
    if not (trial.path / TRAINED).exists():
        result = fit(find_task(task), trial.settings, trial.path, device=device, workers=workers, progress=progress)
        parameters = sum(parameter.numel() for parameter in result.model.parameters())
        trained = Trained(result.steps, result.seconds, result.kept_step, parameters)
        write_text(trial.path / TRAINED, json.dumps(trained._asdict(), indent=1) + "\n")
    return read_trained(trial.path)


def read_trained(run: Path) -> Trained:
    """Read what the training of a run folder took."""
    return Trained(**json.loads((run / TRAINED).read_text(encoding="utf-8")))
