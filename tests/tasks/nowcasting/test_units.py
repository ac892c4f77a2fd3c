from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.units import dbz_to_rain, rain_to_dbz, to_dbz


def test_marshall_and_palmer_at_one_millimeter_an_hour():
    assert rain_to_dbz(np.array([1.0]))[0] == pytest.approx(10 * np.log10(200), abs=1e-4)  # Z = 200
    assert dbz_to_rain(np.array([23.0103]))[0] == pytest.approx(1.0, abs=1e-4)
    assert rain_to_dbz(np.array([10.0]))[0] == pytest.approx(39.0103, abs=1e-3)


@given(st.floats(0.04, 60))
def test_rain_goes_to_dbz_and_back(rain: float):
    assert dbz_to_rain(rain_to_dbz(np.array([rain])))[0] == pytest.approx(rain, rel=1e-4)


def test_dry_is_zero_on_both_scales_and_missing_stays_missing():
    np.testing.assert_array_equal(rain_to_dbz(np.array([0.0, -1.0, 0.001, np.nan])), [0, 0, 0, np.nan])
    np.testing.assert_array_equal(dbz_to_rain(np.array([0.0, -32.0, np.nan])), [0, 0, np.nan])


def test_dbz_is_clipped():
    np.testing.assert_array_equal(to_dbz(np.array([-32.0, 12.5, 75.0, np.nan]), "dBZ"), [0, 12.5, 60, np.nan])


def test_a_sum_of_rain_is_spread_over_its_interval():
    in_five_minutes = to_dbz(np.array([0.5]), "mm", timedelta(minutes=5))
    np.testing.assert_allclose(in_five_minutes, to_dbz(np.array([6.0]), "mm/h"), rtol=1e-6)


def test_what_cannot_be_converted_is_refused():
    with pytest.raises(DataError, match="needs the time it was gathered in, got None"):
        to_dbz(np.zeros(2), "mm")
    with pytest.raises(DataError, match=r"'m/s' is no quantity.*Known: dBZ, mm, mm/h"):
        to_dbz(np.zeros(2), "m/s")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="got infinity in 1 pixels"):
        to_dbz(np.array([np.inf, 0.0]), "dBZ")
