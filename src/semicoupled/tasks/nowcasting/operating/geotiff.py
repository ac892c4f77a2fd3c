"""Forecasts as GeoTIFF, one band a lead (extra ``geotiff``: rasterio)."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semicoupled import __version__
from semicoupled.errors import MissingExtraError
from semicoupled.files import write_bytes
from semicoupled.tasks.nowcasting.operating.output import Forecast

NODATA = -9999.0


def write_geotiff(forecast: Forecast, path: Path) -> None:
    """Write the reflectivity, one band a lead, in dBZ; whole or not at all.

    Raises:
        MissingExtraError: rasterio is not installed.
    """
    write_bytes(path, geotiff(forecast, forecast.dbz, "reflectivity", "dBZ"))


def write_share(forecast: Forecast, path: Path) -> None:
    """Write the share of time, one band a lead, in the same way."""
    assert forecast.share is not None
    write_bytes(path, geotiff(forecast, forecast.share, "share of time", "1"))


def write_probability(forecast: Forecast, path: Path) -> None:
    """Write the exceedance probabilities in the same way: all leads of the first threshold, then of the next."""
    assert forecast.exceedance is not None
    thresholds, probability = forecast.exceedance
    names = [f"probability of {threshold:g} dBZ" for threshold in thresholds for _ in forecast.leads]
    bands = probability.reshape(-1, *probability.shape[-2:])
    write_bytes(path, geotiff(forecast, bands, names, "1"))


def geotiff(forecast: Forecast, bands: np.ndarray, name: str | Sequence[str], unit: str) -> bytes:
    """Make a GeoTIFF, the northernmost row first.

    Args:
        forecast: whose times and places.
        bands: N H W; the leads one after the other, once or several times. NaN = missing.
        name: of what the bands hold, one for all or one each.
        unit: theirs.

    Raises:
        MissingExtraError: rasterio is not installed.
    """
    rasterio = load_rasterio()
    grid = forecast.grid
    names = [name] * len(bands) if isinstance(name, str) else list(name)
    south_first, west_last = grid.y_step > 0, grid.x_step < 0
    x_edges, y_edges = (
        sorted((first - step / 2, first + (count - 0.5) * step))
        for first, step, count in (
            (grid.x_first, grid.x_step, grid.columns),
            (grid.y_first, grid.y_step, grid.rows),
        )
    )
    profile = {
        "driver": "GTiff",
        "height": grid.rows,
        "width": grid.columns,
        "count": len(bands),
        "dtype": "float32",
        "nodata": NODATA,
        "crs": None if grid.local else rasterio.crs.CRS.from_wkt(grid.wkt),
        "transform": rasterio.transform.from_bounds(
            x_edges[0], y_edges[0], x_edges[1], y_edges[1], grid.columns, grid.rows
        ),
        "compress": "deflate",
        "predictor": 3,
        "tiled": min(grid.shape) >= 256,
        "bigtiff": "if_safer",
    }
    with rasterio.io.MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.update_tags(
                TITLE="Precipitation nowcast",
                SOURCE=f"semicoupled {__version__}, model {forecast.model}",
                FORECAST_REFERENCE_TIME=_stamp(forecast.reference),
                INPUTS=", ".join(source.name for source in forecast.sources),
                COMMENT=" ".join(f"{note}." for note in forecast.notes),
            )
            for index, (field, what) in enumerate(zip(bands, names, strict=True)):
                lead = index % len(forecast.leads)
                time, ahead = forecast.times[lead], forecast.leads[lead].total_seconds() / 60
                oriented = field[:: -1 if south_first else 1, :: -1 if west_last else 1]
                file.write(np.nan_to_num(oriented.astype(np.float32), nan=NODATA), index + 1)
                file.set_band_description(index + 1, f"{what}, +{ahead:g} min")
                file.update_tags(index + 1, VALID_TIME=_stamp(time), LEAD_MINUTES=f"{ahead:g}", UNIT=unit)
        return bytes(memory.read())


def load_rasterio() -> Any:
    """Import rasterio.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        for part in ("crs", "io", "transform"):
            importlib.import_module(f"rasterio.{part}")
        return importlib.import_module("rasterio")
    except ImportError as error:
        raise MissingExtraError(
            "GeoTIFF is written by rasterio, which is not installed; install it by "
            '`pip install "semicoupled[geotiff]"`, or write a .nc'
        ) from error


def _stamp(time: Any) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
