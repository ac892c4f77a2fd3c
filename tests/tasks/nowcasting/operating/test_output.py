from __future__ import annotations

import errno
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyproj
import pytest
import xarray as xr

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.files.reading import read_frames
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.operating.output import Forecast, grid_mapping, to_dataset, write_netcdf

KNMI = pyproj.CRS.from_proj4("+proj=stere +lat_0=90 +lon_0=0 +lat_ts=60 +a=6378137 +b=6356752 +units=m").to_wkt()
GRID = Grid(500.0, 1000.0, 700, -3650.5e3, -1000.0, 765, KNMI).coarsened(5)
REFERENCE = datetime(2021, 2, 5, 20, 25, tzinfo=UTC)


@pytest.fixture
def forecast() -> Forecast:
    dbz = np.random.default_rng(0).uniform(0, 50, (3, *GRID.shape)).astype(np.float32)
    dbz[:, :5] = np.nan
    return Forecast(dbz, REFERENCE, timedelta(minutes=5), GRID, dbz[:2], "semicoupled", [Path("a.h5"), Path("b.h5")])


def test_values_times_and_leads_come_back(forecast: Forecast, tmp_path: Path):
    write_netcdf(forecast, tmp_path / "new" / "f.nc")
    with xr.open_dataset(tmp_path / "new" / "f.nc", engine="h5netcdf", decode_timedelta=False) as data:
        np.testing.assert_array_equal(data.reflectivity.values, forecast.dbz)
        assert data.reflectivity.dims == ("time", "y", "x")
        assert data.time.values.astype("datetime64[s]").tolist() == [
            datetime(2021, 2, 5, 20, minute) for minute in (30, 35, 40)
        ]
        assert data.forecast_reference_time.values == np.datetime64("2021-02-05T20:25")
        np.testing.assert_array_equal(data.lead_time.values, [5, 10, 15])
        assert data.attrs["Conventions"] == "CF-1.7"
        assert "a.h5, b.h5" in data.attrs["history"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["f.nc"]


def test_the_file_says_what_cf_wants(forecast: Forecast, tmp_path: Path):
    write_netcdf(forecast, tmp_path / "f.nc")
    with xr.open_dataset(tmp_path / "f.nc", engine="h5netcdf", decode_cf=False) as raw:
        field = raw.reflectivity
        assert field.attrs["grid_mapping"] == "crs"
        assert field.attrs["units"] == "dBZ"
        assert field.attrs["standard_name"] == "equivalent_reflectivity_factor"
        assert field.attrs["_FillValue"] == -9999
        assert "lead_time" in field.attrs["coordinates"]
        assert raw.crs.attrs["grid_mapping_name"] == "polar_stereographic"
        assert {"crs_wkt", "standard_parallel", "semi_major_axis"} <= set(raw.crs.attrs)
        for name in ("x", "y"):
            assert raw[name].attrs["standard_name"] == f"projection_{name}_coordinate"
            assert raw[name].attrs["units"] == "m"
            assert "_FillValue" not in raw[name].attrs
        assert raw.time.attrs["units"] == "seconds since 1970-01-01 00:00:00"
        assert raw.time.attrs["standard_name"] == "time"
        assert raw.forecast_reference_time.attrs["standard_name"] == "forecast_reference_time"
        assert raw.lead_time.attrs["standard_name"] == "forecast_period"


SOUTH = pyproj.CRS.from_proj4("+proj=stere +lat_0=-90 +lon_0=0 +lat_ts=-60 +datum=WGS84").to_wkt()


@pytest.mark.parametrize(("crs", "pole"), [(KNMI, 90.0), (SOUTH, -90.0), ("EPSG:3035", None)])
def test_a_grid_mapping_has_all_that_cf_asks_for(crs: str, pole: float | None):
    mapping = grid_mapping(pyproj.CRS(crs))
    datum = {"reference_ellipsoid_name", "prime_meridian_name", "horizontal_datum_name"}
    assert datum <= mapping.keys() or not datum & mapping.keys()
    assert (mapping["grid_mapping_name"] == "polar_stereographic") == (pole is not None)
    if pole is not None:
        assert mapping["latitude_of_projection_origin"] == pole


def test_times_are_of_a_type_that_cf_1_7_has(forecast: Forecast):
    data = to_dataset(forecast)
    assert data.time.dtype == data.forecast_reference_time.dtype == np.float64


@pytest.mark.parametrize("from_wkt", [True, False])
def test_places_come_back_from_the_file_alone(forecast: Forecast, tmp_path: Path, from_wkt: bool):
    """The outer corners of KNMI's grid, from crs_wkt and from the grid mapping's parameters."""
    write_netcdf(forecast, tmp_path / "f.nc")
    with xr.open_dataset(tmp_path / "f.nc", engine="h5netcdf") as data:
        attributes = dict(data.crs.attrs)
        if not from_wkt:
            del attributes["crs_wkt"]
        crs = pyproj.CRS.from_cf(attributes)
        x, y = data.x.values, data.y.values
    half = (x[1] - x[0]) / 2
    to_degrees = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    longitude, latitude = to_degrees.transform([x[0] - half, x[-1] + half], [y[0] + half, y[-1] - half])
    np.testing.assert_allclose(longitude, [0, 9.009], atol=1e-3)
    np.testing.assert_allclose(latitude, [55.974, 48.895], atol=1e-3)


def test_a_forecast_can_be_read_as_radar_fields(forecast: Forecast, tmp_path: Path):
    write_netcdf(forecast, tmp_path / "f.nc")
    frames = read_frames(tmp_path / "f.nc")
    assert [frame.valid for frame in frames] == list(forecast.times)
    assert frames[0].grid.agrees_with(GRID)
    np.testing.assert_array_equal(frames[2].dbz(), forecast.dbz[2])


def test_a_failed_write_leaves_what_was_there(forecast: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "f.nc"
    path.write_text("the last forecast")

    def full(self: Path, content: bytes) -> int:
        self.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match=r"f\.nc: cannot be written .*No space left.* Is there room on the disk"):
        write_netcdf(forecast, path)
    assert path.read_text() == "the last forecast"
    assert [entry.name for entry in tmp_path.iterdir()] == ["f.nc"]


def test_the_dataset_needs_no_file(forecast: Forecast):
    assert to_dataset(forecast).reflectivity.shape == (3, *GRID.shape)
