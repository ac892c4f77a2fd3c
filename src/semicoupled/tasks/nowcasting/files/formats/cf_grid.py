"""The grid of a CF field: axes of a projection, of longitude and latitude, or two-dimensional ones that are regular."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import FileSettings
from semicoupled.tasks.nowcasting.files.formats.limits import check_size
from semicoupled.tasks.nowcasting.grid import LOCAL, Grid, local_grid

_METERS = {"m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0, "km": 1000.0, "kilometer": 1000.0}
_X_NAMES = ("x", "xc", "easting", "lon", "longitude", "projection_x_coordinate", "nx")
_Y_NAMES = ("y", "yc", "northing", "lat", "latitude", "projection_y_coordinate", "ny")
_REGULAR = 0.02
"""Of a step, by which a step may differ from the mean one."""
_FITTED = 0.1
"""Of a pixel, by which two-dimensional coordinates may lie off the regular grid that stands in for them."""


def mapping_of(field: xr.DataArray) -> str:
    """Give the name of a variable's grid mapping, empty if it has none."""
    said = str(field.attrs.get("grid_mapping") or field.encoding.get("grid_mapping") or "")
    return said.split(":")[0].strip()


def plane_of(path: Path, data: xr.Dataset, field: xr.DataArray) -> tuple[str, str]:
    """Give the names of the dimensions along y and along x.

    Raises:
        DataError: there are less than two.
    """
    names = [str(name) for name in field.dims]
    if len(names) < 2:
        raise DataError(f"{path}: {field.name!r} has the dimensions {names}; expected rows and columns")
    rows = [name for name in names if _is_axis(data, name, "y", _Y_NAMES)]
    columns = [name for name in names if _is_axis(data, name, "x", _X_NAMES)]
    return (rows[0], columns[0]) if len(rows) == len(columns) == 1 else (names[-2], names[-1])


def grid_of(path: Path, data: xr.Dataset, field: xr.DataArray, plane: tuple[str, str], given: FileSettings) -> Grid:
    """Give the grid of a field.

    Args:
        path: for messages.
        data: the dataset.
        field: one of its variables.
        plane: names of the dimensions along y and x.
        given: the size of a pixel where nothing says it.

    Raises:
        DataError: no coordinates, irregular ones, or a grid mapping that PROJ does not understand.
    """
    mapping = mapping_of(field)
    crs = _crs(path, data, mapping) if mapping in data.variables else None
    axes = [data[name] for name in plane if name in data.variables and data[name].ndim == 1]
    if len(axes) == 2 and (crs is not None or all(_units(axis) in _METERS or _degrees(axis) for axis in axes)):
        y, x = (_values(path, axis) for axis in axes)
        geographic = _degrees(axes[1])
        if crs is not None and crs.is_geographic != geographic:
            raise DataError(
                f"{path}: the grid mapping is {crs.name}, but {plane[1]!r} is in {_units(axes[1])!r}; expected "
                "degrees with longitude and latitude, metres or km with a projection"
            )
        wkt = crs.to_wkt() if crs is not None else CRS.from_epsg(4326).to_wkt() if geographic else LOCAL
        return _regular(path, plane, x, y, wkt)
    flat = _two_dimensional(path, data, field, plane)
    if flat is not None:
        return flat
    if given.kilometers is not None:
        return local_grid(field.sizes[plane[0]], field.sizes[plane[1]], given.kilometers)
    raise DataError(
        f"{path}: {field.name!r} has no coordinates along {plane[0]!r} and {plane[1]!r}; expected axes of a projection "
        "with a grid mapping, or longitude and latitude. Where there are none, set data.files.kilometers"
    )


def _is_axis(data: xr.Dataset, name: str, letter: str, names: tuple[str, ...]) -> bool:
    about = data[name].attrs if name in data.variables else {}
    words = (str(about.get("axis", "")).lower(), str(about.get("standard_name", "")), name.lower())
    return words[0] == letter or words[1] in names or words[2] in names


def _crs(path: Path, data: xr.Dataset, mapping: str) -> CRS:
    about = dict(data[mapping].attrs)
    if "spatial_ref" in about and "crs_wkt" not in about:
        about["crs_wkt"] = about["spatial_ref"]
    try:
        return CRS.from_cf(about)
    except (CRSError, KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{path}: the grid mapping {mapping!r} is {about}, which PROJ does not understand ({error})"
        ) from error


def _units(axis: xr.DataArray) -> str:
    return str(axis.attrs.get("units", "")).strip()


def _degrees(axis: xr.DataArray) -> bool:
    return _units(axis).startswith("degree")


def _values(path: Path, axis: xr.DataArray) -> np.ndarray:
    """Read an axis, in metres or degrees."""
    if axis.size < 2:
        raise DataError(f"{path}: {axis.name!r} has {axis.size} pixel; expected at least two to know their size")
    if not _degrees(axis) and _units(axis) not in _METERS:
        raise DataError(
            f"{path}: {axis.name!r} is in {_units(axis) or 'no units'!r}; expected m, km or degrees_east, degrees_north"
        )
    return axis.values.astype(np.float64) * _METERS.get(_units(axis), 1.0)


def _regular(path: Path, plane: tuple[str, str], x: np.ndarray, y: np.ndarray, wkt: str) -> Grid:
    for name, axis in zip(plane, (y, x), strict=True):
        steps = np.diff(axis)
        mean = (axis[-1] - axis[0]) / len(steps)
        if not np.isfinite(axis).all() or mean == 0 or (abs(steps / mean - 1) > _REGULAR).any():
            raise DataError(
                f"{path}: {name!r} goes by steps of {steps.min():.6g} to {steps.max():.6g}; expected equal ones. "
                "Bring the field onto a regular grid first"
            )
    return Grid(
        x_first=float(x[0]),
        x_step=float(x[-1] - x[0]) / (len(x) - 1),
        columns=len(x),
        y_first=float(y[0]),
        y_step=float(y[-1] - y[0]) / (len(y) - 1),
        rows=len(y),
        wkt=wkt,
    )


def _two_dimensional(path: Path, data: xr.Dataset, field: xr.DataArray, plane: tuple[str, str]) -> Grid | None:
    """Find a regular grid behind coordinates of each pixel: of longitude and latitude, or of a projection."""
    found: dict[str, np.ndarray] = {}
    for name in data.variables:
        about = data[name].attrs
        if data[name].dims == plane:
            for letter, words in (("x", "longitude"), ("y", "latitude")):
                if about.get("standard_name") == words or str(name).lower() in (words, words[:3]):
                    check_size(path, data[name].shape, repr(name))
                    found[letter] = data[name].values.astype(np.float64)
    if len(found) < 2 or min(found["x"].shape) < 2:
        return None
    longitude, latitude = found["x"], found["y"]
    if not (np.isfinite(longitude).all() and np.isfinite(latitude).all()):
        raise DataError(f"{path}: longitude and latitude of some pixels are missing; expected all of them")
    center = f"+lat_0={latitude.mean():.6f} +lon_0={longitude.mean():.6f}"
    for words in (None, f"+proj=laea {center}", f"+proj=stere {center}", f"+proj=tmerc {center}"):
        crs = CRS.from_epsg(4326) if words is None else CRS.from_proj4(f"{words} +ellps=WGS84 +units=m +no_defs")
        try:
            x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(longitude, latitude)
        except ProjError:
            continue
        columns, rows = x.mean(0), y.mean(1)
        step = min(np.ptp(columns) / (len(columns) - 1), np.ptp(rows) / (len(rows) - 1))
        if not np.isfinite(step) or step <= 0:
            continue
        straight = np.linspace(columns[0], columns[-1], len(columns)), np.linspace(rows[0], rows[-1], len(rows))
        off = max(np.abs(x - straight[0]).max(), np.abs(y - straight[1][:, None]).max())
        if off < _FITTED * step:
            return _regular(path, plane, straight[0], straight[1], crs.to_wkt())
    raise DataError(
        f"{path}: longitude and latitude of {field.name!r} lie on no regular grid that could be found; expected "
        "axes x and y "
        "of a projection, with a grid mapping. Add them"
    )
