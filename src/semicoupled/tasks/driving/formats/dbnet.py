"""DBNet (LiVi-Set): a folder of a minute or two with ``dvr_66x200/k.jpg`` and ``behavior.csv``.

Line k (from 0) of ``behavior.csv`` belongs to picture ``k.jpg`` and holds the angle of the steering wheel in degrees
and the speed in km/h; a folder of the test set has no such file, and its angles are missing. The demonstration has
``DVR/k.jpg`` and ``data.csv``. Facts: ``data/README.md`` and ``provider.py`` of
https://github.com/driving-behavior/DBNet. How many frames there are a second, and which way is positive, is written
nowhere, and has to be said in the settings.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.images import ImageFiles
from semicoupled.tasks.driving.formats.text import (
    counted_times,
    first_lines,
    is_number,
    needed_sign,
    numbers,
    read_lines,
    to_number,
)

NAME: str = "DBNet / LiVi folder"

_KILOMETER_AN_HOUR = 1 / 3.6
_LABELS = ("behavior.csv", "data.csv")


def recognizes(path: Path) -> bool:
    """Whether a folder has pictures of a DVR, and labels or none beside them."""
    folder = _pictures(path)
    if folder is None:
        return False
    labels = _labels(path)
    if labels is None:
        return (folder / "0.jpg").is_file() and folder.name != "DVR"
    lines = first_lines(labels)
    return not lines or all(len(cells := line.split(",")) == 2 and all(map(is_number, cells)) for line in lines)


def read(path: Path, settings: DataSettings) -> list[Drive]:
    """Read a folder; it is a run.

    Args:
        path: the folder.
        settings: `file_rate` and the angle's sign, which the files do not say.

    Raises:
        DataError: a line is something else, pictures and lines differ in number, or a setting is missing.
    """
    folder, labels = _pictures(path), _labels(path)
    assert folder is not None
    needed_sign(path, settings)
    numbered = sorted(int(file.stem) for file in folder.glob("*.jpg") if file.stem.isdecimal())
    if numbered != list(range(len(numbered))):
        lost = next(index for index, number in enumerate(numbered) if index != number)
        raise DataError(
            f"{folder}: has no {lost}.jpg among pictures up to {numbered[-1]}.jpg; expected all from 0.jpg on, since "
            "lines are matched by counting. Fetch the folder again"
        )
    if labels is None:
        angles, speeds = np.full(len(numbered), np.nan), None
    else:
        found = [_line(labels, number, text) for number, text in read_lines(labels)]
        if len(found) != len(numbered):
            raise DataError(
                f"{labels}: has {len(found)} lines for {len(numbered)} pictures in {folder.name}; expected as many. "
                "Fetch the folder again"
            )
        angles = numbers([angle for angle, _ in found])
        speeds = numbers([speed * _KILOMETER_AN_HOUR for _, speed in found])
    return [
        Drive(
            name="",
            run="",
            source=path,
            frames=ImageFiles([folder / f"{number}.jpg" for number in numbered]),
            times=counted_times(path, len(numbered), settings),
            angles=angles,
            unit="degrees",
            speeds=speeds,
        )
    ]


def _pictures(path: Path) -> Path | None:
    """Give the folder of pictures, the smallest ones if there are several sizes."""
    if not path.is_dir():
        return None
    found = sorted(
        (child for child in path.iterdir() if child.name == "DVR" or child.name.startswith("dvr_")),
        key=lambda child: (len(child.name), child.name),
    )
    return next((child for child in found if child.is_dir()), None)


def _labels(path: Path) -> Path | None:
    return next((path / name for name in _LABELS if (path / name).is_file()), None)


def _line(path: Path, number: int, text: str) -> tuple[float, float]:
    cells = text.split(",")
    if len(cells) != 2:
        raise DataError(f"{path}, line {number}: expected angle, speed, got {text!r}")
    return to_number(path, number, "the angle", cells[0]), to_number(path, number, "the speed", cells[1])
