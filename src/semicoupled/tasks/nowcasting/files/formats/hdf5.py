"""What the HDF5 formats share: opening, and reading attributes and arrays without trusting them."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

import h5py
import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.files.formats.limits import check_size

_HEAP = b"GCOL"
SIGNATURE = b"\x89HDF\r\n\x1a\n"


def open_hdf5(path: Path) -> h5py.File:
    """Open a file to read.

    Raises:
        DataError: it is damaged.
    """
    _check_heaps(path)
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


def _check_heaps(path: Path) -> None:
    """Walk through the global heaps, where texts and dimensions lie.

    The HDF5 library looks for a lost object of a heap without end, so that a changed byte would hang a service. See
    "HDF5 File Format Specification" III.E: a collection is its header and objects of index, count, size and content;
    what is free comes last, has the index 0, and a size that counts its own header.
    """
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = content.find(_HEAP)
        while start >= 0:
            if content[start + 4 : start + 8] == b"\x01\0\0\0" and not _is_whole(content, start):
                raise DataError(
                    f"{path}: expected a whole HDF5 file, got one whose heap at byte {start} is damaged. "
                    "Fetch it again, or leave it out"
                )
            start = content.find(_HEAP, start + 4)


def _is_whole(content: mmap.mmap, start: int) -> bool:
    if start + 16 > len(content):
        return False
    (size,) = struct.unpack_from("<Q", content, start + 8)
    end = start + size
    if size < 16 or end > len(content):
        return False
    place = start + 16
    while end - place >= 16:
        index, _, _, size = struct.unpack_from("<HHIQ", content, place)
        if index == 0:
            return place + size == end
        place += 16 + (size + 7) // 8 * 8
    return place <= end
