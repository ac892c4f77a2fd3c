"""What the HDF5 formats share: opening, and reading attributes and arrays without trusting them."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.formats.limits import check_size

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def open_hdf5(path: Path) -> h5py.File:
    """Open a file to read.

    Raises:
        DataError: it is damaged.
    """
    try:
        return h5py.File(path, "r")
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(
            f"{path}: expected a whole HDF5 file, got one that cannot be opened ({error}). "
            "Fetch it again, or leave it out"
        ) from error


def group(parent: h5py.Group, name: str) -> h5py.Group:
    """Give a group.

    Raises:
        KeyError: it is not there, or no group.
    """
    found = parent[name]
    if not isinstance(found, h5py.Group):
        raise KeyError(f"{name} is no group")
    return found


def array(path: Path, parent: h5py.Group, name: str) -> np.ndarray:
    """Read a two-dimensional array of numbers.

    Raises:
        KeyError: it is not there.
        DataError: it has another number of dimensions, an absurd size, or holds no numbers.
    """
    found = parent[name]
    if not isinstance(found, h5py.Dataset):
        raise KeyError(f"{name} is no array")
    if len(found.shape) != 2 or found.dtype.kind not in "iuf":
        raise DataError(
            f"{path}: {found.name} has the shape {found.shape} of {found.dtype}; expected rows and columns of numbers"
        )
    check_size(path, found.shape, str(found.name))
    return np.asarray(found)


def text(parent: h5py.Group, name: str) -> str:
    """Read an attribute as text; KeyError if it is not there."""
    value = np.asarray(parent.attrs[name]).reshape(-1)[0]
    return value.decode("ascii", "replace").strip() if isinstance(value, bytes) else str(value).strip()


def number(parent: h5py.Group, name: str) -> float:
    """Read an attribute as a number; KeyError if it is not there."""
    return float(np.asarray(parent.attrs[name]).reshape(-1)[0])
