from __future__ import annotations

import builtins
import dataclasses
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import xarray as xr
from PIL import Image

from semicoupled.data.video_container import load_av
from semicoupled.errors import DataError, MissingExtraError
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.operating.geotiff import load_rasterio
from semicoupled.tasks.nowcasting.operating.movie import movie, render, thinned
from semicoupled.tasks.nowcasting.operating.output import Exceedance, Forecast
from semicoupled.tasks.nowcasting.operating.share_map import share_map
from semicoupled.tasks.nowcasting.operating.writers import find_targets, write_targets

KNMI = pyproj.CRS.from_proj4("+proj=stere +lat_0=90 +lon_0=0 +lat_ts=60 +a=6378137 +b=6356752 +units=m").to_wkt()
GRID = Grid(500.0, 1000.0, 700, -3650.5e3, -1000.0, 765, KNMI).coarsened(5)


@pytest.fixture
def forecast() -> Forecast:
    rng = np.random.default_rng(0)
    dbz = rng.uniform(0, 50, (3, *GRID.shape)).astype(np.float32)
    share = rng.uniform(0, 1, dbz.shape).astype(np.float32)
    probability = rng.uniform(0, 1, (2, *dbz.shape)).astype(np.float32)
    for field in (dbz, share, probability):
        field[..., :5, :] = np.nan
    return Forecast(
        dbz,
        datetime(2021, 2, 5, 20, 25, tzinfo=UTC),
        timedelta(minutes=5),
        GRID,
        dbz[:2],
        "semicoupled",
        [Path("a.h5")],
        share=share,
        exceedance=Exceedance((15.0, 30.0), probability),
        notes=("something to know",),
    )


def write(forecast: Forecast, *names: Path) -> list[Path]:
    return list(write_targets(forecast, find_targets(names, {})))


def test_several_files_of_one_forecast(forecast: Forecast, tmp_path: Path):
    pytest.importorskip("rasterio", reason="the extra geotiff is not installed")
    pytest.importorskip("av", reason="the extra video is not installed")
    names = ["f.nc", "f.tif", "f.share.tif", "f.probability.tif", "f.gif", "f.mp4", "f.png", "f.share.png"]
    assert write(forecast, *(tmp_path / name for name in names)) == [tmp_path / name for name in names]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    with Image.open(tmp_path / "f.share.png") as image:
        assert image.width > 600


def test_the_time_stands_where_it_was_asked_for(forecast: Forecast, tmp_path: Path):
    (tmp_path / "folder").mkdir()
    written = write(forecast, tmp_path / "a_{time}.nc", tmp_path / "folder", tmp_path / "new")
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        "a_20210205T2025Z.nc",
        "folder/nowcast_20210205T2025Z.nc",
        "new/nowcast_20210205T2025Z.nc",
    ]


def test_layers_stand_in_the_netcdf_file(forecast: Forecast, tmp_path: Path):
    write(forecast, tmp_path / "f.nc")
    with xr.open_dataset(tmp_path / "f.nc", engine="h5netcdf") as data:
        np.testing.assert_array_equal(data.temporal_share.values, forecast.share)
        assert forecast.exceedance is not None
        np.testing.assert_array_equal(data.exceedance_probability.values, forecast.exceedance.probability)
        assert data.exceedance_probability.dims == ("threshold", "time", "y", "x")
        assert data.threshold.values.tolist() == [15, 30]
        assert data.attrs["comment"].endswith("Something to know.")
    with xr.open_dataset(tmp_path / "f.nc", engine="h5netcdf", decode_cf=False) as raw:
        for name in ("temporal_share", "exceedance_probability"):
            assert raw[name].attrs["grid_mapping"] == "crs"
            assert raw[name].attrs["units"] == "1"
            assert raw[name].attrs["valid_range"].dtype == raw[name].dtype  # CF-1.7, Sec. 2.5.1
        assert raw.threshold.attrs["units"] == "dBZ"
        assert "_FillValue" not in raw.threshold.attrs  # coordinate variables have no missing values, Sec. 2.5.1
    plain = dataclasses.replace(forecast, share=None, exceedance=None)
    write(plain, tmp_path / "g.nc")
    with xr.open_dataset(tmp_path / "g.nc", engine="h5netcdf") as data:
        assert set(data.data_vars) == {"reflectivity", "crs"}


@pytest.mark.parametrize("south_first", [False, True])
def test_a_geotiff_says_where_when_and_what(forecast: Forecast, tmp_path: Path, south_first: bool):
    rasterio = pytest.importorskip("rasterio", reason="the extra geotiff is not installed")
    if south_first:
        grid = dataclasses.replace(GRID, y_first=GRID.y_first + (GRID.rows - 1) * GRID.y_step, y_step=-GRID.y_step)
        forecast = dataclasses.replace(forecast, grid=grid, dbz=forecast.dbz[:, ::-1])
    write(forecast, tmp_path / "f.tif")
    northern_first = forecast.dbz[:, ::-1] if south_first else forecast.dbz
    with rasterio.open(tmp_path / "f.tif") as file:
        assert file.count == 3
        assert file.nodata == -9999
        np.testing.assert_array_equal(file.read(2, masked=True).filled(np.nan), northern_first[1])
        assert file.descriptions[1] == "reflectivity, +10 min"
        assert file.tags(2) == {"VALID_TIME": "2021-02-05T20:35:00Z", "LEAD_MINUTES": "10", "UNIT": "dBZ"}
        assert file.tags()["FORECAST_REFERENCE_TIME"] == "2021-02-05T20:25:00Z"
        assert file.tags()["COMMENT"] == "something to know."
        to_degrees = pyproj.Transformer.from_crs(
            pyproj.CRS.from_wkt(file.crs.to_wkt()), GRID.crs.geodetic_crs, always_xy=True
        )
        longitude, latitude = to_degrees.transform(
            [file.bounds.left, file.bounds.right], [file.bounds.top, file.bounds.bottom]
        )
    np.testing.assert_allclose(longitude, [0, 9.009], atol=1e-3)  # the outer corners of KNMI's grid
    np.testing.assert_allclose(latitude, [55.974, 48.895], atol=1e-3)


def test_probabilities_have_a_band_for_each_threshold_and_lead(forecast: Forecast, tmp_path: Path):
    rasterio = pytest.importorskip("rasterio", reason="the extra geotiff is not installed")
    write(forecast, tmp_path / "f.probability.tif")
    assert forecast.exceedance is not None
    with rasterio.open(tmp_path / "f.probability.tif") as file:
        assert file.count == 6
        assert file.descriptions[3] == "probability of 30 dBZ, +5 min"
        assert file.tags(4)["VALID_TIME"] == "2021-02-05T20:30:00Z"
        np.testing.assert_array_equal(file.read(4, masked=True).filled(np.nan), forecast.exceedance.probability[1, 0])


def test_a_movie_shows_what_a_gif_shows(forecast: Forecast):
    av = pytest.importorskip("av", reason="the extra video is not installed")
    bars = np.linspace(0, 60, GRID.columns, dtype=np.float32)  # a random field is no picture that codecs are made for
    for lead in range(3):
        forecast.dbz[lead] = np.roll(bars, 40 * lead)
    images = list(render(forecast))
    with av.open(io.BytesIO(movie(forecast))) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert container.streams.video[0].codec_context.name in ("h264", "mpeg4")
        assert float(container.streams.video[0].duration * container.streams.video[0].time_base) == pytest.approx(2.8)
    assert len(frames) == 2 + 3 + 2  # the last one is shown three times
    for image, frame in zip(images, frames, strict=False):
        rows, columns, _ = image.shape  # a movie's are even
        assert np.abs(image.astype(int) - frame[:rows, :columns].astype(int)).mean() < 8
    assert np.abs(images[0].astype(int) - images[4].astype(int)).mean() > 8


def test_the_map_says_where_time_counts(forecast: Forecast):
    figure = share_map(forecast)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "20:30 UTC, +5 min: mean 0.50"
    shown = np.ma.filled(figure.axes[0].images[0].get_array(), np.nan)
    assert forecast.share is not None
    np.testing.assert_allclose(shown[5:], forecast.share[0, 5:])
    assert np.isnan(shown[:5]).all()
    forecast.share[:, 10:] = np.nan  # dry, not missing
    shown = np.ma.filled(share_map(forecast).axes[0].images[0].get_array(), np.nan)
    assert (shown[10:] == -1).all()


def test_pictures_of_large_fields_draw_every_nth_pixel(forecast: Forecast):
    assert thinned(forecast) is forecast
    grid = dataclasses.replace(GRID, rows=5000, columns=2500)
    large = dataclasses.replace(forecast, dbz=np.zeros((1, 5000, 2500)), observed=np.zeros((1, 5000, 2500)), grid=grid)
    assert thinned(dataclasses.replace(large, share=None)).dbz.shape == (1, 1250, 625)


@pytest.mark.parametrize(("name", "extra"), [("rasterio", "geotiff"), ("av", "video")])
def test_a_library_that_is_not_there_is_named_before_anything_is_computed(
    name: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def absent(module: str, *_: object) -> Any:
        raise ModuleNotFoundError(module)

    monkeypatch.setattr("importlib.import_module", absent)
    suffix = {"rasterio": "tif", "av": "mp4"}[name]
    with pytest.raises(MissingExtraError, match=rf'which is not installed; .*pip install "semicoupled\[{extra}\]"'):
        find_targets([tmp_path / f"f.{suffix}"], {})
    assert load_rasterio is not load_av


@pytest.mark.parametrize("name", ["f.nc", "f.gif", "f.mp4", "f.png", "f.tif", "f.share.png"])
def test_a_full_disk_leaves_what_was_there(
    forecast: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    if name.endswith("tif"):
        pytest.importorskip("rasterio", reason="the extra geotiff is not installed")
    if name.endswith("mp4"):
        pytest.importorskip("av", reason="the extra video is not installed")
    path = tmp_path / name
    path.write_text("the last forecast")

    def full(self: Path, content: bytes) -> int:
        with builtins.open(self, "wb") as file:  # noqa: PTH123
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match=r"cannot be written .*No space left.* Is there room on the disk"):
        write(forecast, path)
    assert path.read_text() == "the last forecast"
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
