"""Our own table: CSV with a line a frame, ``sequence, frame | video, time, angle[, speed, road]``.

The columns, in any order; others are passed over:

    sequence  name of the run; without it the whole table is one
    frame     path of an image, from the table's folder
    video     or path of a video; its frames are all those between the first and the last line of it
    time      seconds, rising within a run; of a video, since its first frame
    angle     of steering; empty where it is not known
    speed     m/s
    road      a word such as ``straight``, for scores by road

Unit, sign and offset of the angle are said by the settings, or by the table in lines above its head:

    # angle_unit: degrees
    # angle_positive: left
    # angle_offset: 1.5
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from semicoupled.data.video_frames import VideoFrames
from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive, Unit
from semicoupled.tasks.driving.formats.images import ImageFiles
from semicoupled.tasks.driving.formats.parts import SomeFrames
from semicoupled.tasks.driving.formats.text import (
    counted_times,
    first_lines,
    needed_sign,
    numbers,
    read_lines,
    to_number,
)
from semicoupled.tasks.driving.formats.timed import interpolate, nearest_word

NAME: str = "table of frames (CSV)"

COLUMNS = ("sequence", "frame", "video", "time", "angle", "speed", "road")
_SAID = re.compile(r"^#\s*angle_(unit|positive|offset)\s*[:=]\s*(\S+)\s*$", re.IGNORECASE)
_UNITS = ("degrees", "radians", "normalized")
_SIDES = {"right": 1.0, "left": -1.0}


class _Row(NamedTuple):
    number: int
    cells: Mapping[str, str]


def recognizes(path: Path) -> bool:
    """Whether a text file has a head with an angle and a frame or a video."""
    heads = [line for line in first_lines(path, 20) if not line.lstrip().startswith("#")]
    return bool(heads) and _is_head(_split(heads[0]))


def read(path: Path, settings: DataSettings) -> list[Drive]:
    """Read a table; each of its sequences is a run.

    Args:
        path: the table.
        settings: unit, sign and offset of the angle where the table does not say them; `file_rate`, if it has images
            and no times.

    Raises:
        DataError: a cell is no number, a column or a setting is missing, or a video cannot be read.
        MissingExtraError: it names a video, and PyAV is not installed.
    """
    lines = read_lines(path)
    said = _said(path, lines)
    rows = _rows(path, [(number, text) for number, text in lines if not text.lstrip().startswith("#")])
    unit = said.get("unit") or settings.angle.unit
    if unit is None:
        raise DataError(
            f"{path}: does not say the unit of its angles; expected degrees, radians or normalized. Set "
            "--data.angle.unit, or write '# angle_unit: degrees' above its head"
        )
    if "positive" not in said:
        needed_sign(path, settings)
    side, offset = _SIDES[said.get("positive", "right")], float(said.get("offset", "0"))
    sequences: dict[str, list[_Row]] = {}
    for row in rows:
        sequences.setdefault(row.cells.get("sequence", "").strip(), []).append(row)
    return [_drive(path, name, own, cast("Unit", unit), side, offset, settings) for name, own in sequences.items()]


def _split(line: str) -> list[str]:
    return [cell.strip().lower() for cell in line.split(",")]


def _is_head(cells: Sequence[str]) -> bool:
    return "angle" in cells and ("frame" in cells or "video" in cells)


def _said(path: Path, lines: Sequence[tuple[int, str]]) -> dict[str, str]:
    """Read the lines above the head that say what an angle is."""
    said: dict[str, str] = {}
    for number, text in lines:
        if not text.lstrip().startswith("#"):
            break
        match = _SAID.match(text.strip())
        if match:
            name, value = match[1].lower(), match[2].lower()
            known = {"unit": _UNITS, "positive": tuple(_SIDES)}.get(name)
            if known is not None and value not in known:
                raise DataError(
                    f"{path}, line {number}: angle_{name} is {value!r}; expected one of: {', '.join(known)}"
                )
            if name == "offset" and not np.isfinite(to_number(path, number, "angle_offset", value)):
                raise DataError(f"{path}, line {number}: angle_offset is {value!r}; expected a number")
            said[name] = value
    return said


def _rows(path: Path, lines: Sequence[tuple[int, str]]) -> list[_Row]:
    head = _split(lines[0][1])
    unknown = [name for name in ("frame", "video") if name in head]
    if len(unknown) == 2:
        raise DataError(f"{path}: has a column frame and a column video; expected one of them. Leave one out")
    if "video" in head and "time" not in head:
        raise DataError(f"{path}: names videos and has no column time; expected seconds since a video's first frame")
    rows: list[_Row] = []
    for number, text in lines[1:]:
        cells = next(csv.reader([text], skipinitialspace=True))
        if len(cells) != len(head):
            raise DataError(
                f"{path}, line {number}: has {len(cells)} cells; expected {len(head)} ({', '.join(head)}), got {text!r}"
            )
        rows.append(_Row(number, dict(zip(head, cells, strict=True))))
    if not rows:
        raise DataError(f"{path}: has a head and no line below it; expected a line a frame")
    return rows


def _drive(
    path: Path, name: str, rows: Sequence[_Row], unit: Unit, side: float, offset: float, settings: DataSettings
) -> Drive:
    def column(which: str) -> np.ndarray:
        return numbers([to_number(path, row.number, which, row.cells[which]) for row in rows])

    head = rows[0].cells
    where = path if not name else f"{path}, sequence {name}"
    times = column("time") if "time" in head else counted_times(path, len(rows), settings)
    angles = side * (column("angle") - offset)
    speeds = column("speed") if "speed" in head else None
    roads = tuple(row.cells["road"].strip() for row in rows) if "road" in head else None
    if "frame" in head:
        frames = ImageFiles([path.parent / row.cells["frame"].strip() for row in rows])
        return Drive(name, name, path, frames, times, angles, unit, speeds, roads)
    videos = {row.cells["video"].strip() for row in rows}
    if len(videos) > 1:
        raise DataError(
            f"{where}: has {len(videos)} videos ({', '.join(sorted(videos)[:3])}); expected one a sequence. Give each "
            "a name of its own in the column sequence"
        )
    video = VideoFrames(path.parent / videos.pop())
    if not (np.diff(times) > 0).all():
        line = rows[int(np.argmin(np.diff(times) > 0)) + 1].number
        raise DataError(f"{path}, line {line}: its time does not rise; expected each later than the one before")
    inside = np.flatnonzero((video.times >= times[0] - 1e-3) & (video.times <= times[-1] + 1e-3))
    if not len(inside):
        raise DataError(
            f"{where}: its lines are from {times[0]:g} to {times[-1]:g} s, its video has frames from 0 to "
            f"{video.times[-1]:g} s; expected times since the video's first frame"
        )
    at = video.times[inside]
    return Drive(
        name=name,
        run=name,
        source=path,
        frames=SomeFrames(video, inside),
        times=at,
        angles=interpolate(times, angles, at, settings.gap_seconds),
        unit=unit,
        speeds=None if speeds is None else interpolate(times, speeds, at, settings.gap_seconds),
        roads=None if roads is None else nearest_word(times, roads, at),
    )
