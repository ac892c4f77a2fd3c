"""A forecast in motion: GIF by Pillow, MP4 by PyAV (extra ``video``)."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from semicoupled.data.video_writer import encode_video
from semicoupled.files import write_bytes
from semicoupled.tasks.nowcasting.operating.output import Forecast
from semicoupled.tasks.nowcasting.operating.pictures import INK, draw_field

MILLISECONDS = 400
_LAST = 3
"""Times as long as the others that the last image is shown."""
_DRAWN = 1200
"""Pixels of a field's side that a picture can show; of larger ones every n-th is drawn."""


def thinned(forecast: Forecast) -> Forecast:
    """Give a forecast with no more pixels than a picture can show, on the same area."""
    every = max(1, max(forecast.grid.shape) // _DRAWN)
    if every == 1:
        return forecast
    share = None if forecast.share is None else forecast.share[..., ::every, ::every]
    fields = {name: getattr(forecast, name)[..., ::every, ::every] for name in ("dbz", "observed")}
    return dataclasses.replace(forecast, share=share, exceedance=None, **fields)


def render(forecast: Forecast) -> Iterator[np.ndarray]:
    """Draw what was observed and then what is forecast, H W 3 each, one size, even numbers of pixels.

    Args:
        forecast: the forecast with the frames that went in.
    """
    forecast = thinned(forecast)
    before = [forecast.reference - forecast.step * back for back in range(len(forecast.observed) - 1, -1, -1)]
    shown = [("observed", time, field) for time, field in zip(before, forecast.observed, strict=True)]
    shown += [("forecast", time, field) for time, field in zip(forecast.times, forecast.dbz, strict=True)]
    figure = Figure(figsize=(5.6, 5.4), dpi=90, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = draw_field(axes, shown[0][2], forecast.grid)
    figure.colorbar(image, ax=axes, label="dBZ", extend="both", shrink=0.8)
    for kind, time, field in shown:
        image.set_data(field)
        axes.set_title(_stamp(kind, time, forecast.reference), fontsize=10, color=INK[kind], loc="left")
        canvas.draw()
        yield np.asarray(canvas.buffer_rgba())[..., :3].copy()


def animation(forecast: Forecast, milliseconds: int = MILLISECONDS) -> bytes:
    """Make a GIF of what was observed and then of what is forecast.

    Args:
        forecast: the forecast with the frames that went in.
        milliseconds: that each image is shown; the last one three times as long.
    """
    images = [Image.fromarray(image) for image in render(forecast)]
    palette = images[-1].quantize(64, dither=Image.Dither.NONE)
    reduced = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in images]
    buffer = io.BytesIO()
    duration = [milliseconds] * (len(reduced) - 1) + [_LAST * milliseconds]
    reduced[0].save(buffer, "GIF", save_all=True, append_images=reduced[1:], duration=duration, loop=0)
    return buffer.getvalue()


def write_animation(forecast: Forecast, path: Path) -> None:
    """Write the GIF of a forecast, whole or not at all."""
    write_bytes(path, animation(forecast))


def write_movie(forecast: Forecast, path: Path) -> None:
    """Write the MP4 of a forecast, whole or not at all: H.264 where the library has it, else MPEG-4.

    Raises:
        MissingExtraError: PyAV is not installed.
    """
    write_bytes(path, movie(forecast))


def movie(forecast: Forecast, milliseconds: int = MILLISECONDS) -> bytes:
    """Make an MP4 of what was observed and then of what is forecast.

    Args:
        forecast: the forecast with the frames that went in.
        milliseconds: that each image is shown; the last one three times as long.

    Raises:
        MissingExtraError: PyAV is not installed.
    """
    images = list(render(forecast))
    buffer = io.BytesIO()
    encode_video(buffer, [*images, *[images[-1]] * (_LAST - 1)], 1000 / milliseconds)
    return buffer.getvalue()


def _stamp(kind: str, time: datetime, reference: datetime) -> str:
    ahead = (time - reference).total_seconds() / 60
    return f"{kind}  {time:%Y-%m-%d %H:%M} UTC" + (f"  (+{ahead:g} min)" if ahead > 0 else "")
