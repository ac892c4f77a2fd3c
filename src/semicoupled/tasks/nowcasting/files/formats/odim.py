"""ODIM_H5, the format of EUMETNET OPERA: composites and images on a map.

From "EUMETNET OPERA weather radar information model for implementation with the HDF5 file format", 2.0 to 2.4: value =
gain * pixel + offset; `nodata` was not measured, `undetect` was measured and is dry; the corners are the outer ones of
the outer pixels; row 0 is the northernmost. Attributes of a level hold below it, too, where they are not given again.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pyproj
from pyproj.exceptions import CRSError

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import FileSettings, Quantity
from semicoupled.tasks.nowcasting.files.formats.hdf5 import SIGNATURE, array, group, number, open_hdf5, text
from semicoupled.tasks.nowcasting.files.frame import RadarFrame
from semicoupled.tasks.nowcasting.grid import Grid

NAME: str = "ODIM HDF5"
MAPS = ("COMP", "IMAGE")
QUANTITIES: dict[str, Quantity] = {
    "DBZH": "dBZ", "DBZV": "dBZ", "TH": "dBZ", "TV": "dBZ", "DBZ": "dBZ", "RATE": "mm/h", "ACRR": "mm",
}  # fmt: skip
"""In this order one is taken where a file has several."""
_DRY: dict[Quantity, float] = {"dBZ": -32.0, "mm/h": 0.0, "mm": 0.0}
_SAME_SIZE = 0.05


class _Layer(NamedTuple):
    """One array of the file, and the groups whose attributes hold for it, the nearest first."""

    quantity: str
    data: h5py.Group
    whats: tuple[h5py.Group, ...]
    wheres: tuple[h5py.Group, ...]


def matches(path: Path, head: bytes) -> bool:
    """Whether a file is one of these, by its content.

    Args:
        path: the file.
        head: its first bytes.
    """
    if not head.startswith(SIGNATURE):
        return False
    with open_hdf5(path) as file:
        return "what" in file and "object" in file["what"].attrs


def read(path: Path, given: FileSettings) -> tuple[RadarFrame, ...]:
    """Read the fields of the first quantity that is known: of reflectivity, rain rate, sum of rain.

    Args:
        path: the file.
        given: not needed, the file says everything.

    Raises:
        DataError: polar data, another quantity, or a part that is missing or not understood.
    """
    del given
    with open_hdf5(path) as file:
        try:
            kind = text(group(file, "what"), "object")
            if kind not in MAPS:
                raise DataError(
                    f"{path}: is an ODIM file of object {kind}, rays of one radar and not an image on a map; expected "
                    f"{' or '.join(MAPS)}. Use the composite, or grid the volumes first (wradlib, Py-ART, BALTRAD)"
                )
            layers = _layers(path, file)
            return _frames(path, file, layers)
        except (KeyError, ValueError, TypeError, OSError, RuntimeError, CRSError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f"{path}: an ODIM file without all of its parts, or one is not understood ({error}). It may be "
                "damaged: "
                "fetch it again"
            ) from error


def _layers(path: Path, file: h5py.File) -> list[_Layer]:
    """List the arrays of the quantity that is taken, in the file's order."""
    found: list[_Layer] = []
    for name in _numbered(file, "dataset"):
        dataset = group(file, name)
        above = tuple(group(level, "what") for level in (dataset, file) if "what" in level)
        wheres = tuple(group(level, "where") for level in (dataset, file) if "where" in level)
        for data_name in _numbered(dataset, "data"):
            data = group(dataset, data_name)
            whats = (*((group(data, "what"),) if "what" in data else ()), *above)
            wheres_here = (*((group(data, "where"),) if "where" in data else ()), *wheres)
            found.append(_Layer(_text(whats, "quantity").upper(), data, whats, wheres_here))
    known = [quantity for quantity in QUANTITIES if any(layer.quantity == quantity for layer in found)]
    if not known:
        raise DataError(
            f"{path}: holds {', '.join(sorted({layer.quantity for layer in found})) or 'no data'}; expected one of "
            f"{', '.join(QUANTITIES)}. Use a reflectivity or rain product"
        )
    return [layer for layer in found if layer.quantity == known[0]]


def _frames(path: Path, file: h5py.File, layers: list[_Layer]) -> tuple[RadarFrame, ...]:
    quantity = QUANTITIES[layers[0].quantity]
    nominal = _time(path, (group(file, "what"),), "date", "time")
    ends = [_ends(path, layer, nominal) for layer in layers]
    several = len(set(ends)) > 1
    frames: dict[datetime, RadarFrame] = {}
    for layer, (start, end) in zip(layers, ends, strict=True):
        # the ends of a snapshot say how long it was scanned; its nominal time is regular
        valid = end if several or quantity == "mm" else nominal
        if valid in frames:
            continue  # another height or product of the same time: the first is the lowest
        if quantity == "mm" and end <= start:
            raise DataError(
                f"{path}: is a sum of rain from {start} to {end}; expected startdate, starttime, enddate and "
                "endtime of "
                "a positive interval"
            )
        pixels = array(path, layer.data, "data")
        gain, offset = _number(layer.whats, "gain"), _number(layer.whats, "offset")
        values = (gain * pixels.astype(np.float64) + offset).astype(np.float32)
        values[pixels == _number(layer.whats, "undetect")] = _DRY[quantity]
        values[pixels == _number(layer.whats, "nodata")] = np.nan
        product = f"ODIM {text(group(file, 'what'), 'object')} {layer.quantity} {_text(layer.whats, 'product', '')}"
        interval = end - start if quantity == "mm" else None
        grid = _grid(path, layer.wheres, pixels.shape)
        frames[valid] = RadarFrame(values, quantity, valid, interval, grid, path, product.strip())
    return tuple(frames[time] for time in sorted(frames))


def _ends(path: Path, layer: _Layer, nominal: datetime) -> tuple[datetime, datetime]:
    if not any("enddate" in what.attrs for what in layer.whats):
        return nominal, nominal
    return _time(path, layer.whats, "startdate", "starttime"), _time(path, layer.whats, "enddate", "endtime")


def _grid(path: Path, wheres: tuple[h5py.Group, ...], shape: tuple[int, ...]) -> Grid:
    rows, columns = int(_number(wheres, "ysize")), int(_number(wheres, "xsize"))
    if shape != (rows, columns):
        raise DataError(f"{path}: the data has {shape} pixels; expected {(rows, columns)}, as ysize and xsize say")
    crs = pyproj.CRS.from_user_input(_text(wheres, "projdef"))
    project = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)

    def corner(name: str) -> np.ndarray:
        place = np.array(project.transform(_number(wheres, f"{name}_lon"), _number(wheres, f"{name}_lat")))
        if not np.isfinite(place).all():
            raise DataError(f"{path}: the corner {name} lies outside its own projection {_text(wheres, 'projdef')!r}")
        return place

    upper_left, lower_right = corner("UL"), corner("LR")
    to_meters = np.array([axis.unit_conversion_factor for axis in crs.axis_info[:2]]) if crs.is_projected else 1.0
    if crs.is_projected and np.ptp(to_meters):
        raise DataError(f"{path}: axes of different units in {_text(wheres, 'projdef')!r}; expected metres")
    step = (lower_right - upper_left) / (columns, rows) * (1, -1)
    if (step <= 0).any():
        raise DataError(
            f"{path}: the corners UL {upper_left} and LR {lower_right} are not the upper left and lower right"
        )
    said = np.array([_number(wheres, "xscale", step[0]), _number(wheres, "yscale", step[1])])
    if crs.is_projected and (abs(step * to_meters / said - 1) > _SAME_SIZE).any():
        raise DataError(
            f"{path}: corners that are {step * to_meters} m a pixel apart; expected xscale and yscale {said}. "
            "One of them is wrong; ask whoever made the file"
        )
    first = (upper_left + step * (0.5, -0.5)) * to_meters
    step = step * to_meters
    wkt = _in_meters(crs).to_wkt()
    return Grid(float(first[0]), float(step[0]), columns, float(first[1]), -float(step[1]), rows, wkt)


def _in_meters(crs: pyproj.CRS) -> pyproj.CRS:
    if not crs.is_projected or crs.axis_info[0].unit_conversion_factor == 1:
        return crs
    return pyproj.CRS.from_proj4(re.sub(r"\+units=\S+|\+to_meter=\S+", "", crs.to_proj4()) + " +units=m")


def _numbered(parent: h5py.Group, stem: str) -> list[str]:
    found = [str(name) for name in parent if re.fullmatch(rf"{stem}\d+", str(name))]
    return sorted(found, key=lambda name: int(name[len(stem) :]))


def _time(path: Path, whats: tuple[h5py.Group, ...], date: str, clock: str) -> datetime:
    words = f"{_text(whats, date)} {_text(whats, clock)}"
    try:
        return datetime.strptime(words, "%Y%m%d %H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise DataError(
            f"{path}: {date} and {clock} are {words!r}; expected a time such as '20210205 200500'"
        ) from error


def _number(groups: tuple[h5py.Group, ...], name: str, otherwise: float | None = None) -> float:
    for one in groups:
        if name in one.attrs:
            return number(one, name)
    if otherwise is None:
        raise KeyError(f"no attribute {name}")
    return float(otherwise)


def _text(groups: tuple[h5py.Group, ...], name: str, otherwise: str | None = None) -> str:
    for one in groups:
        if name in one.attrs:
            return text(one, name)
    if otherwise is None:
        raise KeyError(f"no attribute {name}")
    return otherwise
