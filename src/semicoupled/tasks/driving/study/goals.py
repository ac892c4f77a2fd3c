"""What the study of driving has to reach, line by line, each computed from the rows and said as met or not."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from semicoupled.rows import Condition, Row
from semicoupled.studies.answers import VALIDATION
from semicoupled.studies.scores import Goal, at_least, at_most, difference_note, select

LEAST_R2 = 0.7
"""Of the variance of the smoothed angle. A ridge regression on 20x15 gray pixels explains .56 on such runs."""
CONTESTS = {
    "semicoupled": ("cnn", "cnn_lstm"),
    "semicoupled_length7": ("cnn", "cnn_lstm_length7"),
    "semicoupled_length3": ("cnn", "cnn_lstm_length3"),
}
"""Ours and its rivals: those that see as many frames, and the one that sees one."""
LABELS = ("smoothed", "raw")
"""The driver's hand jerks: of the raw label little can be told, so that both are asked for."""


def goals(rows: Sequence[Row], thresholds: Sequence[Condition]) -> Iterator[Goal]:
    """Say what is reached on the runs that were held back, by each of `CONTESTS` that was trained.

    Args:
        rows: of the study.
        thresholds: lambdas of Eq. 24.
    """
    means = [row for row in rows if "seed" not in row.condition]
    trained = {row.condition.get("variant") for row in means}
    for ours, rivals in CONTESTS.items():
        if ours in trained:
            yield from _reached(means, thresholds, ours, rivals)


def _reached(
    means: Sequence[Row], thresholds: Sequence[Condition], variant: str, rivals: Sequence[str]
) -> Iterator[Goal]:
    def mean(variant: str, metric: str, label: str, threshold: Condition | None = None) -> float:
        about = {"label": label, "angle_threshold": threshold}
        found = select(means, metric, variant=variant, data=VALIDATION, **about)
        return found[0].value if found else math.nan

    frames = variant.partition("_length")[2]
    begins = f"length {frames}: " if frames else ""
    r2 = mean(variant, "r2", "smoothed")
    yield at_least(f"{begins}share of the variance of the smoothed angle", r2, LEAST_R2)
    for label, rival in itertools.product(LABELS, rivals):
        asked: list[tuple[str, Condition | None]] = [("mse", None), *(("acc_soft", one) for one in thresholds)]
        for metric, threshold in asked:
            about: dict[str, Condition | None] = {"label": label, "angle_threshold": threshold}
            ours, theirs = (mean(one, metric, label, threshold) for one in (variant, rival))
            found = select(means, f"{metric}_difference", variant=variant, against=rival, data=VALIDATION, **about)
            note = difference_note(found)
            if metric == "mse":
                yield at_most(f"{begins}MSE below that of {rival}, {label} label", ours, theirs, note)
            else:
                text = f"{begins}soft accuracy at {threshold} above that of {rival}, {label} label"
                yield at_least(text, ours, theirs, note)
