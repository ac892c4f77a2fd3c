from __future__ import annotations

import numpy as np
import pytest

from semicoupled.tasks.outline.geometry.crossing import MOST_DROPPED, crosses_itself, kept_before


@pytest.mark.parametrize(
    ("points", "crossing"),
    [
        ([[0, 0], [4, 0], [4, 4], [0, 4]], False),
        ([[0, 0], [4, 4], [4, 0], [0, 4]], True),
        ([[0, 0], [4, 0], [2, 0], [2, 4], [0, 4]], True),
        ([[0, 0], [4, 0], [0, 4]], False),
        ([[0, 0], [8, 0], [4, 0.0], [4, 5], [1, 5]], True),
    ],
)
def test_crossings(points: list[list[float]], crossing: bool) -> None:
    assert crosses_itself(np.array(points, dtype=np.float64)) == crossing


SQUARE = np.array([[3, 3], [10, 3], [10, 10], [3, 10]])


def test_an_end_beside_the_last_point_keeps_all() -> None:
    assert kept_before(SQUARE, (3, 6)) == 4


def test_what_was_drawn_past_an_end_gives_way_to_it() -> None:
    assert kept_before(SQUARE, (5, 12)) == 3
    past = np.concatenate([SQUARE, [[3, 7], [4, 5], [3, 4]]])
    assert kept_before(past, (4, 8)) == 5


def test_where_that_does_not_help_all_stay() -> None:
    comb = np.array([[0, 0], [9, 9], [9, 0], [0, 9], [1, 12], [3, 12], [5, 12], [7, 12]])
    assert crosses_itself(comb.astype(float))
    assert kept_before(comb, (9, 12)) == len(comb)
    assert len(comb) > MOST_DROPPED


def test_two_points_stay() -> None:
    assert kept_before(SQUARE[:2], (10, 3)) == 2
