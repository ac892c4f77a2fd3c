"""What the study of driving has to reach, line by line, each computed from the rows and said as met or not."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from semicoupled.report import number
from semicoupled.rows import Condition, Row
from semicoupled.studies.answers import VALIDATION
from semicoupled.studies.scores import Goal, at_least, at_most, select

LEAST_R2 = 0.7
"""Of the variance of the smoothed angle. A ridge regression on 20x15 gray pixels explains .56 on such runs."""
OURS = "semicoupled"
RIVALS = ("cnn", "cnn_lstm")
LABELS = ("smoothed", "raw")
"""The driver's hand jerks: of the raw label little can be told, so that both are asked for."""


def goals(rows: Sequence[Row], thresholds: Sequence[Condition]) -> Iterator[Goal]:
    """Say what is reached on the runs that were held back.

    Args:
        rows: of the study.
        thresholds: lambdas of Eq. 24.
    """
    means = [row for row in rows if "seed" not in row.condition]

    def mean(variant: str, metric: str, label: str, threshold: Condition | None = None) -> float:
        about = {"label": label, "angle_threshold": threshold}
        found = select(means, metric, variant=variant, data=VALIDATION, **about)
        return found[0].value if found else math.nan

    yield at_least("share of the variance of the smoothed angle", mean(OURS, "r2", "smoothed"), LEAST_R2)
    for label, rival in itertools.product(LABELS, RIVALS):
        asked: list[tuple[str, Condition | None]] = [("mse", None), *(("acc_soft", one) for one in thresholds)]
        for metric, threshold in asked:
            about: dict[str, Condition | None] = {"label": label, "angle_threshold": threshold}
            ours, theirs = (mean(variant, metric, label, threshold) for variant in (OURS, rival))
            found = select(means, f"{metric}_difference", variant=OURS, against=rival, data=VALIDATION, **about)
            note = ""
            if found and found[0].interval is not None:
                low, high = found[0].interval
                note = f"difference {found[0].value:+.3g}, 90 %: {number(low)} to {number(high)}"
            if metric == "mse":
                yield at_most(f"MSE below that of {rival}, {label} label", ours, theirs, note)
            else:
                yield at_least(f"soft accuracy at {threshold} above that of {rival}, {label} label", ours, theirs, note)
