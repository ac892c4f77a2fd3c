"""Answers along drives as a CSV file, and back."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.driving.answers import DriveAnswers

COLUMNS = ("drive", "frame", "time", "angle", "spatial", "temporal", "truth")
"""Of the CSV: the drive's name, the frame's number in it, seconds, and angles in the unit of the training data,
positive to the right. The side streams' are empty where a model has none; the truth where there is no label."""


class StoredAnswers(NamedTuple):
    """What a CSV file holds of a drive.

    Attributes:
        times: N, seconds.
        angles: N; NaN where there is none.
    """

    times: np.ndarray
    angles: np.ndarray


def to_csv(answers: Sequence[DriveAnswers]) -> str:
    """Lay answers out as the text of a CSV file; see `COLUMNS`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for drive in answers:
        writer.writerows(_rows(drive))
    return text.getvalue()


def read_csv(path: Path) -> dict[str, StoredAnswers]:
    """Read the answers that `to_csv` laid out, by drive.

    Raises:
        DataError: it cannot be read, or is no such table.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: cannot be read ({error}); expected answers, as `semicoupled predict` writes"
        ) from error
    found: dict[str, list[tuple[float, float]]] = {}
    reader = csv.DictReader(io.StringIO(text))
    missing = {"drive", "frame", "time", "angle"} - set(reader.fieldnames or ())
    if missing:
        raise DataError(
            f"{path}: has no column {', '.join(sorted(missing))}; expected answers, as `semicoupled predict "
            "driving RUN INPUT --out F.csv` writes them"
        )
    for number, row in enumerate(reader, 2):
        drive = found.setdefault(row["drive"], [])
        try:
            frame, time, angle = int(row["frame"]), float(row["time"]), float(row["angle"] or math.nan)
        except (TypeError, ValueError) as error:
            raise DataError(f"{path}, line {number}: expected numbers for frame, time and angle ({error})") from error
        if frame != len(drive):
            raise DataError(
                f"{path}, line {number}: is frame {frame} of drive {row['drive']!r}; expected {len(drive)}. Lines are "
                "missing; make it again"
            )
        drive.append((time, angle))
    if not found:
        raise DataError(f"{path}: holds no answers; expected a line a frame. Make it again")
    return {name: StoredAnswers(*np.array(rows, np.float64).T) for name, rows in found.items()}


def _rows(drive: DriveAnswers) -> Iterator[tuple[str, ...]]:
    columns = (drive.main, drive.spatial, drive.temporal, drive.truth)
    for frame, time in enumerate(drive.times):
        yield drive.drive, str(frame), f"{time:.3f}", *(_cell(column, frame) for column in columns)


def _cell(column: np.ndarray | None, frame: int) -> str:
    return "" if column is None or np.isnan(column[frame]) else f"{column[frame]:.5f}"
