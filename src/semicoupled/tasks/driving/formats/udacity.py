"""Logs of Udacity's simulator: ``driving_log.csv`` and a folder ``IMG`` of pictures of three cameras.

Lines are ``center, left, right, steering, throttle, brake, speed``; Udacity's own sample has a head, the simulator
writes none. Paths are those of the machine that recorded, so that only the names of the pictures count, which hold the
time (``center_2016_12_01_13_30_48_287.jpg``). Steering is -1..1 of the largest angle (25 degrees of the wheels),
positive to the right (Unity's ``WheelCollider.steerAngle``, clockwise from above); speed is in miles an hour
(``CarController`` of https://github.com/udacity/self-driving-car-sim). The center camera alone is read: a picture of
another would need a made-up angle.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.images import ImageFiles, find_images
from semicoupled.tasks.driving.formats.recordings import split_at_pauses
from semicoupled.tasks.driving.formats.text import (
    IMAGE_SUFFIXES,
    counted_times,
    first_lines,
    is_number,
    numbers,
    read_lines,
    to_number,
)

NAME: str = "Udacity simulator log"

_HEAD = ("center", "left", "right", "steering")
_TIME = re.compile(r"(\d{4})_(\d\d)_(\d\d)_(\d\d)_(\d\d)_(\d\d)_(\d{3})")
_MILE_AN_HOUR = 0.44704


class _Line(NamedTuple):
    image: str
    angle: float
    speed: float


def recognizes(path: Path) -> bool:
    """Whether a file's first lines are those of such a log, with or without its head."""
    lines = first_lines(path, 2)
    if lines and tuple(_cells(lines[0])[:4]) == _HEAD:
        return True
    cells = _cells(lines[0]) if lines else []
    return len(cells) == 7 and _is_image(cells[0]) and all(is_number(cell) for cell in cells[3:])


def read(path: Path, settings: DataSettings) -> list[Drive]:
    """Read a log; a pause of some seconds begins another run.

    Args:
        path: the log.
        settings: `file_rate`, if the names of the pictures hold no times.

    Raises:
        DataError: a line is no such line, there is none, or no picture is found.
    """
    lines: list[_Line] = []
    for number, text in read_lines(path):
        cells = next(csv.reader([text], skipinitialspace=True))
        if not lines and tuple(cell.strip().lower() for cell in cells[:4]) == _HEAD:
            continue
        if len(cells) < 7 or not _is_image(cells[0].strip().lower()):
            raise DataError(
                f"{path}, line {number}: expected center, left, right, steering, throttle, brake, speed, got {text!r}"
            )
        angle, speed = (to_number(path, number, name, cells[at]) for at, name in ((3, "steering"), (6, "speed")))
        lines.append(_Line(PureWindowsPath(cells[0].strip()).name, angle, speed * _MILE_AN_HOUR))
    if not lines:
        raise DataError(f"{path}: has no line of a picture; expected at least one. Record again")
    folder = find_images(path, [line.image for line in lines])
    times = _times(lines)
    drive = Drive(
        name="",
        run="",
        source=path,
        frames=ImageFiles([folder / line.image for line in lines]),
        times=counted_times(path, len(lines), settings) if times is None else times,
        angles=numbers([line.angle for line in lines]),
        unit="normalized",
        speeds=numbers([line.speed for line in lines]),
    )
    return [drive] if times is None else split_at_pauses(drive)


def _cells(line: str) -> list[str]:
    return [cell.strip().lower() for cell in line.split(",")]


def _is_image(text: str) -> bool:
    return PureWindowsPath(text).suffix in IMAGE_SUFFIXES


def _times(lines: Sequence[_Line]) -> np.ndarray | None:
    """Read the times of all names; None if any has none."""
    found: list[float] = []
    for line in lines:
        match = _TIME.search(line.image)
        if match is None:
            return None
        year, month, day, hour, minute, second, thousandths = map(int, match.groups())
        try:
            time = datetime(year, month, day, hour, minute, second, 1000 * thousandths, tzinfo=UTC)
        except ValueError:
            return None
        found.append(time.timestamp())
    return numbers(found)
