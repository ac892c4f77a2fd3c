"""Polygons on the grid: laws that hold for any polygon, and figures by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semicoupled.errors import DataError
from semicoupled.tasks.outline.geometry.polygons import (
    as_points,
    cells_of,
    classes_of,
    clockwise,
    end_class,
    outline_cells,
    reduce,
    signed_area,
    simplify,
)

anything = hnp.arrays(np.float64, st.tuples(st.integers(3, 90), st.just(2)), elements=st.floats(-2, 30, width=32))


def _turns(cells: np.ndarray) -> np.ndarray:
    one, other = cells - np.roll(cells, 1, axis=0), np.roll(cells, -1, axis=0) - cells
    return one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]


@settings(deadline=None)
@given(anything, st.sampled_from([0.0, 1.0]))
def test_cells_of_any_polygon_are_an_outline_or_nothing(points: np.ndarray, tolerance: float) -> None:
    cells = outline_cells(points, tolerance=tolerance, most=20)
    assert len(cells) == 0 or 3 <= len(cells) <= 20
    assert ((cells >= 0) & (cells < 28)).all()
    if len(cells):
        assert signed_area(cells) > 0  # clockwise on the screen
        assert (_turns(cells) != 0).all()  # no two neighbors equal, no three in line
        np.testing.assert_array_equal(reduce(cells), cells)


def test_there_are_785_classes_and_the_last_one_closes() -> None:
    assert end_class() == 784
    cells = np.array([[0, 0], [27, 0], [3, 5]])
    assert classes_of(cells).tolist() == [0, 27, 143]
    np.testing.assert_array_equal(cells_of(classes_of(cells)), cells)


def test_clockwise_on_the_screen_begins_with_the_same_point() -> None:
    counterclockwise = np.array([[0.0, 0.0], [0.0, 9.0], [9.0, 9.0], [9.0, 0.0]])
    turned = clockwise(counterclockwise)
    assert turned.tolist() == [[0, 0], [9, 0], [9, 9], [0, 9]]
    assert signed_area(turned) == 81
    assert clockwise(turned) is turned


def test_repetitions_points_on_a_line_and_spikes_are_dropped() -> None:
    cells = np.array([[0, 0], [0, 0], [4, 0], [8, 0], [8, 8], [12, 8], [8, 8], [0, 8], [0, 0]])
    assert sorted(map(tuple, reduce(cells).tolist())) == [(0, 0), (0, 8), (8, 0), (8, 8)]


@pytest.mark.parametrize(
    "points", [[[1, 1], [20, 1.2], [1, 1.4]], [[3, 3], [3.2, 3.1], [3.4, 3.9]], [[1, 1], [9, 9], [5, 5]]]
)
def test_what_is_thinner_than_a_cell_has_no_outline(points: list[list[float]]) -> None:
    assert len(outline_cells(np.array(points, dtype=np.float64))) == 0


def test_the_most_points_keep_the_shape() -> None:
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = 14 + 13 * np.stack([np.cos(angle), np.sin(angle)], 1)
    many, few = outline_cells(circle, most=60), outline_cells(circle, most=10)
    assert len(few) == 10 < len(many)
    assert abs(signed_area(few) / signed_area(many) - 1) < 0.15


@settings(deadline=None)
@given(anything)
def test_simplifying_moves_the_outline_no_farther_than_it_may(points: np.ndarray) -> None:
    kept = simplify(points, 1.5)
    assert {tuple(point) for point in kept} <= {tuple(point) for point in points}
    closed = np.concatenate([kept, kept[:1]])
    for point in points:
        along = closed[1:] - closed[:-1]
        length = np.maximum((along**2).sum(1), 1e-12)
        share = np.clip(((point - closed[:-1]) * along).sum(1) / length, 0, 1)
        assert np.hypot(*(point - closed[:-1] - share[:, None] * along).T).min() <= 1.5 + 1e-6


@pytest.mark.parametrize(
    ("values", "message"),
    [([1, 2, 3], "expected pairs"), ([["a", 1]], "no number"), ([[1, float("nan")]], "not finite")],
)
def test_bad_points_are_refused(values: list[object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_points(values)
