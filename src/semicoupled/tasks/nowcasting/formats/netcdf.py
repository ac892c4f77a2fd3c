"""CF NetCDF-4: the Bureau of Meteorology's Rainfields, the UK Met Office's composites, our own forecasts, others."""

from __future__ import annotations

from pathlib import Path

import h5py
import xarray as xr

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import FileSettings
from semicoupled.tasks.nowcasting.formats.cf import frames
from semicoupled.tasks.nowcasting.formats.hdf5 import SIGNATURE, open_hdf5
from semicoupled.tasks.nowcasting.formats.limits import check_size
from semicoupled.tasks.nowcasting.frame import RadarFrame

NAME: str = "CF NetCDF-4"
_CLASSIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05")


def matches(path: Path, head: bytes) -> bool:
    """Whether a file is one of these, by its content: dimensions as NetCDF writes them, or classic NetCDF.

    Args:
        path: the file.
        head: its first bytes.
    """
    if head.startswith(_CLASSIC):
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
    """
    with path.open("rb") as file:
        if file.read(4) in _CLASSIC:
            raise DataError(
                f"{path}: is classic NetCDF; expected NetCDF-4. Turn it into that with `nccopy -k nc4 OLD NEW`"
            )
    with open_hdf5(path) as file:
        for part in file.values():
            if isinstance(part, h5py.Dataset):
                check_size(path, (1, 1, *(size or 1 for size in part.shape)), str(part.name))
    with xr.open_dataset(path, engine="h5netcdf", phony_dims="access", decode_coords="all") as data:  # pyright: ignore[reportCallIssue]
        return tuple(frames(path, data, given))
