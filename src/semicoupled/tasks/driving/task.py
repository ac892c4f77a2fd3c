"""Driving as a task: drives in, a steering angle for every frame out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import torch

from semicoupled.description import Description
from semicoupled.errors import DataError, SettingsError
from semicoupled.report import Section
from semicoupled.rows import Row
from semicoupled.steps import Steps
from semicoupled.task import Task
from semicoupled.task_parts import Splits, TaskModel, TaskOutput
from semicoupled.task_requests import EvaluateRequest
from semicoupled.tasks.driving.answering import answer_drive
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.checking.check import check
from semicoupled.tasks.driving.checking.describe import describe
from semicoupled.tasks.driving.data import DrivingBatch, DrivingData, label_of
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.reading import read_drives
from semicoupled.tasks.driving.goals import make_goals
from semicoupled.tasks.driving.images import SeenDrive, look_at, step_of
from semicoupled.tasks.driving.model import DrivingModel, build_network
from semicoupled.tasks.driving.operating.predictor import DrivingPredictor
from semicoupled.tasks.driving.scores.run_scores import measures_of, score_run
from semicoupled.tasks.driving.scores.sections import headline, score_sections
from semicoupled.tasks.driving.settings import DrivingSettings
from semicoupled.tasks.driving.splitting import DriveSplits, split_runs, useful_drives
from semicoupled.tasks.driving.steps import make_steps
from semicoupled.tasks.driving.validation import quick_scores
from semicoupled.training.ltsc import Segment
from semicoupled.training.objective import Losses
from semicoupled.training.progress import Progress


def read_splits(settings: DrivingSettings) -> DriveSplits:
    """Read the run's drives and part them, by run.

    Raises:
        SettingsError: no root.
        DataError: files that cannot be used, nothing left on one side, or angles of several units.
    """
    if not settings.data.root:
        raise SettingsError("data.root: expected a drive or a folder of drives, got nothing. Give --data.root DIR")
    root = Path(settings.data.root)
    drives = read_drives(root, settings.data)
    units = sorted({drive.unit for drive in drives})
    if len(units) > 1:
        raise DataError(f"{root}: angles of several units ({', '.join(units)}); expected one. Give --data.angle.unit")
    return split_runs(drives, settings.data.validation, settings.data.test, clip_length(drives, settings))


def clip_length(drives: Sequence[Drive], settings: DrivingSettings) -> int:
    """Give how many frames of a drive a clip spans."""
    longest = max(drives, key=len)
    return (settings.data.frames - 1) * step_of(longest.times, settings.data.rate) + 1


def splits(settings: DrivingSettings) -> Splits:
    """See `Task.splits`.

    Raises:
        DataError: no frame to learn from has an angle.
    """
    found = read_splits(settings)
    with_flow = bool(settings.goals.temporal) and "flow" in settings.sub_goals.temporal

    def data(drives: Sequence[Drive], *, augmented: bool) -> DrivingData:
        return DrivingData(
            look_at(drives, settings.data),
            settings.data,
            seed=settings.seed,
            warm_up=settings.sub_goals.warm_up,
            with_flow=with_flow,
            augmented=augmented,
        )

    train, validation = data(found.train, augmented=True), data(found.validation, augmented=False)
    unit = found.train[0].unit
    frame_seconds = [seen.step * float(np.median(np.diff(seen.drive.times))) for seen in train.drives if len(seen) > 1]
    description = {
        "unit": unit,
        "mean_angle": float(np.nanmean(np.concatenate([seen.drive.angles for seen in train.drives]))),
        "frame_seconds": round(float(np.median(frame_seconds)), 4) if frame_seconds else None,
        "train": [_describe(seen) for seen in train.drives],
        "validation": [_describe(seen) for seen in validation.drives],
        "test": [drive.run for drive in found.test],
    }
    if all(bool(np.isnan(label_of(seen, settings.data)).all()) for seen in train.drives):
        raise DataError(
            f"{settings.data.root}: no frame to learn from has an angle; expected labels. Look at the files"
        )
    return Splits(train, validation, description)


def _describe(seen: SeenDrive) -> dict[str, str | int]:
    return {"drive": seen.drive.name, "run": seen.drive.run, "frames": len(seen)}


def build(settings: DrivingSettings, description: Description) -> TaskModel:
    """See `Task.build`."""
    del description
    model = DrivingModel(build_network(settings.model), settings.model, settings.sub_goals, settings.goals)
    return cast(TaskModel, model.to(memory_format=torch.channels_last))  # pyright: ignore[reportCallIssue]


def goals(settings: DrivingSettings) -> Callable[[TaskOutput, DrivingBatch], Losses]:
    """See `Task.goals`."""
    return cast("Callable[[TaskOutput, DrivingBatch], Losses]", make_goals(settings.sub_goals))


def cut(batch: DrivingBatch, segment: Segment) -> DrivingBatch:
    """See `Task.cut`."""
    return DrivingBatch(*(tensor[:, segment.slice] for tensor in batch))


def validate(settings: DrivingSettings, model: TaskModel, splits: Splits, progress: Progress) -> Mapping[str, float]:
    """Give squared error and share of the variance on the validation split; the score is minus the squared error."""
    drives = cast(DrivingData, splits.validation).drives
    answers = answer_all(settings, cast(DrivingModel, model), drives, progress, main_only=True)
    found = quick_scores(answers, settings.data.scale(answers[0].unit), settings.evaluation.smoothing_seconds)
    return {"score": -found.mse, "mse": found.mse, "r2": found.r2}


def answer_all(
    settings: DrivingSettings,
    model: DrivingModel,
    drives: Sequence[SeenDrive],
    progress: Progress | None = None,
    *,
    unit: str | None = None,
    main_only: bool = False,
) -> list[DriveAnswers]:
    """Answer along several drives.

    Args:
        settings: of the run.
        model: in eval mode.
        drives: with their images.
        progress: who is told how far it is.
        unit: that the model learned; None for the drives' own.
        main_only: leave the side streams out.
    """
    if progress is not None:
        progress.begin("answering", len(drives))
    answers: list[DriveAnswers] = []
    try:
        for seen in drives:
            answers.append(
                answer_drive(
                    model,
                    seen,
                    settings.data,
                    unit=unit,
                    way=settings.evaluation.way,
                    streams=("main",) if main_only else None,
                )
            )
            if progress is not None:
                progress.update(len(answers))
    finally:
        if progress is not None:
            progress.end()
    return answers


def drives_to_score(request: EvaluateRequest[DrivingSettings]) -> list[SeenDrive]:
    """Read the drives that are to be scored, with their images.

    Other data than the run's are parted as its settings say (`data.validation`, `data.test`); all of them need not be.

    Raises:
        SettingsError: no such split, or none of the data is in it.
        DataError: files that cannot be used, no drive as long as a clip, or angles of another unit than the model
            learned.
    """
    request.check_split(("validation", "test", "train", "all"))
    data = request.settings.data
    settings = request.settings
    if request.root is not None:
        settings = replace(settings, data=replace(data, root=str(request.root)))
    if request.root is not None and request.split == "all":
        every = read_drives(request.root, data)
        drives = tuple(useful_drives(every, clip_length(every, settings)))
    else:
        found = read_splits(settings)
        drives = (
            found.train + found.validation + found.test if request.split == "all" else getattr(found, request.split)
        )
    if not drives:
        where = "this run" if request.root is None else f"{request.root}, parted as the run's settings say,"
        raise SettingsError(f"split {request.split} of {where} has no drives. Train with data.test to hold some back.")
    unit = request.description.get("unit", drives[0].unit)
    other = next((drive for drive in drives if drive.unit != unit), None)
    if other is not None:
        raise DataError(
            f"{other.source}, run {other.run}: angles are {other.unit}, the model learned {unit}. Give "
            "--data.angle.unit and a scale, or other drives"
        )
    return look_at(drives, data, request.progress)


def evaluate(request: EvaluateRequest[DrivingSettings]) -> Sequence[Row]:
    """See `Task.evaluate`; splits are ``validation``, ``test``, ``train`` and ``all``."""
    settings = request.settings
    seen = drives_to_score(request)
    answers: list[DriveAnswers] | None = None
    if request.model is not None:
        answers = answer_all(settings, cast(DrivingModel, request.model), seen, request.progress)
    return score_run(settings, request.description, [each.drive for each in seen], answers)


def predictor(settings: DrivingSettings, description: Description, model: TaskModel) -> DrivingPredictor:
    """See `Task.predictor`."""
    return DrivingPredictor(settings, description, cast(DrivingModel, model))


def steps(settings: DrivingSettings, description: Description, model: TaskModel) -> Steps:
    """See `Task.steps`."""
    return make_steps(settings, description, cast(DrivingModel, model))


def draw(settings: DrivingSettings, model: TaskModel, splits: Splits, folder: Path) -> Sequence[Section]:
    """See `Task.draw`: angle, error and importance along drives of the validation split, and its scores."""
    del folder
    seen = cast(DrivingData, splits.validation).drives
    answers = answer_all(settings, cast(DrivingModel, model), seen)
    rows = score_run(settings, splits.description, [each.drive for each in seen], answers)
    return score_sections(rows, answers, measures_of(settings, answers[0].unit), settings.model.kind)


TASK = Task(
    name="driving",
    summary="The steering angle from the driver's view, frame by frame, and how much of it is time.",
    settings=DrivingSettings,
    splits=splits,
    build=build,
    goals=goals,
    cut=cut,
    validate=validate,
    evaluate=evaluate,
    predictor=predictor,
    steps=steps,
    draw=draw,
    check=check,
    describe=describe,
    headline=headline,
)
