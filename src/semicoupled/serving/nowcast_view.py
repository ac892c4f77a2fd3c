"""What a page of radar fields needs beside the fields: colors, lines of longitude and latitude, scores by lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from contourpy import contour_generator
from matplotlib.colors import to_hex

from semicoupled.description import Json
from semicoupled.serving.work import numbers
from semicoupled.tasks.nowcasting.extrapolation.baselines import BASELINES
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.operating.pictures import LEVELS, MISSING, color_map
from semicoupled.tasks.nowcasting.scores.metrics import count

_SAMPLED = 48
_SPACINGS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_LINES = 6
_ROUND = 350.0


def legend() -> dict[str, Json]:
    """Give the colors of dBZ: the same as in pictures and movies."""
    colors, norm = color_map()
    steps = [to_hex(colors(norm((low + high) / 2))) for low, high in pairwise(LEVELS)]
    return {"levels": list(LEVELS), "colors": steps, "missing": MISSING, "above": to_hex(colors(norm(99)))}


def graticule(grid: Grid) -> list[dict[str, Json]]:
    """Give lines of longitude and latitude, drawn from the grid's projection.

    Returns:
        Lines with their label and points (column, row) in pixels from the upper left corner of the field; none where
        nobody knows where the field lies.
    """
    columns = np.linspace(-0.5, grid.columns - 0.5, _SAMPLED)
    rows = np.linspace(-0.5, grid.rows - 0.5, _SAMPLED)
    across, down = np.meshgrid(columns, rows)
    longitude, latitude = grid.lon_lat(across, down)
    lines: list[dict[str, Json]] = []
    middle = longitude[_SAMPLED // 2, _SAMPLED // 2]
    longitude = (longitude - middle + 180) % 360 - 180 + middle  # without a jump where 180° lies within the field
    for degrees, positive, negative in ((longitude, "E", "W"), (latitude, "N", "S")):
        if not np.isfinite(degrees).all():
            continue
        span = float(np.ptp(degrees))
        if span > _ROUND:  # a pole lies within the field: meridians meet there, and cannot be drawn as contours
            continue
        spacing = next((step for step in _SPACINGS if span / step <= _LINES), _SPACINGS[-1])
        levels = np.arange(np.ceil(degrees.min() / spacing) * spacing, degrees.max(), spacing)
        generator = contour_generator(columns + 0.5, rows + 0.5, degrees)
        for level in levels:
            shown = round(float(level), 6)
            shown = (shown + 180) % 360 - 180 if degrees is longitude else shown
            name = f"{abs(round(shown, 6)):g}°{positive if shown >= 0 else negative}"
            lines += [
                {"label": name, "points": np.round(np.asarray(part), 1).tolist()} for part in generator.lines(level)
            ]
    return lines


def scores_by_lead(
    observed: np.ndarray,
    forecast: np.ndarray,
    truth: np.ndarray,
    kilometers: float,
    thresholds: Sequence[float],
    tell: Callable[[str], None],
) -> Mapping[str, Json]:
    """Score a forecast beside the baselines, at every lead for itself.

    Args:
        observed: T H W, dBZ, the frames that went in.
        forecast: K H W.
        truth: K H W, as many leads as are known.
        kilometers: size of a pixel.
        thresholds: dBZ, of CSI.
        tell: hears what is being scored.

    Returns:
        By model: ``mse`` (K) and ``csi`` (threshold K); over pixels that are there in all frames that went in and in
        the one to come.
    """
    leads = len(truth)
    counts = np.broadcast_to(~np.isnan(observed).any(0), truth.shape)
    found: dict[str, Any] = {}
    forecasts = {"this model": lambda: forecast[:leads]}
    for name, baseline in BASELINES.items():
        forecasts[name] = lambda make=baseline: make(observed, leads, kilometers)
    for name, make in forecasts.items():
        tell(f"scoring {name.replace('_', ' ')}")
        scores = count(make(), truth, counts, thresholds).scores()
        found[name] = {
            "mse": numbers(scores["mse"][0], 4),
            "csi": numbers(scores["csi"][0].T, 4),
            "frequency_bias": numbers(scores["frequency_bias"][0].T, 4),
        }
    return found
