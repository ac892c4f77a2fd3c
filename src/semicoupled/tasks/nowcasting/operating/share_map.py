"""The share of time as a map: where the forecast came from time, and where from space."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from semicoupled.tasks.nowcasting.operating.movie import thinned
from semicoupled.tasks.nowcasting.operating.output import Forecast
from semicoupled.tasks.nowcasting.operating.pictures import MISSING, draw_field


def share_map(forecast: Forecast) -> Figure:
    """Draw the share of time at some leads; white where nothing is said, gray where it is missing.

    Args:
        forecast: with its share.
    """
    assert forecast.share is not None
    forecast = thinned(forecast)
    assert forecast.share is not None
    leads = sorted({0, len(forecast.dbz) // 2, len(forecast.dbz) - 1})
    figure = Figure(figsize=(3.1 * len(leads) + 1.2, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(leads), squeeze=False)[0]
    image = None
    for axes, lead in zip(panels, leads, strict=True):
        missing = np.isnan(forecast.dbz[lead])
        image = draw_field(axes, np.where(missing, np.nan, -1.0), forecast.grid)
        # brown and purple can be told apart by color-blind eyes, and both are darker than the middle
        image.set(cmap=colormaps["PuOr"].with_extremes(bad=MISSING, under="#ffffff"), norm=Normalize(0, 1))
        image.set_data(np.where(missing, np.nan, np.nan_to_num(forecast.share[lead], nan=-1.0)))
        minutes = forecast.leads[lead].total_seconds() / 60
        said = forecast.share[lead][~np.isnan(forecast.share[lead])]
        mean = f"mean {said.mean():.2f}" if said.size else "nothing said"
        axes.set_title(f"{forecast.times[lead]:%H:%M} UTC, +{minutes:g} min: {mean}", fontsize=9)
    assert image is not None
    label = "share of time: 0 space alone, 1 time alone"
    figure.colorbar(image, ax=list(panels), label=label, shrink=0.8)
    return figure
