"""CF NetCDF radar fields with a grid mapping, such as the Bureau of Meteorology's Rainfields and our own forecasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import numpy as np
import xarray as xr
from pyproj import CRS
from pyproj.exceptions import CRSError

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.frame import RadarFrame
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.knmi import HDF5_SIGNATURE
from semicoupled.tasks.nowcasting.units import Quantity

NAME: str = "CF NetCDF-4"
_UNITS: dict[str, tuple[Quantity, float]] = {
    "dBZ": ("dBZ", 1),
    "mm/h": ("mm/h", 1),
    "mm h-1": ("mm/h", 1),
    "mm hr-1": ("mm/h", 1),
    "kg m-2 h-1": ("mm/h", 1),
    "kg m-2 s-1": ("mm/h", 3600),
    "mm": ("mm", 1),
    "kg m-2": ("mm", 1),
}
_METERS = {"m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0, "km": 1000.0}


def matches(path: Path, head: bytes) -> bool:
    """Whether a file is one of these, by its content: NetCDF with a variable that names a grid mapping.

    Args:
        path: the file.
        head: its first bytes.
    """
    if not head.startswith(HDF5_SIGNATURE):
        return False
    with _open(path, decode_times=False) as data:
        return bool(_candidates(data))


def read(path: Path) -> tuple[RadarFrame, ...]:
    """Read all fields of the first variable that has a grid mapping and a unit of reflectivity or rain.

    Raises:
        DataError: no coordinates, no time, or units that are not understood.
    """
    with _open(path, decode_coords="all") as data:
        name = _candidates(data)[0]
        field = data[name]
        try:
            quantity, factor = _UNITS[str(field.attrs["units"])]
            x, y = _axis(field, "projection_x_coordinate"), _axis(field, "projection_y_coordinate")
            crs = CRS.from_cf(data[_mapping(field)].attrs)
            times = [_utc(time) for time in np.atleast_1d(_time(data, field).values)]
            starts = [_utc(time) for time in np.atleast_1d(data["start_time"].values)] if "start_time" in data else None
        except (KeyError, ValueError, CRSError) as error:
            raise DataError(
                f"{path}: variable {name!r} lacks a part of a CF radar field, or it is not understood: {error!r}"
            ) from error
        grid = Grid(
            x_first=float(x[0]),
            x_step=float(x[-1] - x[0]) / (len(x) - 1),
            columns=len(x),
            y_first=float(y[0]),
            y_step=float(y[-1] - y[0]) / (len(y) - 1),
            rows=len(y),
            wkt=crs.to_wkt(),
        )
        values = field.values.reshape(-1, grid.rows, grid.columns).astype(np.float32) * factor
    if quantity == "mm" and starts is None:
        raise DataError(f"{path}: {name!r} is a sum of rain, but no start_time says over how long it was gathered")
    product = f"{name} of {data.attrs.get('title', 'a CF NetCDF file')}"
    return tuple(
        RadarFrame(field, quantity, time, _interval(starts, times, index), grid, path, product)
        for index, (field, time) in enumerate(zip(values, times, strict=True))
    )


def _open(path: Path, **how: bool | str) -> xr.Dataset:
    # HDF5 of any kind can be asked whether it is NetCDF: dimensions without a name are given one
    return xr.open_dataset(path, engine="h5netcdf", phony_dims="access", **how)  # pyright: ignore[reportArgumentType]


def _interval(starts: list[datetime] | None, times: list[datetime], index: int) -> timedelta | None:
    return None if starts is None else times[index] - starts[index]


def _candidates(data: xr.Dataset) -> list[str]:
    return [
        str(name)
        for name, field in data.data_vars.items()
        if field.ndim >= 2 and _mapping(field) and field.attrs.get("units") in _UNITS
    ]


def _mapping(field: xr.DataArray) -> str:
    return str(field.attrs.get("grid_mapping") or field.encoding.get("grid_mapping") or "")


def _axis(field: xr.DataArray, standard_name: str) -> np.ndarray:
    for dimension in field.dims[-2:]:
        axis = field[dimension]
        if axis.attrs.get("standard_name") == standard_name and axis.size > 1:
            return axis.values.astype(np.float64) * _METERS[str(axis.attrs.get("units"))]
    raise KeyError(f"a dimension of at least two pixels with standard_name {standard_name}")


def _time(data: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    if field.ndim == 3:
        return data[str(field.dims[0])]
    for variable in data.variables:
        if data[variable].attrs.get("standard_name") == "time" and data[variable].size == 1:
            return data[variable]
    raise KeyError("a variable with standard_name time")


def _utc(time: np.datetime64) -> datetime:
    seconds = cast(int, time.astype("datetime64[s]").astype(np.int64))
    return datetime.fromtimestamp(int(seconds), UTC)
