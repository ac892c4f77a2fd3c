"""The toys' scores, with intervals."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from semicoupled.nn.shapes import Float
from semicoupled.tasks.toy.goals import clip_scores


class Share(NamedTuple):
    """How many of how many.

    Attributes:
        hits: right ones.
        count: all of them.
    """

    hits: int
    count: int  # pyright: ignore[reportIncompatibleMethodOverride]

    @property
    def value(self) -> float:
        """Hits among all; NaN of none."""
        return self.hits / self.count if self.count else math.nan

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the share; None of none."""
        if not self.count:
            return None
        z, n, p = 1.959964, self.count, self.value
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)


def clip_accuracy(scores: Float[Tensor, "B T K"], answer: Tensor) -> Share:
    """How many clips are answered right (answers are B T), by the average of the frames' probabilities."""
    right = clip_scores(scores).argmax(-1) == answer[:, 0]
    return Share(int(right.sum()), len(right))


def distance_accuracy(
    scores: Float[Tensor, "B T K"], answer: Tensor, nearest: int, farthest: int, within: int = 1
) -> Share:
    """How many frames, so many frames after the star, say how long ago it was, within a frame.

    Args:
        scores: of the distances 0 ... K - 2, and of "no star so far" as the last one.
        answer: B T, the right class.
        nearest: smallest distance that counts, in frames.
        farthest: largest distance that counts.
        within: error in frames that still counts as right.
    """
    none = scores.shape[-1] - 1
    said = scores.argmax(-1)
    asked = (answer >= nearest) & (answer <= farthest) & (answer != none)
    right = asked & (said != none) & ((said - answer).abs() <= within)
    return Share(int(right.sum()), int(asked.sum()))


def none_accuracy(scores: Float[Tensor, "B T K"], answer: Tensor) -> Share:
    """How many frames before any star say so; answers are B T."""
    none = scores.shape[-1] - 1
    asked = answer == none
    return Share(int((asked & (scores.argmax(-1) == none)).sum()), int(torch.count_nonzero(asked)))
