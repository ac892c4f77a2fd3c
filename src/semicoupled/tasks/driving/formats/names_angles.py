"""A list of pictures and angles, ``data.txt``, as in Sully Chen's data sets.

Lines are ``name.jpg angle`` or ``name.jpg angle,2018-07-01 17:09:44:912``; the angle is that of the steering wheel in
degrees, positive to the right: https://github.com/SullyChen/driving-datasets, whose own player turns a wheel clockwise
by it (``run_dataset.py`` of https://github.com/SullyChen/Autopilot-TensorFlow).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.images import ImageFiles, find_images
from semicoupled.tasks.driving.formats.recordings import split_at_pauses
from semicoupled.tasks.driving.formats.text import counted_times, first_lines, numbers, read_lines

NAME: str = "list of names and angles"

_LINE = re.compile(
    r"^(\S+\.(?:jpe?g|png|bmp))\s+([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|nan)"
    r"(?:,(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d):(\d{1,3}))?\s*$",
    re.IGNORECASE,
)


def recognizes(path: Path) -> bool:
    """Whether the first lines of a file are names of pictures and angles."""
    lines = first_lines(path)
    return bool(lines) and all(_LINE.match(line) for line in lines)


def read(path: Path, settings: DataSettings) -> list[Drive]:
    """Read a list; where it has times, a pause of some seconds begins another run.

    Args:
        path: the list.
        settings: `file_rate`, if the lines hold no times.

    Raises:
        DataError: a line is something else, some lines have times and some have none, or no picture is found.
    """
    names: list[str] = []
    angles: list[float] = []
    times: list[float] = []
    for number, text in read_lines(path):
        match = _LINE.match(text)
        if match is None:
            raise DataError(
                f"{path}, line {number}: expected a name, a blank and an angle, and perhaps a comma and a time, got "
                f"{text!r}"
            )
        names.append(match[1])
        angles.append(float(match[2]))
        if match[3]:
            year, month, day, hour, minute, second, thousandths = map(int, match.groups()[2:])
            try:
                time = datetime(year, month, day, hour, minute, second, 1000 * thousandths, tzinfo=UTC)
                times.append(time.timestamp())
            except ValueError as error:
                raise DataError(f"{path}, line {number}: has a time that there is not ({error})") from error
    if times and len(times) != len(names):
        raise DataError(f"{path}: {len(times)} of {len(names)} lines have a time; expected all or none. Mend the list")
    folder = find_images(path, names)
    drive = Drive(
        name="",
        run="",
        source=path,
        frames=ImageFiles([folder / name for name in names]),
        times=numbers(times) if times else counted_times(path, len(names), settings),
        angles=numbers(angles),
        unit="degrees",
    )
    return split_at_pauses(drive) if times else [drive]
