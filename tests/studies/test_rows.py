"""Pairs of a study's variants, and the rows of their differences."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest

from semicoupled.rows import Row
from semicoupled.studies.rows import by_variant, compared, difference_rows
from semicoupled.studies.trials import Trial, Variant
from semicoupled.task_parts import TaskSettings


def trial(name: str, seed: int) -> Trial:
    return Trial(Variant(name, name), seed, cast(TaskSettings, None), Path(f"{name}-{seed}"))


RUNS = by_variant([(trial(name, seed), f"{name}{seed}") for seed in (0, 1) for name in ("ours", "rival")])


def test_trials_are_gathered_by_variant_in_order() -> None:
    assert {name: [answered for _, answered in own] for name, own in RUNS.items()} == {
        "ours": ["ours0", "ours1"],
        "rival": ["rival0", "rival1"],
    }


def test_pairs_are_compared_seed_by_seed_where_both_were_trained() -> None:
    assert list(compared([("ours", "rival"), ("ours", "absent"), ("absent", "ours")], RUNS)) == [
        ("ours", "rival", [("ours0", "rival0"), ("ours1", "rival1")])
    ]
    once = {**RUNS, "rival": RUNS["rival"][1:]}
    assert [pair.runs for pair in compared([("ours", "rival")], once)] == [[("ours1", "rival1")]]
    other = {**RUNS, "rival": [(trial("rival", 7), "rival7")]}
    assert list(compared([("ours", "rival")], other)) == []


def test_a_difference_has_the_mean_with_its_interval_and_both_ends_of_the_seeds() -> None:
    drawn = np.array([[1.0, 0.0, 2.0, 1.0], [3.0, 2.0, 4.0, 3.0]])
    about = {"variant": "ours", "against": "rival"}
    rows = list(difference_rows("semicoupled", "mse", about, drawn, 12, "dBZ^2"))
    assert [(row.metric, row.value, row.count, row.unit) for row in rows] == [
        ("mse_difference", 2.0, 12, "dBZ^2"),
        ("mse_difference_lowest", 1.0, 12, "dBZ^2"),
        ("mse_difference_highest", 3.0, 12, "dBZ^2"),
    ]
    assert rows[0].interval == pytest.approx((1.1, 2.9))  # 90 % of 1, 3, 2
    assert rows[1:] == [Row("semicoupled", row.metric, about, row.value, 12, "dBZ^2") for row in rows[1:]]


def test_one_draw_alone_has_no_interval() -> None:
    (mean, *_) = difference_rows("semicoupled", "iou", {}, np.array([[0.5]]), 1)
    assert (mean.value, mean.interval) == (0.5, None)
