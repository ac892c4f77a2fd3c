"""Scores of angles: Eq. 24 soft and hard, squared errors, jitter, share of the variance; all from sums over parts.

A part is a stretch of time of one drive. Parts are drawn again and again for intervals, so that everything here is a
sum over the frames of a part first, and a score of sums afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from semicoupled.tasks.driving.angles import normalize

EPSILON = 1e-9
"""Of Eq. 24, in the unit of the angles; it keeps the division defined where an answer is exact."""


def soft_accuracy(error: np.ndarray, threshold: float) -> np.ndarray:
    """Give min(lambda / (|error| + epsilon), 1) of each frame (24).

    Args:
        error: answer minus label, N, any unit.
        threshold: lambda, in the same unit.
    """
    return np.minimum(threshold / (np.abs(error) + EPSILON), 1.0)


def hard_accuracy(error: np.ndarray, threshold: float) -> np.ndarray:
    """Give 1 where the error is below lambda and 0 elsewhere, as the text below Eq. 24 describes it.

    Args:
        error: answer minus label, N, any unit.
        threshold: lambda, in the same unit.
    """
    return (np.abs(error) < threshold).astype(np.float64)


class Sums(NamedTuple):
    """What is summed over the frames of a part; each ... (parts, or draws), accuracies ... L.

    Attributes:
        frames: their number.
        absolute: |error|, unit of the angles.
        square: error^2.
        normalized_square: squared error of the normalized angles.
        soft: Eq. 24, by threshold.
        hard: the hard form of it, by threshold.
        label: label minus a constant, the same for all parts.
        label_square: its square.
        steps: frames with one before them.
        speed_square: squared change of the answer since the frame before, over the time between them.
    """

    frames: np.ndarray
    absolute: np.ndarray
    square: np.ndarray
    normalized_square: np.ndarray
    soft: np.ndarray
    hard: np.ndarray
    label: np.ndarray
    label_square: np.ndarray
    steps: np.ndarray
    speed_square: np.ndarray

    def pooled(self, weights: np.ndarray) -> Sums:
        """Add parts up.

        Args:
            weights: draws x parts: how often each part counts.
        """
        return Sums(*(weights @ every for every in self))

    def scores(self) -> dict[str, np.ndarray]:
        """Give the scores; NaN where nothing is to be scored.

        Returns:
            By name, each ..., accuracies ... L:

            * ``mse``: mean squared error of the normalized angles (Table 5),
            * ``rmse``, ``mae``: in the unit of the angles,
            * ``acc_soft``, ``acc_hard``: Eq. 24,
            * ``r2``: 1 minus the squared error over that of the labels' own mean; NaN where labels do not vary,
            * ``whiteness``: root of the mean squared speed of the answer, in units a second: how much the wheel
              trembles (Fernandez 2018, arXiv:1811.05785; Tampuu et al. 2022, arXiv:2206.15170).
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = self.label_square - self.label**2 / self.frames
            varies = variance > 1e-12 * np.maximum(self.label_square, 1e-300)
            return {
                "mse": self.normalized_square / self.frames,
                "acc_soft": self.soft / self.frames[..., None],
                "acc_hard": self.hard / self.frames[..., None],
                "rmse": np.sqrt(self.square / self.frames),
                "mae": self.absolute / self.frames,
                "r2": np.where(varies, 1 - self.square / variance, np.nan),
                "whiteness": np.sqrt(self.speed_square / self.steps),
            }


class Scored(NamedTuple):
    """Frames with an answer and a label, of one or more drives one after the other; each of N.

    Attributes:
        answer: of the model, unit of the angles.
        label: raw or smoothed.
        part: index of the part that a frame lies in.
        seconds: since the frame before; NaN for the first of a drive.
        counts: whether the frame is scored.
    """

    answer: np.ndarray
    label: np.ndarray
    part: np.ndarray
    seconds: np.ndarray
    counts: np.ndarray


def sum_parts(frames: Scored, parts: int, thresholds: Sequence[float], scale: float, center: float = 0.0) -> Sums:
    """Sum over the scored frames of each part.

    Args:
        frames: what is scored.
        parts: their number.
        thresholds: lambdas of Eq. 24, in the unit of the angles.
        scale: of the normalization.
        center: is taken off the labels where their variance is made, so that it is exact for large angles.
    """
    chosen = frames.counts
    part = frames.part[chosen]
    answer, label = frames.answer[chosen], frames.label[chosen]
    error, away = answer - label, label - center

    def total(values: np.ndarray, where: np.ndarray = part) -> np.ndarray:
        return np.bincount(where, values, minlength=parts)

    def by_threshold(values: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([total(each) for each in values], axis=1) if values else np.zeros((parts, 0))

    follows = chosen[1:] & (frames.seconds[1:] > 0)
    speed = np.diff(frames.answer)[follows] / frames.seconds[1:][follows]
    where = frames.part[1:][follows]
    return Sums(
        frames=total(np.ones(len(part))),
        absolute=total(np.abs(error)),
        square=total(error**2),
        normalized_square=total((normalize(answer, scale) - normalize(label, scale)) ** 2),
        soft=by_threshold([soft_accuracy(error, threshold) for threshold in thresholds]),
        hard=by_threshold([hard_accuracy(error, threshold) for threshold in thresholds]),
        label=total(away),
        label_square=total(away**2),
        steps=total(np.ones(len(where)), where),
        speed_square=total(speed**2, where),
    )
