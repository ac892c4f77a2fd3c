"""What the study of rain has to reach, line by line, each computed from the rows and said as met or not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from semicoupled.rows import Row
from semicoupled.studies.answers import VALIDATION
from semicoupled.studies.scores import Goal, at_least, at_most, baseline, select, spread_of

LESS = 0.9
"""The best form's squared error is to be at most this share of advection's."""
THRESHOLDS = (15, 20)
"""dBZ at which the best form's CSI is not to be below advection's."""
BEST, PLAIN = ("semicoupled", "convlstm"), ("semicoupled_plain", "convlstm_plain")


def goals(rows: Sequence[Row], event: str | None) -> Iterator[Goal]:
    """Say what is reached in an event that was held back.

    Args:
        rows: of the study.
        event: its name; None for everything that was held back.
    """
    where = {"data": VALIDATION, "event": event}

    def mean(variant: str, metric: str, threshold: int | None = None) -> float:
        found = spread_of(select(rows, metric, variant=variant, threshold_dbz=threshold, **where))
        return math.nan if found is None else found.mean

    ours = mean(BEST[0], "mse")
    advection = baseline(rows, "advection", "mse", **where)
    yield at_most("squared error at least 10 % below advection's", ours, LESS * advection)
    blurred = baseline(rows, "advection_blur", "mse", **where)
    yield at_most("squared error not above blurred advection's", ours, blurred)
    for threshold in THRESHOLDS:
        bound = baseline(rows, "advection", "csi", threshold_dbz=threshold, **where)
        yield at_least(f"CSI at {threshold} dBZ not below advection's", mean(BEST[0], "csi", threshold), bound)
    for (variant, rival), form in ((BEST, "best"), (PLAIN, "plain")):
        found = select(rows, "mse_difference", variant=variant, against=rival, **where)
        note = ""
        if found and found[0].interval is not None:
            low, high = found[0].interval
            note = f"difference {found[0].value:.3g}, 90 % of a bootstrap over start times: {low:.3g} to {high:.3g}"
        text = f"squared error at or below ConvLSTM's, {form} form"
        yield at_most(text, mean(variant, "mse"), mean(rival, "mse"), note)
