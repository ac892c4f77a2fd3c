"""Radar fields as pictures: a scale of dBZ that color-blind people can read, coordinates, time stamps."""

from __future__ import annotations

from typing import cast

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.operating.output import Forecast

LEVELS = (5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60)
"""dBZ; below the first is drawn as dry."""

MISSING = "#d8d8d8"
_DRY = "#ffffff"
_BEYOND = "#2b0030"
INK = {"observed": "#1b1f24", "forecast": "#0550ae"}
_DEGREES = 1.0


def color_map() -> tuple[ListedColormap, BoundaryNorm]:
    """Give the colors of `LEVELS`: white where dry, gray where missing."""
    # Viridis from bright to dark: more rain is darker, so that color-blind eyes and gray prints show it as well.
    steps = colormaps["viridis"](np.linspace(0.97, 0.08, len(LEVELS) - 1))
    colors = ListedColormap(list(steps)).with_extremes(bad=MISSING, under=_DRY, over=_BEYOND)
    return cast(ListedColormap, colors), BoundaryNorm(LEVELS, len(steps))


def draw_field(axes: Axes, dbz: np.ndarray, grid: Grid) -> AxesImage:
    """Draw a field on its projection, north up and east to the right, with lines of longitude and latitude.

    Args:
        axes: where to draw.
        dbz: H W, NaN = missing.
        grid: where the pixels lie.
    """
    x, y = grid.x / 1000, grid.y / 1000
    half_x, half_y = grid.x_step / 2000, grid.y_step / 2000
    extent = (x[0] - half_x, x[-1] + half_x, y[-1] + half_y, y[0] - half_y)
    colors, norm = color_map()
    image = axes.imshow(dbz, cmap=colors, norm=norm, extent=extent, origin="upper", interpolation="nearest")
    columns, rows = np.meshgrid(np.linspace(-0.5, grid.columns - 0.5, 60), np.linspace(-0.5, grid.rows - 0.5, 60))
    longitude, latitude = grid.lon_lat(columns, rows)
    across = (grid.x_first + grid.x_step * columns) / 1000, (grid.y_first + grid.y_step * rows) / 1000
    for degrees, name in ((longitude, "°E"), (latitude, "°N")):
        if np.isfinite(degrees).all():
            spacing = _DEGREES * max(1, round(np.ptp(degrees) / 6))
            lines = np.arange(np.ceil(degrees.min() / spacing) * spacing, degrees.max(), spacing)
            if len(lines):
                drawn = axes.contour(*across, degrees, levels=lines, colors="#5a5a5a", linewidths=0.4, alpha=0.7)
                axes.clabel(drawn, fmt=lambda value, unit=name: f"{value:g}{unit}", fontsize=6, inline_spacing=1)
    axes.set_xlim(*sorted(extent[:2]))  # some files begin with the southernmost row
    axes.set_ylim(*sorted(extent[2:]))
    axes.set_xticks([])
    axes.set_yticks([])
    return image


def forecast_panels(forecast: Forecast, truth: np.ndarray | None = None) -> Figure:
    """Draw the last observation and some leads, over what came to be if that is known.

    Args:
        forecast: the forecast.
        truth: K H W, dBZ.
    """
    leads = sorted({0, len(forecast.dbz) // 2, len(forecast.dbz) - 1})
    rows = [("forecast", forecast.dbz)] + ([] if truth is None else [("observed", truth)])
    figure = Figure(figsize=(3.1 * (len(leads) + 1) + 0.8, 3.2 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(rows), len(leads) + 1, squeeze=False)
    image = None
    for line, (kind, fields) in zip(panels, rows, strict=True):
        image = draw_field(line[0], forecast.observed[-1], forecast.grid)
        line[0].set_title(f"observed {forecast.reference:%H:%M} UTC", fontsize=9, color=INK["observed"])
        for axes, lead in zip(line[1:], leads, strict=True):
            draw_field(axes, fields[lead], forecast.grid)
            minutes = forecast.leads[lead].total_seconds() / 60
            axes.set_title(f"{kind} {forecast.times[lead]:%H:%M}, +{minutes:g} min", fontsize=9, color=INK[kind])
    assert image is not None
    figure.colorbar(image, ax=panels, label="dBZ", extend="both", shrink=0.8)
    return figure
