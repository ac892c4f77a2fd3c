"""Each format: what its pixels, places and times come to, and what is refused."""

from __future__ import annotations

import importlib.util
import json
import sys
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from semicoupled.errors import DataError, MissingExtraError
from semicoupled.tasks.nowcasting.data_settings import FileSettings
from semicoupled.tasks.nowcasting.files.frame import RadarFrame
from semicoupled.tasks.nowcasting.files.reading import format_name, iterate_frames, read_frames
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.operating.output import Forecast, write_netcdf

TIME = datetime(2021, 2, 5, 20, 5, tzinfo=UTC)
STEP = timedelta(minutes=5)
PIXELS = np.array([[0, 64, 100, 255], [0, 1, 164, 255], [66, 67, 68, 69]], np.uint8)
GRAY = FileSettings(quantity="dBZ", gain=0.5, offset=-32, missing=255, kilometers=1)


def corners(grid: Grid) -> np.ndarray:
    """Longitude and latitude of the outer corners UL, UR, LL, LR."""
    columns = np.array([-0.5, grid.columns - 0.5, -0.5, grid.columns - 0.5])
    rows = np.array([-0.5, -0.5, grid.rows - 0.5, grid.rows - 0.5])
    return np.array(grid.lon_lat(columns, rows))


# ODIM


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


# MeteoSwiss


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


# NetCDF and zarr

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


def test_zarr_that_is_not_installed(tmp_path: Path, samples: ModuleType, monkeypatch: pytest.MonkeyPatch):
    path = samples.write_mlcast(tmp_path / "store.zarr", RAIN, version=3)
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(MissingExtraError, match=r'pip install "semicoupled\[zarr\]"'):
        read_frames(path)


# images and arrays


def test_gray_png_of_8_bits_by_the_settings(tmp_path: Path, samples: ModuleType):
    (frame,) = read_frames(samples.write_png(tmp_path / "rain_202102052005.png", PIXELS), GRAY)
    assert (frame.quantity, frame.valid) == ("dBZ", TIME)
    np.testing.assert_array_equal(frame.values[0], [-32, 0, 18, np.nan])
    assert (frame.grid.local, frame.grid.kilometers, frame.grid.shape) == (True, 1, (3, 4))
    assert np.isnan(frame.grid.lon_lat(np.array([0]), np.array([0]))).all()


def test_png_of_16_bits_that_says_all_itself(tmp_path: Path, samples: ModuleType):
    said = {"quantity": "mm/h", "gain": 0.01, "missing": 65535, "kilometers": 2, "time": "2021-02-05T20:05:00Z"}
    path = samples.write_png(tmp_path / "no time", np.array([[0, 1000], [20000, 65535]], np.uint16), **said)
    (frame,) = read_frames(path, FileSettings(quantity="dBZ", gain=7))  # what a file says is not overruled
    np.testing.assert_allclose(frame.values, [[0, 10], [200, np.nan]])
    assert (frame.quantity, frame.valid, frame.grid.kilometers) == ("mm/h", TIME, 2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"quantity": None}, r"does not say what its pixels are; expected dBZ, mm/h or mm. Set data\.files\.quantity"),
        ({"gain": None}, r"does not say what one step of its whole numbers is worth. Set data\.files\.gain"),
        ({"kilometers": None}, r"does not say how large a pixel is. Set data\.files\.kilometers"),
        ({"quantity": "mm"}, r"does not say how long the rain was gathered. Set data\.files\.minutes"),
    ],
)
def test_what_is_missing_is_never_guessed(tmp_path: Path, samples: ModuleType, given: dict[str, Any], message: str):
    path = samples.write_png(tmp_path / "rain_202102052005.png", PIXELS)
    options = {"quantity": "dBZ", "gain": 0.5, "offset": -32, "kilometers": 1, **given}
    with pytest.raises(DataError, match=message):
        read_frames(path, FileSettings(**options))


def test_colors_are_no_values(tmp_path: Path):
    path = tmp_path / "rain_202102052005.png"
    colors = np.zeros((8, 8, 3), np.uint8)
    colors[0, 0] = 255, 0, 0
    Image.fromarray(colors).save(path)
    with pytest.raises(DataError, match=r"a picture in colors.*expected gray"):
        read_frames(path, GRAY)


def test_a_name_without_a_time_is_refused(tmp_path: Path, samples: ModuleType):
    with pytest.raises(
        DataError, match=r"says no time, nor does its name; expected a name such as rain_202102052005\.png"
    ):
        read_frames(samples.write_png(tmp_path / "rain.png", PIXELS), GRAY)


def test_a_gif_is_a_stack(tmp_path: Path, samples: ModuleType):
    stack = np.stack([PIXELS, PIXELS // 2])
    path = samples.write_gif(tmp_path / "rain_202102052005.gif", stack)
    with pytest.raises(DataError, match=r"how far apart its 2 fields are. Set data\.files\.minutes"):
        read_frames(path, GRAY)
    frames = read_frames(
        path, FileSettings(quantity="dBZ", gain=0.5, offset=-32, missing=255, kilometers=1, minutes=10)
    )
    assert [frame.valid for frame in frames] == [TIME, TIME + 2 * STEP]
    np.testing.assert_array_equal(frames[0].values[0], [-32, 0, 18, np.nan])


def test_npz_with_everything(tmp_path: Path):
    path = tmp_path / "any.npz"
    times = np.array(["2021-02-05T20:10", "2021-02-05T20:05"], "datetime64[s]")
    np.savez_compressed(path, rain=RAIN, times=times, kilometers=2.0, quantity="mm/h")
    frames = read_frames(path)
    assert [frame.valid for frame in frames] == [TIME, TIME + STEP]
    np.testing.assert_allclose(frames[0].values, RAIN[1])  # sorted by time
    assert (frames[0].quantity, frames[0].grid.kilometers) == ("mm/h", 2)


def test_npy_by_the_settings(tmp_path: Path):
    path = tmp_path / "rain_20210205T2005.npy"
    np.save(path, RAIN)
    frames = read_frames(path, FileSettings(quantity="mm/h", kilometers=1, minutes=5))
    assert [frame.valid for frame in frames] == [TIME, TIME + STEP]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": RAIN, "b": RAIN}, r"holds a \(2, 2, 3\), b \(2, 2, 3\); expected one array.*data\.files\.variable"),
        ({"a": RAIN, "times": np.array([0])}, "2 fields and 1 times; expected as many"),
        ({"a": RAIN, "times": np.array(["x", "y"])}, "times such as 'x'; expected 2021-02-05T20:05:00Z"),
        ({"a": RAIN, "quantity": "rain"}, "the quantity 'rain' is not known.*Known: dBZ, mm, mm/h"),
        ({"a": np.array([[{}]])}, "cannot be read.*allow_pickle=False"),
        ({"a": RAIN[:, :0]}, "expected at least one pixel"),
    ],
)
def test_npz_that_is_not_understood(tmp_path: Path, arrays: dict[str, Any], message: str):
    path = tmp_path / "rain_202102052005.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=message):
        read_frames(path, FileSettings(quantity=None if "quantity" in arrays else "mm/h", kilometers=1, minutes=5))


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, samples: ModuleType):
    path = samples.write_png(tmp_path / "rain_202102052005.png", np.zeros((1, 1), np.uint8))
    content = bytearray(path.read_bytes())
    content[16:24] = (50_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"\(1, 50000, 50000\); expected at most 67108864 pixels a field|bomb"):
        read_frames(path, GRAY)
    bomb = samples.write_odim(tmp_path / "f.h5", np.zeros((2, 2)))
    with h5py.File(bomb, "r+") as file:
        del file["dataset1/data1/data"]
        file["dataset1/data1"].create_dataset("data", (10**6, 10**6), np.uint8, chunks=(1000, 1000), compression="gzip")
    with pytest.raises(DataError, match=r"\(1000000, 1000000\); expected at most"):
        read_frames(bomb)


def test_fields_of_one_pixel_and_of_many(tmp_path: Path, samples: ModuleType):
    assert read_frames(samples.write_odim(tmp_path / "small", np.full((1, 1), 100)))[0].values.shape == (1, 1)
    assert read_frames(samples.write_odim(tmp_path / "large", np.zeros((5000, 5000)), pixel=200.0))[0].values.shape == (
        5000,
        5000,
    )


@pytest.mark.parametrize(
    "name",
    ["odim.h5", "fmi.pgm", "mch.gif", "cf.nc", "gray_202102052005.png", "stack_202102052005.gif", "a_202102052005.npz"],
)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_truncated_files_are_refused_by_name(tmp_path: Path, samples: ModuleType, name: str, share: float):
    path = tmp_path / name
    fields = np.random.default_rng(0).integers(0, 200, (3, 40, 50)).astype(np.uint8)
    if name == "a_202102052005.npz":
        np.savez(path, a=fields)
    else:
        {
            "odim.h5": lambda: samples.write_odim(path, fields[0]),
            "fmi.pgm": lambda: samples.write_fmi(path, fields[0]),
            "mch.gif": lambda: samples.write_meteoswiss(path, np.tile(fields[0], (16, 15))[:640, :710]),
            "cf.nc": lambda: samples.write_netcdf(path, samples.dataset(fields / 10, units="mm/h")),
            "gray_202102052005.png": lambda: samples.write_png(path, fields[0]),
            "stack_202102052005.gif": lambda: samples.write_gif(path, fields),
        }[name]()
    given = FileSettings(quantity="dBZ", gain=0.5, offset=-32, missing=255, kilometers=1, minutes=5)
    whole = path.read_bytes()
    assert read_frames(path, given)
    path.write_bytes(whole[: round(share * len(whole))])
    with pytest.raises(DataError, match=rf"{name}.*[Ff]etch it again"):
        read_frames(path, given)


def test_fields_are_read_one_after_the_other(tmp_path: Path, samples: ModuleType):
    frames = iterate_frames(samples.write_mlcast(tmp_path / "store.zarr", RAIN, version=3))
    assert isinstance(next(iter(frames)), RadarFrame)


def test_a_grid_that_no_radar_has_is_refused(tmp_path: Path, samples: ModuleType):
    data = samples.dataset(np.ones((1, 6, 5)), units="mm/h")
    for name in "xy":
        data[name].attrs["units"] = "km"  # they are metres
    with pytest.raises(DataError, match=r"pixels of 1e\+03 x 1e\+03 km; expected 0.01 to 100"):
        read_frames(samples.write_netcdf(tmp_path / "f", data))
