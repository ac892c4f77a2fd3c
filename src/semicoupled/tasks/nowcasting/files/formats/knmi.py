"""KNMI HDF5 radar files: reflectivity (RAC) and accumulations (RAP, RAD).

Everything is read from the file's own attributes: the calibration formula, the special pixel values, the projection,
the pixel size and offsets, and the times (Roozekrans and Holleman, "KNMI HDF5 data format specification", 3.x).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import FileSettings, Quantity
from semicoupled.tasks.nowcasting.files.formats.hdf5 import SIGNATURE, array, group, number, open_hdf5, text
from semicoupled.tasks.nowcasting.files.frame import RadarFrame
from semicoupled.tasks.nowcasting.grid import Grid

NAME: str = "KNMI HDF5"
_FORMULA = re.compile(r"^\s*GEO\s*=\s*([-+\d.eE]+)\s*\*\s*PV\s*(?:\+\s*([-+\d.eE]+))?\s*$", re.IGNORECASE)


def matches(path: Path, head: bytes) -> bool:
    """Whether a file is one of these, by its content.

    Args:
        path: the file.
        head: its first bytes.
    """
    if not head.startswith(SIGNATURE):
        return False
    with open_hdf5(path) as file:
        return "overview" in file and "image1" in file and "geographic" in file


def read(path: Path, given: FileSettings) -> tuple[RadarFrame, ...]:
    """Read the field of the file's first image group.

    Args:
        path: the file.
        given: not needed, the file says everything.

    Raises:
        DataError: the file is truncated, or an attribute that is needed is missing or not understood.
    """
    del given
    with open_hdf5(path) as file:
        try:
            image, calibration, about = (group(file, name) for name in ("image1", "image1/calibration", "overview"))
            pixels = array(path, image, "image_data")
            quantity = _quantity(path, text(image, "image_geo_parameter"))
            scale, offset = _formula(path, text(calibration, "calibration_formulas"))
            outside = int(number(calibration, "calibration_out_of_image"))
            absent = int(number(calibration, "calibration_missing_data"))
            start = _time(path, text(about, "product_datetime_start"))
            end = _time(path, text(about, "product_datetime_end"))
            product = text(about, "product_group_name")
            grid = _grid(path, group(file, "geographic"), pixels.shape)
        except (KeyError, OSError) as error:
            raise DataError(
                f"{path}: a KNMI HDF5 file without all of its parts ({error}). It may be damaged: fetch it again"
            ) from error
    missing = pixels == outside
    # RAC files name PV 0, the lowest step of the scale, "missing": it is what the radars see where there is no echo.
    if not (quantity == "dBZ" and absent == 0):
        missing |= pixels == absent
    values = np.where(missing, np.nan, scale * pixels.astype(np.float32) + offset).astype(np.float32)
    interval = end - start if quantity == "mm" else None
    return (RadarFrame(values, quantity, end, interval, grid, path, product),)


def _quantity(path: Path, parameter: str) -> Quantity:
    upper = parameter.upper()
    if "[DBZ]" in upper:
        return "dBZ"
    if "[MM/H" in upper:
        return "mm/h"
    if "[MM]" in upper:
        return "mm"
    raise DataError(
        f"{path}: image_geo_parameter is {parameter!r}; expected reflectivity [DBZ] or precipitation [MM], [MM/H]. "
        "Use a reflectivity or rain product"
    )


def _formula(path: Path, words: str) -> tuple[float, float]:
    match = _FORMULA.match(words)
    try:
        if match:
            return float(match[1]), float(match[2] or 0)
    except ValueError:
        pass  # such as "GEO=1.2.3*PV": said below
    raise DataError(f"{path}: calibration_formulas is {words!r}; expected 'GEO = a * PV + b'")


def _time(path: Path, words: str) -> datetime:
    for layout in ("%d-%b-%Y;%H:%M:%S.%f", "%d-%b-%Y;%H:%M:%S"):
        try:
            return datetime.strptime(words, layout).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise DataError(f"{path}: product_datetime is {words!r}; expected a time such as '05-FEB-2021;20:05:00.000'")


def _grid(path: Path, geographic: h5py.Group, shape: tuple[int, ...]) -> Grid:
    rows, columns = int(number(geographic, "geo_number_rows")), int(number(geographic, "geo_number_columns"))
    if shape != (rows, columns):
        raise DataError(
            f"{path}: the image has {shape} pixels; expected {(rows, columns)} as geo_number_rows, _columns say"
        )
    units = text(geographic, "geo_dim_pixel").upper()
    if units != "KM,KM":
        raise DataError(f"{path}: geo_dim_pixel is {units!r}; expected 'KM,KM'")
    x_size, y_size = number(geographic, "geo_pixel_size_x"), number(geographic, "geo_pixel_size_y")
    column_offset, row_offset = number(geographic, "geo_column_offset"), number(geographic, "geo_row_offset")
    # The offsets count pixels from the projection's origin to the outer edge of the first pixel.
    return Grid(
        x_first=1000 * x_size * (column_offset + 0.5),
        x_step=1000 * x_size,
        columns=columns,
        y_first=1000 * y_size * (row_offset + 0.5),
        y_step=1000 * y_size,
        rows=rows,
        wkt=_wkt(path, text(group(geographic, "map_projection"), "projection_proj4_params")),
    )


def _wkt(path: Path, proj4: str) -> str:
    """Bring KNMI's PROJ string to metres: its axes are in km, and some files lack the plus before y_0."""
    words = dict(word.lstrip("+").split("=", 1) for word in proj4.split() if "=" in word)
    for axis in ("a", "b"):
        if axis in words and float(words[axis]) < 1e5:
            words[axis] = f"{1000 * float(words[axis]):.10g}"
    try:
        crs = CRS.from_proj4(" ".join(f"+{name}={value}" for name, value in words.items()) + " +units=m +no_defs")
    except CRSError as error:
        raise DataError(
            f"{path}: projection_proj4_params is {proj4!r}, which PROJ does not understand ({error})"
        ) from error
    return crs.to_wkt()
