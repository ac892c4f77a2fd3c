"""What a bench is to show, and whether it does on this machine: the smallest or largest of the rows that are meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from semicoupled.report import Table
from semicoupled.rows import Condition, Row

Sense = Literal["at least", "at most"]


class Promise(NamedTuple):
    """A bound on a metric.

    Attributes:
        what: in words.
        metric: of the rows that are meant.
        condition: that they agree with.
        sense: of the bound.
        bound: in the unit of the metric.
    """

    what: str
    metric: str
    condition: Mapping[str, Condition]
    sense: Sense
    bound: float


def _paper(mode: str, dtype: str, **more: Condition) -> dict[str, Condition]:
    return {"preset": "paper15x64", "mode": mode, "dtype": dtype, "frames": 10, **more}


PROMISES = (
    Promise("share of the peak, bf16 inference", "share_of_peak", _paper("inference", "bf16"), "at least", 0.45),
    Promise("share of the peak, bf16 training", "share_of_peak", _paper("training", "bf16"), "at least", 0.35),
    *(
        Promise(
            f"{dtype} step, against {against}", "speedup", _paper("training", dtype, against=against), "at least", bound
        )
        for dtype, against, bound in (
            ("bf16", "reference", 5.0),
            ("bf16", "convlstm", 3.2),
            ("float32", "reference", 1.3),
            ("float32", "convlstm", 2.5),
        )
    ),
    Promise(
        "float32 step with STSGD, p = .5",
        "step_ratio",
        _paper("training", "float32", batch=8, stop=0.5),
        "at most",
        0.94,
    ),
    Promise(
        "bf16 step with STSGD, p = .5", "step_ratio", _paper("training", "bf16", batch=8, stop=0.5), "at most", 0.97
    ),
    *(
        Promise(f"{dtype} step, three streams", "step_ratio", _paper("training", dtype, streams="all"), "at most", 2.1)
        for dtype in ("bf16", "float32")
    ),
    *(
        Promise(
            f"Table 1, {dtype} {mode}, against the published code's time",
            "speedup",
            {"preset": "table1", "mode": mode, "dtype": dtype, "against": "published"},
            "at least",
            bound,
        )
        for dtype, bound in (("bf16", 6.0), ("float32", 2.5))
        for mode in ("training", "inference")
    ),
    Promise("xs, milliseconds a frame", "ms_per_frame", {"preset": "xs"}, "at most", 5.0),
    Promise("s, milliseconds a frame", "ms_per_frame", {"preset": "s"}, "at most", 16.0),
    Promise("LTSC, peak memory of 400 frames against 40", "peak_ratio", {"way": "ltsc", "frames": 400}, "at most", 1.1),
    Promise(
        "streaming, 10 000 frames against 100", "peak_ratio", {"way": "streaming", "frames": 10_000}, "at most", 1.1
    ),
)
"""The bounds of bf16 were set on a processor with AMX, whose bf16 is seven times as fast as its float32."""


def kept(rows: Sequence[Row]) -> Table | None:
    """Compare what was measured with what was promised.

    Args:
        rows: of a bench; of a step with switches the whole counts, not its backward pass alone.

    Returns:
        A line a promise that the rows speak of, with the worst of its rows; None if they speak of none.
    """
    lines: list[list[str | float]] = []
    for promise in PROMISES:
        values = [row.value for row in rows if _meant(row, promise)]
        if values:
            worst = min(values) if promise.sense == "at least" else max(values)
            met = worst >= promise.bound if promise.sense == "at least" else worst <= promise.bound
            lines.append([promise.what, f"{promise.sense} {promise.bound:g}", round(worst, 3), "yes" if met else "no"])
    return Table(["promise", "bound", "measured", "met"], lines) if lines else None


def _meant(row: Row, promise: Promise) -> bool:
    return (
        row.model == "semicoupled"
        and row.metric == promise.metric
        and "part" not in row.condition
        and all(row.condition.get(name) == value for name, value in promise.condition.items())
    )
