"""comma.ai's driving data set of 2016: ``camera/NAME.h5`` with images and ``log/NAME.h5`` with everything else.

``X`` is N x 3 x 160 x 320, uint8, RGB, at 20 Hz. The log has 100 Hz; ``cam1_ptr`` is the number of the camera's frame
at each of its lines, ``times`` are seconds, ``speed`` is m/s. ``steering_angle`` is positive to the right, and nothing
in the files or their description says its unit: it is about a tenth of a degree of the steering wheel, as
``view_steering_model.py`` of https://github.com/commaai/research divides it by 10 before it is drawn in degrees. So the
unit and the factor must be given (``--data.angle.unit degrees --data.angle.factor 0.1``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from semicoupled.data.untrusted import check_pixels, check_place
from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive

NAME: str = "comma.ai HDF5"

_CAMERA, _LOG = "camera", "log"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_NEEDED = ("cam1_ptr", "steering_angle", "times")
_SUFFIXES = (".h5", ".hdf5")


def recognizes(path: Path) -> bool:
    """Whether a folder has camera files and logs, or a file is a camera's."""
    if path.is_dir():
        return any(_is_hdf5(file) for file in _files(path / _CAMERA)) and (path / _LOG).is_dir()
    return _is_camera(path)


def read(path: Path, settings: DataSettings) -> list[Drive]:
    """Read the pairs of a folder, or one camera file with its log; each is a run.

    A frame has the angle and the time of the first line of the log that points to it; frames that no line points to
    have no time and are left out.

    Args:
        path: the folder, or ``camera/NAME.h5``, whose log is ``log/NAME.h5``.
        settings: unit and factor of the angle.

    Raises:
        DataError: a log is missing, a file is damaged, their parts do not agree, or the scale is not given.
    """
    if settings.angle.unit is None or settings.angle.factor is None:
        raise DataError(
            f"{path}: comma.ai's steering_angle has no unit; expected to be told one. Set --data.angle.unit degrees "
            "--data.angle.factor 0.1, if it is a tenth of a degree, as comma.ai's own viewer takes it"
        )
    if path.is_file():
        return [_drive(path, "", settings)]
    files = [file for file in _files(path / _CAMERA) if file.suffix.lower() in _SUFFIXES]
    return [_drive(file, file.stem, settings) for file in files]


def log_of(camera: Path) -> Path:
    """Give the log of a camera file: the same name in the folder ``log`` beside the camera's."""
    return camera.parent.parent / _LOG / camera.name


class HDF5Frames:
    """Images of a camera file; see `semicoupled.tasks.driving.drives.Frames`. It may be sent to other processes."""

    def __init__(self, path: Path, indices: np.ndarray) -> None:
        """Take the numbers of the frames in the file."""
        self._path, self._indices = path, indices
        self._file: tuple[int, Any] | None = None

    def __len__(self) -> int:
        """The number of frames."""
        return len(self._indices)

    def read(self, index: int) -> np.ndarray:
        """Read a frame: H W 3, uint8, RGB.

        Raises:
            DataError: the file is damaged there.
        """
        try:
            return np.ascontiguousarray(np.moveaxis(self._images()[int(self._indices[index])], 0, -1))
        except (OSError, RuntimeError) as error:
            raise DataError(f"{self.name(index)}: cannot be read ({error}). Fetch the file again") from error

    def name(self, index: int) -> str:
        """Say where a frame lies."""
        return f"{self._path}, frame {int(self._indices[index])}"

    def __getstate__(self) -> dict[str, object]:
        """Leave the open file behind."""
        return {"_path": self._path, "_indices": self._indices, "_file": None}

    def _images(self) -> Any:
        if self._file is None or self._file[0] != os.getpid():  # an open HDF5 file is not safe in a forked process
            self._file = (os.getpid(), _open(self._path))
            check_pixels(self._path, *self._file[1]["X"].shape[:1:-1])
        return self._file[1]["X"]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_hdf5(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


def _is_camera(path: Path) -> bool:
    if path.suffix.lower() not in _SUFFIXES or not _is_hdf5(path):
        return False
    try:
        with h5py.File(path, "r") as file:
            images = file.get("X")
            return isinstance(images, h5py.Dataset) and images.ndim == 4 and images.shape[1] == 3
    except (OSError, RuntimeError, ValueError):
        return path.parent.name == _CAMERA  # damaged: reading it says how


def _open(path: Path) -> h5py.File:
    check_place(path)
    try:
        return h5py.File(path, "r")
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(
            f"{path}: expected a whole HDF5 file, got one that cannot be opened ({error}). It is missing, or was cut "
            "off: fetch it again"
        ) from error


def _drive(camera: Path, name: str, settings: DataSettings) -> Drive:
    log = log_of(camera)
    if not log.is_file():
        raise DataError(f"{camera}: has no log; expected {log}. Fetch it, or take the camera file out")
    with _open(camera) as file:
        count = _count(camera, file)
    with _open(log) as file:
        values = {which: _values(log, file, which) for which in (*_NEEDED, *(["speed"] if "speed" in file else []))}
    lengths = {which: len(found) for which, found in values.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"{log}: its parts differ in length: {lengths}; expected as many lines in each. Fetch it again")
    pointer = values["cam1_ptr"]
    whole = np.isfinite(pointer) & (pointer >= 0) & (pointer == np.round(pointer))
    frames, lines = np.unique(np.where(whole, pointer, -1).astype(np.int64), return_index=True)
    frames, lines = frames[frames >= 0], lines[frames >= 0]
    beyond = int((frames >= count).sum())
    if beyond > max(1, 0.01 * len(frames)) and settings.on_error == "fail":
        raise DataError(
            f"{camera}: has {count} frames, and {log.name} points to {int(frames.max()) + 1}; expected all of them. It "
            "was cut off: fetch it again, or leave these lines out with --data.on_error skip"
        )
    frames, lines = frames[frames < count], lines[frames < count]
    if not len(frames):
        raise DataError(f"{log}: cam1_ptr points to none of the {count} frames of {camera}. Fetch both again")
    return Drive(
        name=name,
        run=name,
        source=camera,
        frames=HDF5Frames(camera, frames),
        times=values["times"][lines],
        angles=values["steering_angle"][lines],
        unit=settings.angle.unit or "degrees",
        speeds=values["speed"][lines] if "speed" in values else None,
    )


def _count(path: Path, file: h5py.File) -> int:
    images = file.get("X")
    if not isinstance(images, h5py.Dataset) or images.ndim != 4 or images.shape[1] != 3 or images.dtype != np.uint8:
        shape = f"{images.shape} of {images.dtype}" if isinstance(images, h5py.Dataset) else "nothing"
        raise DataError(f"{path}: X is {shape}; expected N x 3 x height x width of uint8. Use comma.ai's camera file")
    return len(images)


def _values(path: Path, file: h5py.File, name: str) -> np.ndarray:
    found = file.get(name)
    if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "iuf" or found.ndim not in (1, 2):
        there: Iterator[str] = iter(sorted(file))
        raise DataError(f"{path}: has no list of numbers {name!r}; expected one. It has: {', '.join(there)}")
    try:
        return np.asarray(found, np.float64).reshape(len(found), -1)[:, 0]
    except (OSError, RuntimeError) as error:
        raise DataError(f"{path}: {name} cannot be read ({error}). It was cut off: fetch it again") from error
