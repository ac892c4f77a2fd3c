"""What a model answered along a drive, beside the truth: all that scores, tables and pictures need."""

from __future__ import annotations

import io
import json
from typing import NamedTuple, get_args

import numpy as np

from semicoupled.data.damage import piece_damage_told
from semicoupled.tasks.driving.drives import Unit


class DriveAnswers(NamedTuple):
    """Angles along one drive, frame by frame; all float64 of N values in `unit`, positive to the right.

    Attributes:
        drive: its name.
        run: the recording that it comes from.
        unit: of the angles.
        times: seconds.
        truth: the label; NaN where there is none.
        main: the model's answer; NaN where it has none yet.
        spatial: the answer from space alone (the spatial stream); None where the model has no such stream.
        temporal: the answer from time (the temporal stream); None likewise.
        roads: road labels; None where the data has none.
    """

    drive: str
    run: str
    unit: Unit
    times: np.ndarray
    truth: np.ndarray
    main: np.ndarray
    spatial: np.ndarray | None = None
    temporal: np.ndarray | None = None
    roads: tuple[str, ...] | None = None


_COLUMNS = ("times", "truth", "main", "spatial", "temporal")


def packed(answers: DriveAnswers) -> bytes:
    """Give answers as bytes that `unpacked` reads to the same numbers."""
    buffer = io.BytesIO()
    columns = {name: getattr(answers, name) for name in _COLUMNS if getattr(answers, name) is not None}
    names = json.dumps([answers.drive, answers.run, answers.unit, answers.roads])
    np.savez(buffer, names=np.frombuffer(names.encode(), np.uint8), **columns)
    return buffer.getvalue()


def unpacked(content: bytes) -> DriveAnswers:
    """Read what `packed` gave; no pickles are read.

    Raises:
        DataError: it is not whole.
    """
    with piece_damage_told():
        return _read(content)


def _read(content: bytes) -> DriveAnswers:
    with np.load(io.BytesIO(content), allow_pickle=False) as held:
        drive, run, unit, roads = json.loads(held["names"].tobytes())
        columns: dict[str, np.ndarray] = {name: held[name] for name in _COLUMNS if name in held}
    frames = columns["times"].shape
    if len(frames) != 1 or not all(one.shape == frames and one.dtype == np.float64 for one in columns.values()):
        raise ValueError(f"columns of {sorted({one.shape for one in columns.values()})} values")
    if not (isinstance(drive, str) and isinstance(run, str) and unit in get_args(Unit)):
        raise ValueError(f"drive {drive!r} of {run!r} in {unit!r}")
    if roads is not None and ([type(road) for road in roads] != [str] * frames[0]):
        raise ValueError("roads that are not a word a frame")
    return DriveAnswers(drive, run, unit, roads=None if roads is None else tuple(roads), **columns)
