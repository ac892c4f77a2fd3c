"""Zarr stores, version 2 or 3, in the MLCast schema or any other CF one: dims time, y, x; NaN = missing; crs_wkt.

See https://github.com/mlcast-community/mlcast-dataset-validator. A store is a folder, and counts as one file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import xarray as xr

from semicoupled.errors import MissingExtraError
from semicoupled.tasks.nowcasting.data_settings import FileSettings
from semicoupled.tasks.nowcasting.files.formats.cf import frames
from semicoupled.tasks.nowcasting.files.formats.limits import check_size
from semicoupled.tasks.nowcasting.files.formats.zarr_codecs import check_codecs
from semicoupled.tasks.nowcasting.files.frame import RadarFrame

NAME: str = "zarr store"
_MARKS = ("zarr.json", ".zgroup", ".zmetadata")


def is_store(path: Path) -> bool:
    """Whether a folder is a zarr store, by what lies in it."""
    return path.is_dir() and any((path / mark).is_file() for mark in _MARKS)


def read(path: Path, given: FileSettings) -> Iterator[RadarFrame]:
    """Read all fields of the variable of reflectivity or rain, one by one.

    Args:
        path: the folder.
        given: what the store does not say.

    Raises:
        DataError: see `frames` and `check_codecs`.
        MissingExtraError: zarr is not installed.
    """
    try:
        import zarr  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        raise MissingExtraError(f'{path}: zarr stores need zarr: pip install "semicoupled[zarr]"') from error
    check_codecs(path)
    with xr.open_zarr(path, chunks=None, decode_coords="all", consolidated=_consolidated(path)) as data:
        for name in data.variables:
            check_size(path, (1, 1, *data[name].shape), repr(name))
        yield from frames(path, data, given)


def _consolidated(path: Path) -> bool:
    """Whether the store's metadata lie together in one file; some writers say null where they do not."""
    version_3 = path / "zarr.json"
    if not version_3.is_file():
        return (path / ".zmetadata").is_file()
    about = json.loads(version_3.read_bytes())
    return isinstance(about, dict) and about.get("consolidated_metadata") is not None
