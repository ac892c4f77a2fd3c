"""Promises are judged by the worst of the rows that they mean."""

from __future__ import annotations

from semicoupled.bench.promises import PROMISES, kept
from semicoupled.rows import Row

WHERE = {"preset": "paper15x64", "mode": "training", "dtype": "bf16", "frames": 10}


def line(rows: list[Row], what: str) -> list[object]:
    table = kept(rows)
    assert table is not None
    (found,) = (line for line in table.rows if line[0] == what)
    return list(found)


def test_the_worst_row_counts() -> None:
    rows = [
        Row("semicoupled", "share_of_peak", WHERE | {"batch": batch}, value, 3)
        for batch, value in ((2, 0.34), (8, 0.7))
    ]
    assert line(rows, "share of the peak, bf16 training") == [
        "share of the peak, bf16 training",
        "at least 0.35",
        0.34,
        "no",
    ]
    assert line(rows[1:], "share of the peak, bf16 training")[2:] == [0.7, "yes"]


def test_the_backward_pass_alone_promises_nothing() -> None:
    condition = WHERE | {"batch": 8, "stop": 0.5}
    rows = [
        Row("semicoupled", "step_ratio", condition, 0.96, 5),
        Row("semicoupled", "step_ratio", condition | {"part": "backward"}, 0.99, 5),
    ]
    assert line(rows, "bf16 step with STSGD, p = .5")[2:] == [0.96, "yes"]


def test_others_promise_nothing() -> None:
    assert kept([Row("reference", "share_of_peak", WHERE, 0.1, 3)]) is None


def test_every_promise_is_said_once() -> None:
    names = [promise.what for promise in PROMISES]
    assert len(set(names)) == len(names)
