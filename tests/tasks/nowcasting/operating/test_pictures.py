from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.operating.movie import animation
from semicoupled.tasks.nowcasting.operating.output import Forecast
from semicoupled.tasks.nowcasting.operating.pictures import LEVELS, color_map, draw_field, forecast_panels

WKT = 'PROJCRS["p",BASEGEOGCRS["WGS 84",DATUM["World Geodetic System 1984",ELLIPSOID["WGS 84",6378137,298.257223563]]],CONVERSION["c",METHOD["Polar Stereographic (variant B)"],PARAMETER["Latitude of standard parallel",60],PARAMETER["Longitude of origin",0]],CS[Cartesian,2],AXIS["x",south],AXIS["y",south],LENGTHUNIT["metre",1]]'  # noqa: E501


@pytest.fixture
def forecast() -> Forecast:
    grid = Grid(1000.0, 8000.0, 60, -3651e3, -8000.0, 50, WKT)
    dbz = np.random.default_rng(0).uniform(0, 50, (4, 50, 60)).astype(np.float32)
    dbz[:, :5] = np.nan
    return Forecast(dbz, datetime(2021, 2, 5, 20, tzinfo=UTC), timedelta(minutes=5), grid, dbz[:3], "semicoupled")


def test_more_rain_is_darker_so_that_no_color_must_be_told_apart():
    colors, norm = color_map()
    light = [np.dot(colors(norm(level + 0.1))[:3], (0.2126, 0.7152, 0.0722)) for level in LEVELS[:-1]]
    assert np.all(np.diff(light) < -0.02)
    assert colors(norm(2.0))[:3] == to_rgb("#ffffff")
    assert colors(np.ma.masked)[:3] == pytest.approx(to_rgb("#d8d8d8"))


def test_an_animation_shows_observed_and_forecast_frames(forecast: Forecast):
    with Image.open(io.BytesIO(animation(forecast))) as image:
        assert image.n_frames == 3 + 4
        assert image.info["loop"] == 0


@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_empty_fields_can_be_drawn(forecast: Forecast, fill: float):
    forecast.dbz[:], forecast.observed[:] = fill, fill
    assert animation(forecast).startswith(b"GIF89a")


def test_panels_name_their_times(forecast: Forecast):
    titles = [axes.get_title() for axes in forecast_panels(forecast, forecast.dbz).axes]
    assert "observed 20:00 UTC" in titles
    assert "forecast 20:20, +20 min" in titles
    assert "observed 20:20, +20 min" in titles


@pytest.mark.parametrize("x_step", [8000.0, -8000.0])
@pytest.mark.parametrize("y_step", [8000.0, -8000.0])
def test_north_is_up_whichever_row_comes_first(x_step: float, y_step: float):
    grid = Grid(500e3 if x_step < 0 else 108e3, x_step, 50, -3651e3 if y_step < 0 else -4043e3, y_step, 50, WKT)
    dbz = np.zeros(grid.shape, np.float32)
    north, west = grid.y > np.median(grid.y), grid.x < np.median(grid.x)
    dbz[np.ix_(north, west)] = 55
    figure = Figure(figsize=(2, 2))
    canvas = FigureCanvasAgg(figure)
    draw_field(figure.add_axes((0, 0, 1, 1)), dbz, grid)
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[..., :3].mean(-1)
    half = len(picture) // 2
    quarters = [picture[rows, columns].mean() for rows in (slice(half), slice(half, None))
                for columns in (slice(half), slice(half, None))]  # fmt: skip
    assert quarters[0] < 120 < 230 < min(quarters[1:])
