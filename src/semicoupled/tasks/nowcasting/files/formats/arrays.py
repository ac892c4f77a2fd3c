"""NumPy files: npy with one array, npz with ``T H W`` and, as keys, times, kilometers, quantity and so on."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import FileSettings
from semicoupled.tasks.nowcasting.files.formats.given import KEYS, moments, stack_frames
from semicoupled.tasks.nowcasting.files.formats.limits import check_size, sizes
from semicoupled.tasks.nowcasting.files.formats.times import pattern_of
from semicoupled.tasks.nowcasting.files.frame import RadarFrame

NAME: str = "npy, npz"
_NPY, _ZIP = b"\x93NUMPY", b"PK\x03\x04"


def matches(path: Path, head: bytes) -> bool:
    """Whether a file is one of these, by its content.

    Args:
        path: the file; not opened.
        head: its first bytes.
    """
    return head.startswith(_NPY) or (head.startswith(_ZIP) and b".npy" in head)


def read(path: Path, given: FileSettings) -> tuple[RadarFrame, ...]:
    """Read a stack of fields. Nothing in the file is ever executed.

    Args:
        path: the file; its name holds the time of the first field, unless ``time`` or ``times`` in it do.
        given: what the file does not say.

    Raises:
        DataError: no array, several, damage, or something that neither the file nor the settings say.
    """
    arrays = _load(path)
    said = {name: array.reshape(-1)[0].item() for name, array in arrays.items() if name in KEYS and array.size == 1}
    if "time" in said:
        said["time"] = moments(path, arrays["time"].reshape(-1))[0].isoformat()
    name = _choose(path, arrays, given)
    stack = arrays[name]
    if stack.dtype.kind not in "iufb":
        raise DataError(f"{path}: {name!r} holds {stack.dtype}; expected numbers")
    if stack.ndim not in (2, 3):
        raise DataError(
            f"{path}: {name!r} has the shape {stack.shape}; expected T H W or H W. Name another with "
            "data.files.variable"
        )
    stack = stack if stack.ndim == 3 else stack[None]
    check_size(path, stack.shape, repr(name))
    times = moments(path, arrays["times"].reshape(-1)) if "times" in arrays else None
    if times is not None and len(times) != len(stack):
        raise DataError(f"{path}: {len(stack)} fields and {len(times)} times; expected as many")
    return stack_frames(path, stack, said, given, f"arrays {pattern_of(path)}", times)


def _load(path: Path) -> Mapping[str, np.ndarray]:
    with path.open("rb") as file:
        single = file.read(len(_NPY)) == _NPY
    if single:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)  # refuses at once a header that promises too much
        check_size(path, (1, 1, *mapped.shape))
        return {"the array": np.array(mapped)}
    with zipfile.ZipFile(path) as file:
        unpacked = sum(member.file_size for member in file.infolist())
        most = 8 * sizes().bytes
        if unpacked > most:
            raise DataError(f"{path}: unpacks to {unpacked} bytes; expected at most {most}. Cut it into parts")
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _choose(path: Path, arrays: Mapping[str, np.ndarray], given: FileSettings) -> str:
    if given.variable is not None and given.variable in arrays:
        return given.variable
    found = [name for name, array in arrays.items() if array.ndim in (2, 3) and name not in KEYS]
    if len(found) != 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise DataError(
            f"{path}: holds {shapes or 'nothing'}; expected one array of T H W or H W. Name it with data.files.variable"
        )
    return found[0]
