from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.files.reading import read_frames

TIME = datetime(2021, 2, 5, 20, 5, tzinfo=UTC)


def test_reflectivity_is_read_with_its_own_formula(tmp_path: Path, make_knmi: Callable[..., Path]):
    pixels = np.array([[0, 1, 64], [144, 254, 255]])
    (frame,) = read_frames(make_knmi(tmp_path / "any name", pixels, TIME))
    assert (frame.quantity, frame.valid, frame.interval) == ("dBZ", TIME, None)
    np.testing.assert_array_equal(frame.values, [[-32, -31.5, 0], [40, 95, np.nan]])
    np.testing.assert_array_equal(frame.dbz(), [[0, 0, 0], [40, 60, np.nan]])


def test_no_echo_is_dry_and_not_missing(tmp_path: Path, make_knmi: Callable[..., Path]):
    """RAC files call PV 0 missing; it is what dry looks like."""
    (frame,) = read_frames(make_knmi(tmp_path / "f.h5", np.zeros((3, 3)), TIME))
    assert (frame.dbz() == 0).all()


def test_another_formula_and_other_special_values_are_obeyed(tmp_path: Path, make_knmi: Callable[..., Path]):
    changes = {
        "calibration_formulas": np.bytes_(b"GEO = 0.25 * PV + -10"),
        "calibration_out_of_image": np.array([200]),
        "calibration_missing_data": np.array([201]),
    }
    (frame,) = read_frames(make_knmi(tmp_path / "f.h5", np.array([[100, 200, 201]]), TIME, **changes))
    np.testing.assert_array_equal(frame.values, [[15, np.nan, np.nan]])


def test_accumulation_is_rain_over_five_minutes(tmp_path: Path, make_knmi: Callable[..., Path]):
    (frame,) = read_frames(make_knmi(tmp_path / "f.h5", np.array([[0, 50, 65535]]), TIME, product="RAP"))
    assert (frame.quantity, frame.valid, frame.interval) == ("mm", TIME, timedelta(minutes=5))
    np.testing.assert_allclose(frame.values, [[0, 0.5, np.nan]])
    assert frame.dbz()[0, 1] == pytest.approx(10 * np.log10(200 * 6**1.6), abs=1e-3)


def test_both_products_lie_on_the_same_grid_in_metres(tmp_path: Path, make_knmi: Callable[..., Path]):
    pixels = np.zeros((765, 700))
    (old,) = read_frames(make_knmi(tmp_path / "old", pixels, TIME, product="RAP"))
    (new,) = read_frames(make_knmi(tmp_path / "new", pixels, TIME))
    assert old.grid.agrees_with(new.grid)
    corners = np.array([-0.5, -0.5, 699.5, 699.5]), np.array([764.5, -0.5, -0.5, 764.5])
    for grid in (old.grid, new.grid):  # geo_product_corners of the real files
        longitude, latitude = grid.lon_lat(*corners)
        np.testing.assert_allclose(longitude, [0, 0, 10.856, 9.009], atol=6e-4)
        np.testing.assert_allclose(latitude, [49.362, 55.974, 55.389, 48.895], atol=6e-4)
    assert new.grid.crs.axis_info[0].unit_name == "metre"
    assert new.grid.y[0] == pytest.approx(-3650.5e3, abs=60)
    assert new.grid.y[1] < new.grid.y[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"calibration_formulas": np.bytes_(b"exp(PV)")},
            r"calibration_formulas is 'exp\(PV\)'; expected 'GEO = a \* PV",
        ),
        ({"image_geo_parameter": np.bytes_(b"ECHO_TOP_[KM]")}, r"'ECHO_TOP_\[KM\]'; expected reflectivity"),
        ({"product_datetime_end": np.bytes_(b"yesterday")}, "product_datetime is 'yesterday'; expected a time such as"),
        ({"product_datetime_end": None}, "without all of its parts"),
        ({"projection_proj4_params": np.bytes_(b"+proj=nonsense")}, "which PROJ does not understand"),
        ({"geo_number_rows": np.array([7])}, r"the image has \(2, 3\) pixels; expected \(7, 3\)"),
    ],
)
def test_what_is_not_understood_is_named(tmp_path: Path, make_knmi: Callable[..., Path], change: dict, message: str):
    path = make_knmi(tmp_path / "f.h5", np.zeros((2, 3)), TIME, **change)
    with pytest.raises(DataError, match=message) as error:
        read_frames(path)
    assert str(path) in str(error.value)


def test_the_files_of_both_years(real_data: Path):
    old, new = real_data / "radar/knmi_2010", real_data / "radar/knmi_2021/2021-02-05"
    (rain,) = read_frames(sorted(old.iterdir())[0])
    (echo,) = read_frames(sorted(new.iterdir())[0])
    assert rain.grid.agrees_with(echo.grid)
    assert rain.valid == datetime(2010, 8, 26, 0, 0, tzinfo=UTC)
    assert echo.valid == TIME
    assert np.isnan(rain.values).mean() == pytest.approx(0.744, abs=0.001)
    assert np.isnan(echo.values).mean() == pytest.approx(0.195, abs=0.001)
    assert np.nanmax(echo.values) <= 40
