"""ODIM and MeteoSwiss: what their pixels, places and times come to, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import FileSettings
from semicoupled.tasks.nowcasting.files.reading import format_name, read_frames
from semicoupled.tasks.nowcasting.grid import Grid

TIME = datetime(2021, 2, 5, 20, 5, tzinfo=UTC)
STEP = timedelta(minutes=5)
PIXELS = np.array([[0, 64, 100, 255], [0, 1, 164, 255], [66, 67, 68, 69]], np.uint8)


def corners(grid: Grid) -> np.ndarray:
    """Longitude and latitude of the outer corners UL, UR, LL, LR."""
    columns = np.array([-0.5, grid.columns - 0.5, -0.5, grid.columns - 0.5])
    rows = np.array([-0.5, -0.5, grid.rows - 0.5, grid.rows - 0.5])
    return np.array(grid.lon_lat(columns, rows))


def test_odim_reflectivity(tmp_path: Path, samples: ModuleType):
    (frame,) = read_frames(samples.write_odim(tmp_path / "any name", PIXELS))
    assert (frame.quantity, frame.valid, frame.interval) == ("dBZ", TIME, None)
    np.testing.assert_array_equal(frame.values[:2], [[-32, 0, 18, np.nan], [-32, -31.5, 50, np.nan]])
    assert frame.grid.kilometers == pytest.approx(2)
    assert frame.grid.y_step < 0
    assert "DBZH" in frame.product


def test_odim_corners_are_the_files_own(tmp_path: Path, samples: ModuleType):
    path = samples.write_odim(tmp_path / "f", PIXELS)
    (frame,) = read_frames(path)
    with h5py.File(path) as file:
        where = dict(file["where"].attrs)
    said = np.array([[where[f"{name}_{axis}"] for name in ("UL", "UR", "LL", "LR")] for axis in ("lon", "lat")])
    np.testing.assert_allclose(corners(frame.grid), said, atol=1e-6)


@pytest.mark.parametrize("version", ["H5rad 2.0", "H5rad 2.1", "H5rad 2.2", "H5rad 2.3", "H5rad 2.4"])
def test_odim_of_every_version(tmp_path: Path, samples: ModuleType, version: str):
    assert format_name(samples.write_odim(tmp_path / "f", PIXELS, version=version)) == "ODIM HDF5"


def test_odim_rain_rates_and_sums(tmp_path: Path, samples: ModuleType):
    (rate,) = read_frames(samples.write_odim(tmp_path / "rate", PIXELS, quantity="RATE"))
    assert (rate.quantity, rate.interval) == ("mm/h", None)
    np.testing.assert_allclose(rate.values[0], [0, 6.4, 10, np.nan], rtol=1e-6)
    (total,) = read_frames(samples.write_odim(tmp_path / "sum", PIXELS, quantity="ACRR", minutes=15))
    assert (total.quantity, total.interval, total.valid) == ("mm", timedelta(minutes=15), TIME)
    np.testing.assert_allclose(total.values[0], [0, 0.64, 1.0, np.nan], rtol=1e-6)


def test_odim_attributes_hold_for_what_lies_below(tmp_path: Path, samples: ModuleType):
    """Older files say quantity, gain and offset of the data set, and the place at the data set."""
    path = samples.write_odim(tmp_path / "f", PIXELS)
    with h5py.File(path, "r+") as file:
        for name, value in file["dataset1/data1/what"].attrs.items():
            file["dataset1/what"].attrs[name] = value
        del file["dataset1/data1/what"], file["dataset1/data2"]
        file.move("where", "dataset1/where")
    (frame,) = read_frames(path)
    np.testing.assert_array_equal(frame.values[0], [-32, 0, 18, np.nan])


def test_odim_with_several_times_gives_them_in_order(tmp_path: Path, samples: ModuleType):
    more = [(TIME - STEP, PIXELS + 0), (TIME, PIXELS)]
    frames = read_frames(samples.write_odim(tmp_path / "f", PIXELS, more=more))
    assert [frame.valid for frame in frames] == [TIME - STEP, TIME]  # the second of one time is another height


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {"kind": "PVOL"},
            "object PVOL, rays of one radar and not an image on a map; expected COMP or IMAGE.*grid the vol",
        ),
        ({"kind": "SCAN"}, "object SCAN"),
        ({"quantity": "VRADH"}, "holds QIND, VRADH; expected one of DBZH.*Use a reflectivity or rain product"),
        ({"what": {"gain": None}}, "without all of its parts.*no attribute gain"),
        ({"where": {"projdef": "+proj=nonsense"}}, "not understood"),
        ({"where": {"xsize": 7}}, r"the data has \(3, 4\) pixels; expected \(3, 7\), as ysize and xsize say"),
        ({"where": {"xscale": 1000.0}}, "expected xscale and yscale.*One of them is wrong"),
        ({"where": {"UL_lon": 30.0, "LR_lon": 1.0}}, "are not the upper left and lower right"),
        (
            {"root": {"date": "yesterday"}},
            "date and time are 'yesterday 200500'; expected a time such as '20210205 200500'",
        ),
        ({"quantity": "ACRR", "minutes": 0}, "is a sum of rain from .* expected startdate"),
    ],
)
def test_odim_that_is_not_understood_is_named(tmp_path: Path, samples: ModuleType, how: dict[str, Any], message: str):
    with pytest.raises(DataError, match=message) as error:
        read_frames(samples.write_odim(tmp_path / "f.h5", PIXELS, **how))
    assert "f.h5" in str(error.value)


def swiss() -> np.ndarray:
    pixels = np.zeros((640, 710), np.uint8)
    pixels[0, :5] = 255, 1, 252, 72, 151
    return pixels


def test_meteoswiss(tmp_path: Path, samples: ModuleType):
    (frame,) = read_frames(samples.write_meteoswiss(tmp_path / "no time in the name", swiss()))
    assert (frame.quantity, frame.valid) == ("dBZ", TIME)
    np.testing.assert_array_equal(frame.values[0, :6], [np.nan, -32, -32, 0.25, 39.75, -32])
    assert frame.grid.kilometers == 1
    longitude, latitude = frame.grid.lon_lat(np.array([344.5]), np.array([279.5]))  # E 600 km, N 200 km: Bern
    np.testing.assert_allclose([longitude[0], latitude[0]], [7.43958, 46.95241], atol=1e-4)


def test_meteoswiss_as_the_sum_that_it_calls_itself(tmp_path: Path, samples: ModuleType):
    path = samples.write_meteoswiss(tmp_path / "f", swiss())
    (frame,) = read_frames(path, FileSettings(quantity="mm"))
    assert (frame.quantity, frame.interval) == ("mm", STEP)
    np.testing.assert_allclose(frame.values[0, :5], [np.nan, 0, 0, 0.022398, 9.628129], rtol=1e-4)


def test_meteoswiss_of_another_product_or_size(tmp_path: Path, samples: ModuleType):
    with pytest.raises(DataError, match="product 'RZC'; expected one of AQC, CPC"):
        read_frames(samples.write_meteoswiss(tmp_path / "f", swiss(), product="RZC"))
    with pytest.raises(DataError, match="expected 710 x 640"):
        read_frames(samples.write_meteoswiss(tmp_path / "f", swiss()[:100]))
