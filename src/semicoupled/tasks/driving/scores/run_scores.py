"""Scores of a trained run beside those who never look, as its settings say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from semicoupled.description import Description
from semicoupled.rows import Row
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.drives import Drive, Unit
from semicoupled.tasks.driving.scores.evaluation import Measures, constant, score_answers
from semicoupled.tasks.driving.settings import DrivingSettings

MEAN, STRAIGHT = "mean", "straight"
"""Baselines: always the mean of the labels that were learned from; always straight ahead. The last angle is no input of
any model here (Sec. 2.3), and so no baseline."""


def measures_of(settings: DrivingSettings, unit: Unit) -> Measures:
    """Give how answers are scored.

    Args:
        settings: of the run.
        unit: of the angles.
    """
    curve, sharp = settings.evaluation.bounds(unit)
    return Measures(
        thresholds=settings.evaluation.thresholds(unit),
        scale=settings.data.scale(unit),
        curve=curve,
        sharp=sharp,
        smoothing_seconds=settings.evaluation.smoothing_seconds,
    )


def baselines(description: Description, answers: Sequence[DriveAnswers]) -> dict[str, list[DriveAnswers]]:
    """Give the answers of those who never look.

    Args:
        description: of the training data; the mean is left out where it does not say it.
        answers: along the drives.
    """
    mean = description.get("mean_angle")
    known = {MEAN: float(mean)} if isinstance(mean, (int, float)) else {}
    return {name: constant(answers, angle) for name, angle in {**known, STRAIGHT: 0.0}.items()}


def score_run(
    settings: DrivingSettings,
    description: Description,
    drives: Sequence[Drive],
    answers: Sequence[DriveAnswers] | None,
) -> list[Row]:
    """Score a run's answers beside the baselines.

    Args:
        settings: of the run.
        description: of its training data.
        drives: what is scored.
        answers: of the model along them; None for the baselines alone.

    Raises:
        DataError: there is nothing to score.
    """
    kind = settings.model.kind
    along = [unanswered(drive) for drive in drives] if answers is None else answers
    models: Mapping[str, Sequence[DriveAnswers]] = {
        **({} if answers is None else {kind: answers}),
        **baselines(description, along),
    }
    return score_answers(models, measures_of(settings, along[0].unit), ours=[kind])


def unanswered(drive: Drive) -> DriveAnswers:
    """Give a drive that nobody has answered yet."""
    nothing = np.full(len(drive), np.nan)
    return DriveAnswers(drive.name, drive.run, drive.unit, drive.times, drive.angles, nothing, roads=drive.roads)
