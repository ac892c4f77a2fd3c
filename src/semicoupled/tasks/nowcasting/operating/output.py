"""Forecasts as CF-1.7 NetCDF: valid times, reference time, lead, coordinates in metres, grid mapping.

See https://cfconventions.org/Data/cf-conventions/cf-conventions-1.7/cf-conventions.html, Sec. 4.4 and 5.6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyproj
import xarray as xr

from semicoupled import __version__
from semicoupled.errors import DataError
from semicoupled.files import write_bytes
from semicoupled.tasks.nowcasting.data_settings import ZR
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.units import MARSHALL_PALMER

CONVENTIONS = "CF-1.7"
_NO_FILL = ("time", "x", "y", "forecast_reference_time", "lead_time", "threshold")
_FILL = np.float32(-9999.0)
_DATUM = ("reference_ellipsoid_name", "prime_meridian_name", "horizontal_datum_name")
_EPOCH = "seconds since 1970-01-01 00:00:00"


class Exceedance(NamedTuple):
    """How likely thresholds are exceeded.

    Attributes:
        thresholds: Q thresholds, dBZ.
        probability: Q K H W, 0 to 1; NaN = missing.
    """

    thresholds: tuple[float, ...]
    probability: np.ndarray


@dataclass(frozen=True, eq=False)
class Forecast:
    """A forecast and where it came from.

    Args:
        dbz: K H W, dBZ from 0 to 60; NaN = missing.
        reference: valid time of the newest frame that went in, UTC.
        step: time from one lead to the next.
        grid: where the pixels lie.
        observed: T H W, the frames that went in, dBZ; the last is valid at `reference`.
        model: what made it, for the file's source.
        sources: the files of the frames that went in.
        share: K H W, how much of the answer came from time (see `share`), 0 to 1; None where that is not known.
        exceedance: how likely thresholds are exceeded; None where the run is not calibrated.
        notes: sentences about this forecast that its reader should know.
        z_r: between reflectivity and rain.
    """

    dbz: np.ndarray
    reference: datetime
    step: timedelta
    grid: Grid
    observed: np.ndarray
    model: str
    sources: Sequence[Path] = ()
    share: np.ndarray | None = None
    exceedance: Exceedance | None = None
    notes: Sequence[str] = ()
    z_r: ZR = MARSHALL_PALMER

    @property
    def leads(self) -> tuple[timedelta, ...]:
        """Time from the reference to each field."""
        return tuple(self.step * (index + 1) for index in range(len(self.dbz)))

    @property
    def times(self) -> tuple[datetime, ...]:
        """Valid times, UTC."""
        return tuple(self.reference + lead for lead in self.leads)


def write_netcdf(forecast: Forecast, path: Path) -> None:
    """Write a forecast; an older file is replaced only once the new one is whole.

    Raises:
        DataError: the file cannot be written.
    """
    data = to_dataset(forecast)
    packed = {"dtype": "float32", "_FillValue": _FILL, "zlib": True, "complevel": 4, "shuffle": True}
    encoding = {
        **{str(name): packed for name, field in data.data_vars.items() if field.ndim >= 3},
        **{name: {"_FillValue": None} for name in _NO_FILL if name in data.coords},
    }
    # Made in memory: the HDF5 library takes the process down with it where a disk fills up halfway.
    content = data.to_netcdf(engine="h5netcdf", encoding=encoding)
    try:
        write_bytes(path, bytes(content))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error}); nothing was left there. "
            "Is there room on the disk? May this user write there? Else choose another --out"
        ) from error


def to_dataset(forecast: Forecast) -> xr.Dataset:
    """Give a forecast as an xarray dataset that follows the CF conventions."""
    grid = forecast.grid
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    seconds = [round((time - epoch).total_seconds()) for time in forecast.times]
    reference = round((forecast.reference - epoch).total_seconds())
    variables = {
        "reflectivity": xr.Variable(
            ("time", "y", "x"),
            np.asarray(forecast.dbz, np.float32),
            {
                "standard_name": "equivalent_reflectivity_factor",
                "long_name": "forecast radar reflectivity, clipped to 0 to 60 dBZ, 0 where dry",
                "units": "dBZ",
                "cell_methods": "time: point",
                "grid_mapping": "crs",
            },
        ),
        "crs": xr.Variable((), np.int32(0), grid_mapping(grid.crs)),
    }
    if forecast.share is not None:
        variables["temporal_share"] = xr.Variable(
            ("time", "y", "x"),
            np.asarray(forecast.share, np.float32),
            {
                "long_name": "share of the network's answer that came from time rather than space; missing where "
                "nothing is said",
                "units": "1",
                "valid_range": np.array([0, 1], np.float32),
                "grid_mapping": "crs",
            },
        )
    if forecast.exceedance is not None:
        variables["exceedance_probability"] = xr.Variable(
            ("threshold", "time", "y", "x"),
            np.asarray(forecast.exceedance.probability, np.float32),
            {
                "long_name": "probability that the reflectivity is at least the threshold",
                "units": "1",
                "valid_range": np.array([0, 1], np.float32),
                "grid_mapping": "crs",
            },
        )
    coordinates = {
        "time": xr.Variable(
            "time",
            np.array(seconds, np.float64),  # CF-1.7 has no 64-bit integers
            {"standard_name": "time", "long_name": "valid time", "units": _EPOCH, "calendar": "standard", "axis": "T"},
        ),
        "y": xr.Variable("y", grid.y, _axis("y", grid)),
        "x": xr.Variable("x", grid.x, _axis("x", grid)),
        "forecast_reference_time": xr.Variable(
            (),
            np.float64(reference),
            {
                "standard_name": "forecast_reference_time",
                "long_name": "valid time of the newest observation",
                "units": _EPOCH,
                "calendar": "standard",
            },
        ),
        "lead_time": xr.Variable(
            "time",
            np.array([lead.total_seconds() / 60 for lead in forecast.leads]),
            {"standard_name": "forecast_period", "long_name": "time since the reference", "units": "minutes"},
        ),
    }
    if forecast.exceedance is not None:
        coordinates["threshold"] = xr.Variable(
            "threshold",
            np.array(forecast.exceedance.thresholds, np.float64),
            {
                "standard_name": "equivalent_reflectivity_factor",
                "long_name": "threshold of the reflectivity",
                "units": "dBZ",
            },
        )
    names = ", ".join(source.name for source in forecast.sources)
    comment = [
        f"NaN (_FillValue) is missing. Rain in mm/h is (10^(dBZ/10) / {forecast.z_r.a:g})^(1/{forecast.z_r.b:g}).",
        *(f"{note[:1].upper()}{note[1:]}." for note in forecast.notes),
    ]
    return xr.Dataset(
        variables,
        coordinates,
        {
            "Conventions": CONVENTIONS,
            "title": "Precipitation nowcast",
            "source": f"semicoupled {__version__}, model {forecast.model}",
            "history": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} forecast made from {names or 'arrays'}",
            "comment": " ".join(comment),
        },
    )


def grid_mapping(crs: pyproj.CRS) -> dict[str, Any]:
    """Give the attributes of a grid mapping variable (CF-1.7, Sec. 5.6 and Appendix F).

    pyproj leaves two things to its callers: the names of datum, ellipsoid and meridian go together or not at all, and
    the polar stereographic projection names its pole.
    """
    mapping = {name: value for name, value in crs.to_cf().items() if value not in ("", "unknown", "undefined")}
    if not all(name in mapping for name in _DATUM):
        mapping = {name: value for name, value in mapping.items() if name not in _DATUM}
    if mapping.get("grid_mapping_name") == "polar_stereographic" and "standard_parallel" in mapping:
        mapping.setdefault("latitude_of_projection_origin", math.copysign(90.0, mapping["standard_parallel"]))
    return mapping


def _axis(name: str, grid: Grid) -> dict[str, str]:
    if grid.geographic:
        word, direction = ("longitude", "east") if name == "x" else ("latitude", "north")
        about = {"standard_name": word, "long_name": f"{word} of centers of pixels", "units": f"degrees_{direction}"}
    else:
        about = {
            "standard_name": f"projection_{name}_coordinate",
            "long_name": f"{name} coordinate of projection, centers of pixels",
            "units": "m",
        }
    return {**about, "axis": name.upper()}
