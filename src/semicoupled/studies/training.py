"""The trainings of a study: each in its run folder, with what it took, and none begun again that has ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from semicoupled.errors import RunError
from semicoupled.files import write_text
from semicoupled.find_task import find_task
from semicoupled.rows import Condition, Row
from semicoupled.run_folder import LoadedRun, load, open_run
from semicoupled.studies.request import StudyRequest
from semicoupled.studies.trials import Trial, begins_with, run_trials
from semicoupled.training.progress import Progress

Part = TypeVar("Part")

TRAINED = "trained.json"
"""In a run folder: that the training has come to its end, and what it took."""


class Trained(NamedTuple):
    """What a training took.

    Attributes:
        steps: optimizer steps.
        seconds: on the clock of the time budget: the wall's, or the CPU's.
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
        result = fit(
            find_task(task),
            trial.settings,
            trial.path,
            device=device,
            workers=workers,
            progress=progress,
            init=begins_with(trial),
        )
        parameters = sum(parameter.numel() for parameter in result.model.parameters())
        trained = Trained(result.steps, result.seconds, result.kept_step, parameters)
        write_text(trial.path / TRAINED, json.dumps(trained._asdict(), indent=1) + "\n")
    return read_trained(trial.path)


def read_trained(run: Path) -> Trained:
    """Read what the training of a run folder took.

    Raises:
        RunError: the file is missing or broken.
    """
    file = run / TRAINED
    try:
        return Trained(**json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise RunError(f"{file}: cannot be read ({error}); expected what the training took. Train again") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise RunError(f"{file}: is broken ({error}). Remove it; the training is looked at again") from error


def train_all(
    task: str,
    title: str,
    trials: Sequence[Trial],
    finish: Callable[[Trial, LoadedRun], None],
    is_finished: Callable[[Trial], bool],
    *,
    device: str = "auto",
    workers: int = 0,
    progress: Progress | None = None,
) -> dict[Path, Trained]:
    """Train all trials of a study and ask each what the study wants to know; what is there already is not done again.

    Args:
        task: the task's name.
        title: what is run.
        trials: in this order.
        finish: asks a trained run, and keeps what it answers.
        is_finished: whether the answers of a trial are there.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        workers: processes that load data.
        progress: who is told how far it is.

    Returns:
        What each training took, by run folder.

    Raises:
        RunError: a run folder was begun with other settings.
    """

    def run(trial: Trial) -> None:
        _ = train(task, trial, device, workers, progress)
        finish(trial, load(trial.path, device, task))

    def is_done(trial: Trial) -> bool:
        _ = open_run(trial.path, task, trial.settings) if trial.path.exists() else None  # refuses other settings
        return (trial.path / TRAINED).exists() and is_finished(trial)

    run_trials(title, trials, run, is_done, progress)
    return {trial.path: read_trained(trial.path) for trial in trials}


def train_and_ask(
    request: StudyRequest,
    task: str,
    title: str,
    trials: Sequence[Trial],
    parts: Sequence[Part],
    ask: Callable[[Path, Part, LoadedRun], object],
    is_known: Callable[[Path, Part], bool],
) -> dict[Path, Trained]:
    """Train all trials of a study and put each to all parts of what is scored; nothing is done twice.

    Args:
        request: where it runs, and who is told how far it is.
        task: the task's name.
        title: what is run.
        trials: in this order.
        parts: what is scored, a split or a place each.
        ask: puts a trained run to a part, and keeps what it answers in the run folder.
        is_known: whether a run folder has the answers for a part.

    Returns:
        What each training took, by run folder.

    Raises:
        RunError: a run folder was begun with other settings.
    """

    def finish(trial: Trial, run: LoadedRun) -> None:
        for part in parts:
            _ = ask(trial.path, part, run)

    return train_all(
        task,
        title,
        trials,
        finish,
        lambda trial: all(is_known(trial.path, part) for part in parts),
        device=request.device,
        workers=request.workers,
        progress=request.progress,
    )


def took_rows(trial: Trial, model: str, took: Trained) -> list[Row]:
    """Give rows of what a training took: ``parameters``, ``steps`` and ``training_seconds``.

    Args:
        trial: the training.
        model: what rows call it.
        took: what it took.
    """
    about: dict[str, Condition] = {"variant": trial.variant.name, "seed": trial.seed}
    return [
        Row(model, "parameters", about, took.parameters, 1),
        Row(model, "steps", about, took.steps, 1),
        Row(model, "training_seconds", about, took.seconds, 1, "s"),
    ]
