"""CF NetCDF: the Bureau of Meteorology's Rainfields, the UK Met Office's composites, our own forecasts, others.

NetCDF-4 is HDF5, and is read by h5netcdf. Classic NetCDF (CDF-1 and CDF-2) has a layout of its own,
and is read by scipy.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import h5py
import xarray as xr

from semicoupled.errors import DataError, MissingExtraError
from semicoupled.tasks.nowcasting.data_settings import FileSettings
from semicoupled.tasks.nowcasting.files.formats.cf import frames
from semicoupled.tasks.nowcasting.files.formats.hdf5 import SIGNATURE, open_hdf5
from semicoupled.tasks.nowcasting.files.formats.limits import check_size
from semicoupled.tasks.nowcasting.files.frame import RadarFrame

NAME: str = "CF NetCDF"
_CLASSIC = (b"CDF\x01", b"CDF\x02")
_CLASSIC_64 = b"CDF\x05"


def matches(path: Path, head: bytes) -> bool:
    """Whether a file is one of these, by its content: dimensions as NetCDF writes them, or classic NetCDF.

    Args:
        path: the file.
        head: its first bytes.
    """
    if head.startswith((*_CLASSIC, _CLASSIC_64)):
        return True
    if not head.startswith(SIGNATURE):
        return False
    with open_hdf5(path) as file:
        return "_NCProperties" in file.attrs or any(
            isinstance(part, h5py.Dataset) and ("CLASS" in part.attrs or "DIMENSION_LIST" in part.attrs)
            for part in file.values()
        )


def read(path: Path, given: FileSettings) -> tuple[RadarFrame, ...]:
    """Read all fields of the variable of reflectivity or rain.

    Args:
        path: the file.
        given: what it does not say.

    Raises:
        DataError: see `frames`.
        MissingExtraError: the file is a classic NetCDF, and the extra for it is not installed.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if head == _CLASSIC_64:
        raise DataError(
            f"{path}: is classic NetCDF with 64-bit data (CDF-5); expected NetCDF-4, CDF-1 or CDF-2. Turn it into "
            "NetCDF-4 with `nccopy -k nc4 OLD NEW`"
        )
    if head in _CLASSIC:
        return _read_classic(path, given)
    with open_hdf5(path) as file:
        for part in file.values():
            if isinstance(part, h5py.Dataset):
                check_size(path, (1, 1, *(size or 1 for size in part.shape)), str(part.name))
    with xr.open_dataset(path, engine="h5netcdf", phony_dims="access", decode_coords="all") as data:  # pyright: ignore[reportCallIssue]
        return tuple(frames(path, data, given))


def _read_classic(path: Path, given: FileSettings) -> tuple[RadarFrame, ...]:
    if importlib.util.find_spec("scipy") is None:
        raise MissingExtraError(
            f'{path}: classic NetCDF needs scipy: pip install "semicoupled[netcdf3]". Or turn it into NetCDF-4 with '
            "`nccopy -k nc4 OLD NEW`"
        )
    with xr.open_dataset(path, engine="scipy", decode_coords="all") as data:
        for name, field in data.variables.items():
            check_size(path, (1, 1, *(size or 1 for size in field.shape)), repr(name))
        return tuple(frames(path, data, given))
