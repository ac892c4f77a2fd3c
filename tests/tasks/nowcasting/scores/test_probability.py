from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semicoupled.errors import DataError, ShapeError
from semicoupled.tasks.nowcasting.scores.probability import (
    LEVELS,
    LIMIT,
    Calibration,
    Neighborhood,
    exceedance,
    probabilities,
    share_levels,
)

CALIBRATION = Calibration(
    thresholds=(15.0, 30.0),
    lead_minutes=(5.0, 30.0),
    intercept=((0.2, -0.4), (-1.0, -2.0)),
    slope=((1.2, 0.7), (0.9, 0.5)),
)
AS_IT_IS = Calibration((15.0,), (5.0,), ((0.0,),), ((1.0,),), Neighborhood(0.0, 0.0, 5.0))


def by_hand(field: np.ndarray, row: int, column: int, sigma: float, threshold: float) -> float:
    """The formula of the module at one pixel, in double precision and without a library."""
    rows, columns = np.mgrid[: field.shape[0], : field.shape[1]]
    weight = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * sigma**2)) * ~np.isnan(field)
    step = np.clip((np.nan_to_num(field) - threshold) / 10 + 0.5, 0, 1)
    return float((weight * step).sum() / weight.sum())


def test_a_probability_is_what_the_formula_says():
    rng = np.random.default_rng(0)
    dbz = rng.uniform(0, 45, (2, 40, 50)).astype(np.float32)
    dbz[:, :, :5] = np.nan
    found = exceedance(dbz, CALIBRATION, kilometers=2.0, step_minutes=5.0)
    assert (found.shape, found.dtype) == ((2, 2, 40, 50), np.float32)
    for lead, minutes in enumerate((5.0, 10.0)):
        for index, threshold in enumerate(CALIBRATION.thresholds):
            share = by_hand(dbz[lead].astype(float), 20, 8, (1 + 0.15 * minutes) / 2, threshold)
            between = (minutes - 5) / 25
            a = np.interp(between, (0, 1), CALIBRATION.intercept[index])
            b = np.interp(between, (0, 1), CALIBRATION.slope[index])
            logit = np.clip(np.log(share / (1 - share)), -LIMIT, LIMIT)
            expected = [1 / (1 + np.exp(-(a + b * (logit + off)))) for off in (-0.04, 0.04)]  # rounded to 1/16
            assert expected[0] <= found[index, lead, 20, 8] <= expected[1]


def test_missing_stays_missing_and_has_no_part_in_its_neighbors():
    dbz = np.full((1, 20, 20), 40.0, np.float32)
    dbz[:, :, 10:] = np.nan
    found = exceedance(dbz, CALIBRATION, 2.0, 5.0)
    np.testing.assert_array_equal(np.isnan(found[0]), np.isnan(dbz))
    assert np.ptp(found[0, 0, :, :10]) < 1e-6  # the pixels beside missing ones are as sure as the others


@pytest.mark.parametrize("fill", [0.0, 60.0, np.nan])
@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (17, 5)])
def test_even_and_odd_fields_never_fail(fill: float, shape: tuple[int, int]):
    found = exceedance(np.full((2, *shape), fill, np.float32), CALIBRATION, 1.0, 5.0)
    assert np.isnan(found).all() if np.isnan(fill) else ((found > 0) & (found < 1)).all()


def test_uncalibrated_and_without_neighbors_it_is_the_soft_step():
    dbz = np.array([[[0, 10.5, 13, 15, 18, 19.5, 60]]], np.float32)
    found = exceedance(dbz, AS_IT_IS, 1.0, 5.0)[0, 0, 0]
    np.testing.assert_allclose(found[1:-1], [0.05, 0.3, 0.5, 0.8, 0.95], atol=0.008)
    assert (found[0], found[-1]) == (pytest.approx(0.00091, rel=0.01), pytest.approx(0.99909, rel=0.01))


def test_farther_ahead_rain_reaches_farther():
    dbz = np.zeros((2, 61, 61), np.float32)
    dbz[:, 27:34, 27:34] = 40
    near, far = exceedance(dbz, dataclasses.replace(AS_IT_IS, neighborhood=Neighborhood()), 1.0, 30.0)[0]
    assert near[30, 30] > far[30, 30]
    assert near[30, 45] < far[30, 45]


@given(st.floats(-6, 6), st.floats(0.01, 4))
@settings(max_examples=50, deadline=None)
def test_more_rain_around_is_never_less_likely_rain(intercept: float, slope: float):
    found = probabilities(np.array(intercept), np.array(slope))
    assert len(found) == len(LEVELS)
    assert (np.diff(found) > 0).all()


def test_a_calibration_comes_back_from_its_file():
    assert Calibration.from_json(json.loads(json.dumps(CALIBRATION.to_json()))) == CALIBRATION


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "of format 2; expected format 1"),
        ({"slope": [[1.0, 0.0], [1.0, 1.0]]}, "expected numbers above 0"),
        ({"slope": [[1.0], [1.0]]}, r"slope has the shape \(2, 1\); expected 2 thresholds x 2 leads"),
        ({"intercept": [[np.nan, 0.0], [1.0, 1.0]]}, "expected finite numbers"),
        ({"thresholds": [30.0, 15.0]}, "expected rising numbers"),
        ({"neighborhood": {"width": 1.0}}, "a part is missing or wrong"),
        ({"lead_minutes": None}, "a part is missing or wrong"),
        ({"neighborhood": {"softness_dbz": 0.0}}, "softness_dbz above 0"),
    ],
)
def test_what_is_no_calibration_is_refused(changes: dict[str, object], message: str):
    with pytest.raises(DataError, match=message):
        Calibration.from_json({**CALIBRATION.to_json(), **changes})  # type: ignore[dict-item]
    with pytest.raises(DataError, match="of format 'list'"):
        Calibration.from_json([])


def test_leads_and_fields_must_go_together():
    with pytest.raises(ShapeError, match=r"expected K H W with 2 leads, got shape \(3, 4, 4\)"):
        share_levels(np.zeros((3, 4, 4)), (15.0,), Neighborhood(), 1.0, (5.0, 10.0))
