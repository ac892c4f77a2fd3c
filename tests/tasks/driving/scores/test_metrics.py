"""Scores against closed forms and against loops over frames, to 1e-12."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tasks.driving.answered import slow_scores

from semicoupled.tasks.driving.angles import normalize
from semicoupled.tasks.driving.scores.metrics import Scored, hard_accuracy, soft_accuracy, sum_parts


def scored(answer: np.ndarray, label: np.ndarray, parts: int = 1, **changes: np.ndarray) -> Scored:
    count = len(label)
    seconds = np.concatenate([[np.nan], np.full(count - 1, 0.05)])
    found = Scored(answer, label, np.arange(count) * parts // count, seconds, np.ones(count, bool))
    return found._replace(**changes)


@pytest.mark.parametrize("center", [0.0, 500.0])
def test_scores_are_those_of_a_loop(center: float) -> None:
    random = np.random.default_rng(3)
    label = 500 * (center > 0) + random.normal(0, 8, 211)
    answer = label + random.normal(0, 4, 211)
    sums = sum_parts(scored(answer, label, parts=7), 7, [6.0, 3.0], 25.0, center)
    found = sums.pooled(np.ones((1, 7))).scores()
    expected = slow_scores(answer, label, [6.0, 3.0], 25.0)
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, rel=1e-12, abs=1e-12), name


def test_eq_24_by_hand() -> None:
    error = np.array([0.0, 3.0, -6.0, 12.0, -60.0])
    assert soft_accuracy(error, 6.0) == pytest.approx([1, 1, 1, 0.5, 0.1], rel=1e-9)
    assert hard_accuracy(error, 6.0).tolist() == [1, 1, 0, 0, 0]


def test_the_normalization_is_a_sigmoid_that_never_overflows() -> None:
    angles = np.array([-1e6, -25.0, 0.0, 25.0, 1e6])
    assert normalize(angles, 25.0) == pytest.approx(
        [0, 1 / (1 + np.e), 0.5, 1 / (1 + 1 / np.e), 1], rel=1e-12, abs=1e-12
    )


def test_the_whiteness_of_a_sine_is_its_speed() -> None:
    rate, turns = 1000.0, 2.0
    times = np.arange(5001) / rate  # whole turns
    answer = 7 * np.sin(2 * np.pi * turns * times)
    seconds = np.concatenate([[np.nan], np.diff(times)])
    sums = sum_parts(scored(answer, answer, seconds=seconds), 1, [1.0], 1.0)
    assert sums.scores()["whiteness"][0] == pytest.approx(7 * 2 * np.pi * turns / np.sqrt(2), rel=1e-4)


def test_whiteness_is_not_measured_across_drives_and_gaps() -> None:
    answer = np.array([0.0, 1.0, 100.0, 102.0])
    seconds = np.array([np.nan, 0.5, np.nan, 0.5])
    sums = sum_parts(scored(answer, answer, seconds=seconds), 1, [1.0], 1.0)
    assert sums.scores()["whiteness"][0] == pytest.approx(np.sqrt((2**2 + 4**2) / 2), rel=1e-12, abs=1e-12)


def test_a_part_that_is_drawn_twice_counts_twice() -> None:
    random = np.random.default_rng(5)
    label, answer = random.normal(size=40), random.normal(size=40)
    sums = sum_parts(scored(answer, label, parts=4), 4, [0.5], 1.0)
    found = sums.pooled(np.array([[2.0, 0.0, 1.0, 1.0]])).scores()
    order = np.r_[0:10, 0:10, 20:40]
    expected = slow_scores(answer[order], label[order], [0.5], 1.0)
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, rel=1e-12, abs=1e-12), name


def test_what_is_not_defined_is_nan() -> None:
    label = np.full(5, 3.3)
    found = sum_parts(scored(label + 1, label), 1, [0.5], 1.0).scores()
    assert np.isnan(found["r2"][0])  # labels that do not vary
    nothing = sum_parts(scored(label, label, counts=np.zeros(5, bool)), 1, [0.5], 1.0).scores()
    assert all(np.isnan(values).all() for values in nothing.values())


def test_the_mean_of_the_labels_explains_nothing() -> None:
    label = np.random.default_rng(6).normal(4, 2, 100)
    found = sum_parts(scored(np.full(100, label.mean()), label), 1, [0.5], 1.0, center=4.0).scores()
    assert found["r2"][0] == pytest.approx(0, abs=1e-12)
    assert found["rmse"][0] == pytest.approx(label.std(), rel=1e-12, abs=1e-12)
