"""A few scores of a model during training: squared error and share of the variance on the smoothed label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from semicoupled.tasks.driving.angles import normalize
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.smoothing import smooth


class QuickScores(NamedTuple):
    """Over all frames of some drives that have a label and an answer.

    Attributes:
        count: frames.
        mse: squared error of the normalized angle, raw label.
        r2: share of the variance of the smoothed label, about its mean, that the answers explain.
        rmse: against the smoothed label, unit of the angles.
    """

    count: int  # pyright: ignore[reportIncompatibleMethodOverride]
    mse: float
    r2: float
    rmse: float


def quick_scores(drives: Sequence[DriveAnswers], scale: float, smoothing_seconds: float) -> QuickScores:
    """Score the main stream's answers.

    Args:
        drives: with their answers.
        scale: of the normalization, in the unit of the angles.
        smoothing_seconds: of the centered mean that the smoothed label is.
    """
    answers = np.concatenate([drive.main for drive in drives])
    raw = np.concatenate([drive.truth for drive in drives])
    smoothed = np.concatenate([smooth(drive.truth, drive.times, smoothing_seconds) for drive in drives])
    counts = ~(np.isnan(answers) | np.isnan(raw))
    answers, raw, smoothed = answers[counts], raw[counts], smoothed[counts]
    if not counts.any():
        return QuickScores(0, float("nan"), float("nan"), float("nan"))
    square = float(np.square(answers - smoothed).mean())
    variance = float(smoothed.var())
    return QuickScores(
        count=int(counts.sum()),
        mse=float(np.square(normalize(answers, scale) - normalize(raw, scale)).mean()),
        r2=1.0 - square / variance if variance > 0 else float("nan"),
        rmse=square**0.5,
    )
