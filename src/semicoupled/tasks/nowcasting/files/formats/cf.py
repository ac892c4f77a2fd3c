"""CF datasets: fields of reflectivity or rain on the axes of a projection, or of longitude and latitude.

See https://cfconventions.org/Data/cf-conventions/cf-conventions-1.7/cf-conventions.html, Sec. 4 (coordinates), 5.6
(grid mappings), 7.1 (bounds) and 7.3 (cell methods). NetCDF files and zarr stores are read alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import xarray as xr

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import FileSettings, Quantity
from semicoupled.tasks.nowcasting.files.formats.cf_grid import grid_of, plane_of
from semicoupled.tasks.nowcasting.files.formats.limits import check_size
from semicoupled.tasks.nowcasting.files.formats.times import needed_time
from semicoupled.tasks.nowcasting.files.frame import RadarFrame

UNITS: dict[str, tuple[Quantity, float]] = {
    "dBZ": ("dBZ", 1), "dbz": ("dBZ", 1), "DBZ": ("dBZ", 1),
    "mm/h": ("mm/h", 1), "mm h-1": ("mm/h", 1), "mm hr-1": ("mm/h", 1), "mm/hr": ("mm/h", 1), "mm h^-1": ("mm/h", 1),
    "kg m-2 h-1": ("mm/h", 1), "kg m-2 s-1": ("mm/h", 3600), "mm s-1": ("mm/h", 3600), "mm/s": ("mm/h", 3600),
    "m s-1": ("mm/h", 3.6e6), "m/s": ("mm/h", 3.6e6), "m h-1": ("mm/h", 1000),
    "mm": ("mm", 1), "kg m-2": ("mm", 1),
}  # fmt: skip
"""Units that are understood: the quantity, and the factor to dBZ, mm/h or mm."""

STANDARD_NAMES = (
    "equivalent_reflectivity_factor", "rainfall_rate", "lwe_precipitation_rate", "precipitation_flux", "rainfall_flux",
    "lwe_thickness_of_precipitation_amount", "precipitation_amount", "rainfall_amount",
)  # fmt: skip
"""In this order one variable is taken where a file has several."""
_SPEEDS = ("m s-1", "m/s", "m h-1")
"""Units of a rain rate only where the variable is one by its name: winds have them, too."""


class _Chosen(NamedTuple):
    name: str
    quantity: Quantity
    factor: float


def frames(path: Path, data: xr.Dataset, given: FileSettings) -> Iterator[RadarFrame]:
    """Give the fields of a dataset's variable of reflectivity or rain, one by one, in order of time.

    Args:
        path: where it was read.
        data: with its coordinates decoded.
        given: the variable, where several could be meant, and the minutes of sums whose interval is not told.

    Raises:
        DataError: no such variable, several, no coordinates, no time, or units that are not understood.
    """
    name, quantity, factor = _choose(path, data, given)
    field = data[name]
    plane = plane_of(path, data, field)
    field = _flat(path, field, plane)
    check_size(path, field.shape, repr(name))
    grid = grid_of(path, data, field, plane, given)
    times = _times(path, data, field)
    intervals = _intervals(path, data, field, times, given) if quantity == "mm" else [None] * len(times)
    about = data.attrs.get("title") or data.attrs.get("source") or "a CF file"
    place = data.attrs.get("station_name")
    for index in np.argsort(np.array([time.timestamp() for time in times]), kind="stable"):
        values = field.values if field.ndim == 2 else field.isel({field.dims[0]: int(index)}).values
        values = np.asarray(values, np.float64) * factor
        if quantity == "dBZ":
            values[np.isneginf(values)] = -32.0  # log of no echo
        values = values.astype(np.float32)
        yield RadarFrame(values, quantity, times[index], intervals[index], grid, path, f"{name}, {place or about}")


def _choose(path: Path, data: xr.Dataset, given: FileSettings) -> _Chosen:
    """Find the variable of reflectivity or rain, with its quantity and the factor to its unit."""
    if given.variable is not None:
        if given.variable not in data.data_vars:
            names = ", ".join(map(str, data.data_vars))
            raise DataError(
                f"{path}: has no variable {given.variable!r}; expected one of {names}. Set data.files.variable"
            )
        attributes = data[given.variable].attrs
        units = str(attributes.get("units", "")).strip()
        if units not in UNITS and given.quantity is not None and not units:
            return _Chosen(given.variable, given.quantity, 1)
        if units not in UNITS:
            raise DataError(
                f"{path}: {given.variable!r} is in {units or 'no units'!r}; expected one of {', '.join(UNITS)}. "
                "Where a variable has no units, data.files.quantity says what it is"
            )
        return _Chosen(given.variable, *UNITS[units])
    found = {
        str(name): str(field.attrs["units"]).strip()
        for name, field in data.data_vars.items()
        if field.ndim >= 2 and _is_rain(str(name), field.attrs)
    }
    if not found:
        had = [
            f"{name} [{field.attrs.get('units', 'no units')}]"
            for name, field in data.data_vars.items()
            if field.ndim >= 2
        ]
        raise DataError(
            f"{path}: no variable of reflectivity or rain: there are {', '.join(had) or 'none of two dimensions'}; "
            f"expected units of {', '.join(UNITS)}. Correct the units, or name one with data.files.variable"
        )
    for standard_name in STANDARD_NAMES:
        named = [name for name in found if data[name].attrs.get("standard_name") == standard_name]
        if len(named) == 1:
            return _Chosen(named[0], *UNITS[found[named[0]]])
    if len(found) > 1:
        raise DataError(
            f"{path}: could mean any of {', '.join(f'{name} [{units}]' for name, units in found.items())}; "
            "expected one "
            "variable of reflectivity or rain. Name it with data.files.variable"
        )
    name, units = next(iter(found.items()))
    return _Chosen(name, *UNITS[units])


def _is_rain(name: str, attributes: Mapping[str, object]) -> bool:
    units = str(attributes.get("units", "")).strip()
    if units not in UNITS:
        return False
    words = f"{name} {attributes.get('standard_name', '')} {attributes.get('long_name', '')}".lower()
    return units not in _SPEEDS or "rain" in words or "precip" in words


def _flat(path: Path, field: xr.DataArray, plane: tuple[str, str]) -> xr.DataArray:
    """Drop dimensions of one, such as a height, so that (time,) y, x are left."""
    others = [str(name) for name in field.dims if name not in plane]
    keep = [name for name in others if field.sizes[name] > 1]
    if not keep and others:
        keep = others[:1] if others[0].startswith("t") else []
    if len(keep) > 1:
        raise DataError(
            f"{path}: {field.name!r} has the dimensions {dict(field.sizes)}; expected time and {' and '.join(plane)}. "
            "Select one member or height first"
        )
    field = field.isel({name: 0 for name in others if name not in keep})
    return field.transpose(*keep, *plane)


def _times(path: Path, data: xr.Dataset, field: xr.DataArray) -> list[datetime]:
    found = _time(data, field)
    if found is None:
        if field.ndim == 3 and field.shape[0] > 1:
            raise DataError(f"{path}: {field.name!r} has {field.shape[0]} fields and no time coordinate; expected one")
        return [needed_time(path)]
    values = np.atleast_1d(found.values)
    if values.dtype.kind != "M" or np.isnat(values).any():
        raise DataError(
            f"{path}: {found.name!r} holds no times of the common calendar ({values.dtype}); expected units such as "
            "'seconds since 1970-01-01 00:00:00'"
        )
    return [_utc(time) for time in values]


def _time(data: xr.Dataset, field: xr.DataArray) -> xr.DataArray | None:
    if field.ndim == 3:
        name = str(field.dims[0])
        return data[name] if name in data.variables else None
    named = [data[name] for name in data.variables if data[name].attrs.get("standard_name") == "time"]
    named += [data[name] for name in ("valid_time", "validity_time", "time") if name in data.variables]
    return next((found for found in named if found.size == 1), None)


def _intervals(
    path: Path, data: xr.Dataset, field: xr.DataArray, times: list[datetime], given: FileSettings
) -> list[timedelta | None]:
    """Say how long the rain of each field was gathered."""
    time = _time(data, field)
    bounds = str(time.attrs.get("bounds") or time.encoding.get("bounds") or "") if time is not None else ""
    if bounds in data.variables:
        pairs = data[bounds].values.reshape(-1, 2)
        return [_utc(end) - _utc(start) for start, end in pairs]
    if "start_time" in data.variables:
        starts = [_utc(start) for start in np.atleast_1d(data["start_time"].values)]
        return [end - start for start, end in zip(starts, times, strict=True)]
    said = re.search(r"interval:\s*(\d+(?:\.\d+)?)\s*(min|hour|h\b|s)", str(field.attrs.get("cell_methods", "")))
    if said:
        unit = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "s": timedelta(seconds=1)}[said[2][0]]
        return [float(said[1]) * unit] * len(times)
    if given.minutes is not None:
        return [timedelta(minutes=given.minutes)] * len(times)
    raise DataError(
        f"{path}: {field.name!r} is a sum of rain, but neither start_time, nor the bounds of its time, nor "
        "cell_methods "
        "say over how long it was gathered. Set data.files.minutes"
    )


def _utc(time: np.datetime64) -> datetime:
    seconds = cast(int, time.astype("datetime64[s]").astype(np.int64))
    return datetime.fromtimestamp(int(seconds), UTC)
