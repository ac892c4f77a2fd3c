"""DonkeyCar's tub, version 1: a folder with ``meta.json``, ``record_N.json`` and images, one of each a frame.

A record has ``cam/image_array``, the name of its image, and ``user/angle``, -1..1 of full lock, positive to the right.
Time is ``milliseconds`` since the car was started, or ``timestamp``; old tubs have neither. ``exclude.json`` lists the
records that were taken out. Facts: ``donkeycar/parts/datastore.py`` of donkeycar 2 and 3.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from semicoupled.errors import DataError
from semicoupled.skipping import Skipped
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.images import ImageFiles
from semicoupled.tasks.driving.formats.recordings import split_at_pauses
from semicoupled.tasks.driving.formats.text import counted_times, numbers

NAME: str = "DonkeyCar tub v1"

_IMAGE, _ANGLE = "cam/image_array", "user/angle"


class _Record(NamedTuple):
    image: str
    angle: float
    time: float | None


def recognizes(path: Path) -> bool:
    """Whether a folder holds records of such a tub."""
    return path.is_dir() and any(path.glob("record_*.json"))


def read(path: Path, settings: DataSettings) -> list[Drive]:
    """Read a tub; a time that starts again, or a pause of some seconds, begins another run.

    Args:
        path: the tub's folder.
        settings: `file_rate`, if the records hold no times, and what becomes of broken records.

    Raises:
        DataError: a record is damaged, or some have times and some have none.
    """
    excluded = _excluded(path / "exclude.json")
    files = {
        int(number): file for file in path.glob("record_*.json") if (number := file.stem.split("_")[-1]).isdecimal()
    }
    skipped = Skipped(settings.on_error, str(path), "records")
    records: list[_Record] = []
    for number in sorted(set(files) - excluded):
        try:
            records.append(_read_record(files[number]))
        except DataError as error:
            skipped.add(error)
    skipped.close(len(records) + skipped.count)
    if not records:
        raise DataError(
            f"{path}: all of its {len(files)} records are taken out by exclude.json; expected some to read. Use "
            "another tub"
        )
    drive = Drive(
        name="",
        run="",
        source=path,
        frames=ImageFiles([path / record.image for record in records]),
        times=_times(path, records, settings),
        angles=numbers([record.angle for record in records]),
        unit="normalized",
    )
    return split_at_pauses(drive) if records[0].time is not None else [drive]


def _excluded(file: Path) -> set[int]:
    if not file.is_file():
        return set()
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {int(number) for number in found}
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{file}: expected a list of numbers of records, got something else ({error})") from error


def _read_record(file: Path) -> _Record:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: is no record of a tub ({error}); expected JSON. Remove it and its image") from error
    image = record.get(_IMAGE) if isinstance(record, dict) else None
    if not isinstance(image, str):
        raise DataError(f"{file}: has no {_IMAGE}; expected the record of a tub with a camera. Remove it")
    angle = record.get(_ANGLE)
    return _Record(
        image.replace("\\", "/").rsplit("/", 1)[-1],
        float(angle) if isinstance(angle, int | float) else float("nan"),
        _time(file, cast("Mapping[str, Any]", record)),
    )


def _time(file: Path, record: Mapping[str, Any]) -> float | None:
    milliseconds, stamp = record.get("milliseconds"), record.get("timestamp")
    if isinstance(milliseconds, int | float):
        return milliseconds / 1000
    if stamp is None:
        return None
    try:
        time = datetime.fromisoformat(str(stamp))
    except ValueError as error:
        raise DataError(f"{file}: its timestamp is {stamp!r}; expected a time. Remove the record") from error
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _times(path: Path, records: Sequence[_Record], settings: DataSettings) -> np.ndarray:
    known = [record.time for record in records if record.time is not None]
    if not known:
        return counted_times(path, len(records), settings)
    if len(known) != len(records):
        raise DataError(
            f"{path}: {len(known)} of {len(records)} records have a time; expected all or none. Take the others out"
        )
    return numbers(known)
