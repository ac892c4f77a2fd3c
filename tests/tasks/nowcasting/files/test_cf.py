"""NetCDF and zarr: what their values, places and times come to, and what is refused."""

from __future__ import annotations

import importlib.util
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from semicoupled.errors import DataError, MissingExtraError
from semicoupled.tasks.nowcasting.data_settings import FileSettings
from semicoupled.tasks.nowcasting.files.reading import format_name, read_frames
from semicoupled.tasks.nowcasting.files.sequences import read_sequences
from semicoupled.tasks.nowcasting.operating.output import Forecast, write_netcdf

TIME = datetime(2021, 2, 5, 20, 5, tzinfo=UTC)
STEP = timedelta(minutes=5)
RAIN = np.array([[[0, 1, np.nan], [2, 4, 8]], [[0, 0, np.nan], [1, 2, 4]]])


@pytest.mark.parametrize(
    ("units", "factor"), [("m s-1", 1 / 3.6e6), ("mm/h", 1), ("mm h-1", 1), ("kg m-2 s-1", 1 / 3600), ("kg m-2 h-1", 1)]
)
def test_rain_rates_of_every_unit(tmp_path: Path, samples: ModuleType, units: str, factor: float):
    data = samples.dataset(RAIN * factor, units=units, name="lwe_precipitation_rate")
    frames = read_frames(samples.write_netcdf(tmp_path / "f", data))
    assert [(frame.quantity, frame.valid) for frame in frames] == [("mm/h", TIME), ("mm/h", TIME + STEP)]
    np.testing.assert_allclose(frames[0].values, RAIN[0], rtol=1e-5)
    assert frames[0].grid.projection == "OSGB36 / British National Grid"


def test_reflectivity_whose_dry_is_minus_infinity(tmp_path: Path, samples: ModuleType):
    values = np.array([[[-np.inf, 20], [30, np.nan]]])
    data = samples.dataset(values, units="dBZ", standard_name="equivalent_reflectivity_factor")
    (frame,) = read_frames(samples.write_netcdf(tmp_path / "f", data))
    np.testing.assert_array_equal(frame.dbz(), [[0, 20], [30, np.nan]])


@pytest.mark.parametrize("axes", ["lat lon", "2d lat lon"])
def test_longitude_and_latitude(tmp_path: Path, samples: ModuleType, axes: str):
    values = np.ones((1, 30, 20))
    (frame,) = read_frames(samples.write_netcdf(tmp_path / "f", samples.dataset(values, units="mm/h", axes=axes)))
    assert frame.grid.geographic
    assert frame.values.shape == (30, 20)
    assert frame.grid.kilometers == pytest.approx((1.113 + 0.015 * 111.32 * np.cos(np.radians(50.145))) / 2, rel=1e-3)
    longitude, latitude = frame.grid.lon_lat(np.array([0, 19]), np.array([0, 29]))
    np.testing.assert_allclose([longitude, latitude], [[5, 5.285], [50, 50.29]], atol=1e-6)


def test_two_dimensional_coordinates_of_a_projection(tmp_path: Path, samples: ModuleType):
    data = samples.dataset(np.ones((1, 150, 200)), units="mm/h", axes="2d projected")
    (frame,) = read_frames(samples.write_netcdf(tmp_path / "f", data))
    assert frame.grid.kilometers == pytest.approx(1, rel=1e-3)
    assert not frame.grid.geographic
    longitude, latitude = frame.grid.lon_lat(np.array([0, 199]), np.array([0, 149]))
    np.testing.assert_allclose(longitude, data["lon"].values[[0, -1], [0, -1]], atol=1e-3)
    np.testing.assert_allclose(latitude, data["lat"].values[[0, -1], [0, -1]], atol=1e-3)


def test_two_dimensional_coordinates_that_are_not_regular(tmp_path: Path, samples: ModuleType):
    data = samples.dataset(np.ones((1, 30, 20)), units="mm/h", axes="2d projected")
    data["lon"].values[:] += np.linspace(0, 1, 30)[:, None] ** 2
    with pytest.raises(DataError, match="lie on no regular grid that could be found; expected axes x and y"):
        read_frames(samples.write_netcdf(tmp_path / "f", data))


def test_sums_say_over_how_long(tmp_path: Path, samples: ModuleType):
    plain = samples.dataset(RAIN, units="mm", standard_name="rainfall_amount")
    with pytest.raises(DataError, match=r"over how long it was gathered. Set data\.files\.minutes"):
        read_frames(samples.write_netcdf(tmp_path / "plain", plain))
    assert read_frames(tmp_path / "plain", FileSettings(minutes=10))[0].interval == timedelta(minutes=10)
    said = samples.dataset(
        RAIN, units="kg m-2", standard_name="rainfall_amount", cell_methods="time: sum (interval: 15 minutes)"
    )
    assert read_frames(samples.write_netcdf(tmp_path / "said", said))[1].interval == timedelta(minutes=15)
    ends = plain["time"].values
    bounds = plain.assign(time_bnds=(("time", "nv"), np.stack([ends - np.timedelta64(6, "m"), ends], axis=1)))
    bounds["time"].attrs["bounds"] = "time_bnds"
    assert read_frames(samples.write_netcdf(tmp_path / "bounds", bounds))[0].interval == timedelta(minutes=6)
    nothing = plain.assign(time_bnds=(("time", "nv"), np.stack([ends, ends], axis=1)))
    nothing["time"].attrs["bounds"] = "time_bnds"
    file = samples.write_netcdf(tmp_path / "nothing", nothing)
    with pytest.raises(DataError, match=r"nothing: mm: a sum of rain needs the time it was gathered in, got 0:00:00"):
        read_sequences([file])


def test_wrong_units_are_named_with_what_was_there(tmp_path: Path, samples: ModuleType):
    data = samples.dataset(RAIN, units="K")
    with pytest.raises(
        DataError, match=r"no variable of reflectivity or rain: there are rainfall_rate \[K\]; expected units of dBZ"
    ):
        read_frames(samples.write_netcdf(tmp_path / "f", data))
    wind = samples.dataset(RAIN, units="m s-1", name="gust", standard_name="wind_speed")
    with pytest.raises(DataError, match=r"there are gust \[m s-1\]"):
        read_frames(samples.write_netcdf(tmp_path / "f", wind))


def test_one_of_several_variables_is_chosen_by_name_only(tmp_path: Path, samples: ModuleType):
    data = samples.dataset(RAIN, units="mm/h", name="one", standard_name="x")
    data["two"] = data["one"] * 2
    data["two"].attrs = dict(data["one"].attrs)
    path = samples.write_netcdf(tmp_path / "f", data)
    with pytest.raises(
        DataError, match=r"could mean any of one \[mm/h\], two \[mm/h\].*Name it with data\.files\.variable"
    ):
        read_frames(path)
    assert read_frames(path, FileSettings(variable="two"))[0].values[0, 1] == 2
    with pytest.raises(DataError, match="has no variable 'three'; expected one of"):
        read_frames(path, FileSettings(variable="three"))


def test_steps_that_are_not_equal(tmp_path: Path, samples: ModuleType):
    data = samples.dataset(np.ones((1, 6, 5)), units="mm/h")
    data = data.assign_coords(x=("x", [0.0, 1000, 2000, 3500, 4500], data["x"].attrs))
    with pytest.raises(DataError, match="'x' goes by steps of 1000 to 1500; expected equal ones"):
        read_frames(samples.write_netcdf(tmp_path / "f", data))


def test_degrees_on_a_projection_are_refused(tmp_path: Path, samples: ModuleType):
    data = samples.dataset(np.ones((1, 6, 5)), units="mm/h")
    for name in "xy":
        data[name].attrs["units"] = "degrees"
    with pytest.raises(DataError, match="expected degrees with longitude and latitude, metres or km with a projection"):
        read_frames(samples.write_netcdf(tmp_path / "f", data))


@pytest.mark.parametrize("axes", ["projected", "lat lon"])
def test_classic_netcdf_reads_as_netcdf_4_does(tmp_path: Path, samples: ModuleType, axes: str):
    data = samples.dataset(np.random.default_rng(0).uniform(0, 9, (2, 6, 5)), units="mm/h", axes=axes)
    ours = read_frames(samples.write_classic_netcdf(tmp_path / "classic", data))
    for one, other in zip(ours, read_frames(samples.write_netcdf(tmp_path / "four", data)), strict=True):
        np.testing.assert_allclose(one.values, other.values)
        assert (one.valid, one.quantity) == (other.valid, other.quantity)
        assert one.grid.agrees_with(other.grid)


def test_classic_netcdf_that_is_damaged_or_needs_more(
    tmp_path: Path, samples: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "zeros").write_bytes(b"CDF\x01" + bytes(100))
    with pytest.raises(DataError, match="zeros: "):
        read_frames(tmp_path / "zeros")
    wind = samples.dataset(np.ones((1, 6, 5)), name="wind", units="K", standard_name="wind")
    with pytest.raises(DataError, match=r"wind: no variable of reflectivity or rain: .*data\.files\.variable$"):
        read_frames(samples.write_classic_netcdf(tmp_path / "wind", wind))  # it is whole: nobody need fetch it again
    (tmp_path / "five").write_bytes(b"CDF\x05" + bytes(100))
    with pytest.raises(DataError, match=r"64-bit data \(CDF-5\); expected NetCDF-4, CDF-1 or CDF-2.*nccopy -k nc4"):
        read_frames(tmp_path / "five")
    whole = samples.write_classic_netcdf(tmp_path / "whole", samples.dataset(np.ones((1, 6, 5)), units="mm/h"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'needs scipy: pip install "semicoupled\[netcdf3\]"'):
        read_frames(whole)


@pytest.mark.parametrize("geographic", [False, True])
def test_our_own_forecasts_come_back(tmp_path: Path, samples: ModuleType, geographic: bool):
    axes = "lat lon" if geographic else "projected"
    made = samples.write_netcdf(tmp_path / "in", samples.dataset(np.ones((1, 30, 20)), units="mm/h", axes=axes))
    grid = read_frames(made)[0].grid
    dbz = np.random.default_rng(0).uniform(0, 60, (3, 30, 20)).astype(np.float32)
    dbz[0, 0, 0] = np.nan
    write_netcdf(Forecast(dbz, TIME, STEP, grid, dbz, "test"), tmp_path / "out.nc")
    frames = read_frames(tmp_path / "out.nc")
    assert [frame.valid for frame in frames] == [TIME + STEP, TIME + 2 * STEP, TIME + 3 * STEP]
    np.testing.assert_allclose([frame.values for frame in frames], dbz)
    assert frames[0].grid.agrees_with(grid)
    assert frames[0].grid.geographic == geographic


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_of_the_mlcast_schema(tmp_path: Path, samples: ModuleType, version: int):
    path = samples.write_mlcast(tmp_path / "store.zarr", RAIN, version=version)
    frames = read_frames(path)
    assert format_name(path) == "zarr store"
    assert [frame.valid for frame in frames] == [TIME, TIME + STEP]
    np.testing.assert_allclose(frames[1].values, RAIN[1])
    assert frames[0].grid.projection == "OSGB36 / British National Grid"


def test_a_zarr_store_that_says_that_its_metadata_are_not_together(tmp_path: Path, samples: ModuleType):
    path = samples.write_mlcast(tmp_path / "store.zarr", RAIN, version=3)
    metadata = json.loads((path / "zarr.json").read_text())
    (path / "zarr.json").write_text(json.dumps({**metadata, "consolidated_metadata": None}))
    assert [frame.valid for frame in read_frames(path)] == [TIME, TIME + STEP]


def test_a_damaged_zarr_store(tmp_path: Path, samples: ModuleType):
    path = samples.write_mlcast(tmp_path / "store.zarr", RAIN, version=3)
    metadata = json.loads((path / "rr/zarr.json").read_text())
    (path / "rr/zarr.json").write_text(
        json.dumps({**metadata, "shape": [2, 10**6, 10**6], "dimension_names": ["time", "a", "b"]})
    )
    with pytest.raises(DataError, match="expected at most 67108864 pixels a field"):
        read_frames(path)
    (path / "zarr.json").write_text("{")
    with pytest.raises(DataError, match="expected a whole file of zarr store, got one that cannot be read"):
        read_frames(path)


def _place_in_lists(metadata: dict, codec: dict, version: int) -> dict:
    return {**metadata, "codecs": [*metadata["codecs"], codec]} if version == 3 else {**metadata, "filters": [codec]}


@pytest.mark.parametrize("version", [2, 3])
def test_a_zarr_store_that_would_be_run_is_refused(
    tmp_path: Path, samples: ModuleType, monkeypatch: pytest.MonkeyPatch, version: int
):
    import numcodecs.pickles

    monkeypatch.setattr(numcodecs.pickles, "ALLOW_UNSAFE_PICKLE_DECODE", True, raising=False)  # as older releases do
    path = samples.write_mlcast(tmp_path / "store.zarr", RAIN, version=version)
    head = path / "rr" / ("zarr.json" if version == 3 else ".zarray")
    metadata, together = json.loads(head.read_text()), path / ".zmetadata"
    together.unlink(missing_ok=True)
    codec = {"id": "pickle", "protocol": 4} if version == 2 else {"name": "numcodecs.pickle", "configuration": {}}
    for bad in (
        _place_in_lists(metadata, codec, version),
        {**metadata, "compressor": codec},
        {**metadata, "codecs": [{"name": "sharding_indexed", "configuration": {"index_codecs": [codec]}}]},
    ):
        head.write_text(json.dumps(bad))
        with pytest.raises(DataError, match=r"names the codec '(numcodecs\.)?pickle'; expected one of adler32"):
            read_frames(path)
    head.write_text(json.dumps(metadata))
    assert len(read_frames(path)) == 2
    (path / "round").symlink_to(path)
    with pytest.raises(DataError, match="round: is a link to a folder of the same store"):
        read_frames(path)
    (path / "round").unlink()
    (path / "rr").rename(tmp_path / "elsewhere")
    (path / "rr").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / head.name).write_text(json.dumps({**metadata, "compressor": codec}))
    with pytest.raises(DataError, match="names the codec"):
        read_frames(path)
    head.write_text(json.dumps(metadata))
    together.write_text(json.dumps({"metadata": {"rr/.zarray": {"compressor": codec}}, "zarr_consolidated_format": 1}))
    with pytest.raises(DataError, match="names the codec"):
        read_frames(path)


def test_what_a_zarr_store_says_of_codecs_in_its_attributes_is_text(tmp_path: Path, samples: ModuleType):
    path = samples.write_mlcast(tmp_path / "store.zarr", RAIN, version=3)
    metadata = json.loads((path / "rr/zarr.json").read_text())
    metadata["attributes"]["filters"] = [{"id": "pickle"}]
    (path / "rr/zarr.json").write_text(json.dumps(metadata))
    assert len(read_frames(path)) == 2


@pytest.mark.parametrize("name", ["attributes", "rr.zattrs"])
def test_an_array_that_is_called_like_attributes_is_looked_at(tmp_path: Path, samples: ModuleType, name: str):
    path = samples.write_mlcast(tmp_path / "store.zarr", RAIN, version=3)
    node = {"zarr_format": 2, "shape": [1], "filters": [{"id": "pickle"}], "attributes": {"filters": [{"id": "text"}]}}
    group = json.loads((path / "zarr.json").read_text())
    group["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": {name: node}}
    (path / "zarr.json").write_text(json.dumps(group))
    with pytest.raises(DataError, match="names the codec 'pickle'; expected one of adler32"):
        read_frames(path)


def test_zarr_that_is_not_installed(tmp_path: Path, samples: ModuleType, monkeypatch: pytest.MonkeyPatch):
    path = samples.write_mlcast(tmp_path / "store.zarr", RAIN, version=3)
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(MissingExtraError, match=r'pip install "semicoupled\[zarr\]"'):
        read_frames(path)
