"""Replay: a recorded drive through a model, frame by frame as in a car, against the answers that were stored."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from semicoupled.errors import DataError, SettingsError
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.images import step_of
from semicoupled.tasks.driving.operating.answer_table import StoredAnswers
from semicoupled.tasks.driving.operating.predictor import DrivingPredictor
from semicoupled.training.progress import NoProgress, Progress

TOLERANCE = 0.002
"""Of the scale of the angle (`AngleSettings.scale`), by which an answer may differ if nothing else is said."""
_WARM_UP = 3
"""Frames that go through before the clock counts."""


class Replayed(NamedTuple):
    """How a drive went.

    Attributes:
        drive: its name.
        frames: that were answered.
        difference: the largest, in the unit of the angles; infinite where only one of both has an answer.
        frame: where it is.
        mean: milliseconds a frame, from the image to the angle, without reading the image.
        late: milliseconds that 95 % of the frames stay below.
        slowest: milliseconds of the slowest frame.
    """

    drive: str
    frames: int
    difference: float
    frame: int
    mean: float
    late: float
    slowest: float


def default_tolerance(predictor: DrivingPredictor) -> float:
    """Give the difference that is allowed if nothing else is said, in the unit of the angles."""
    return TOLERANCE * predictor.settings.data.scale(predictor.unit)


def replay(
    predictor: DrivingPredictor,
    drives: Sequence[Drive],
    stored: Mapping[str, StoredAnswers],
    *,
    packed: bool = True,
    progress: Progress | None = None,
) -> list[Replayed]:
    """Answer drives frame by frame, and compare.

    Args:
        predictor: of the run.
        drives: as they were when the answers were stored.
        stored: answers by drive, as `read_csv` gives them.
        packed: lay the network out for one CPU core, as in a car; see `DriveSession`.
        progress: who is told how far it is.

    Returns:
        What was found, by drive.

    Raises:
        SettingsError: the run answers clips, not streams.
        DataError: the drives are not those of the stored answers, or an image cannot be read.
    """
    if predictor.settings.evaluation.way != "stream":
        raise SettingsError(
            "evaluation.way clips: a replay goes frame by frame with the state, as a car does; expected a run whose "
            "answers are made so (evaluation.way stream)."
        )
    names = [drive.name for drive in drives]
    if sorted(names) != sorted(stored):
        raise DataError(
            f"the stored answers are of drives {', '.join(sorted(stored))}; got {', '.join(sorted(names))}. Replay "
            "what they were made from, or make them again by `semicoupled predict driving`"
        )
    shown = progress or NoProgress()
    shown.begin("replaying", sum(len(drive) for drive in drives))
    found: list[Replayed] = []
    try:
        for drive in drives:
            before = sum(each.frames for each in found)
            found.append(_replay(predictor, drive, stored[drive.name], packed, shown, before))
    finally:
        shown.end()
    return found


def _replay(
    predictor: DrivingPredictor, drive: Drive, stored: StoredAnswers, packed: bool, shown: Progress, before: int
) -> Replayed:
    if len(drive) != len(stored.angles):
        raise DataError(
            f"drive {drive.name}: has {len(drive)} frames, and {len(stored.angles)} stored answers; expected as many. "
            "Replay what they were made from"
        )
    session = predictor.session(every=step_of(drive.times, predictor.settings.data.rate), packed=packed)
    first = drive.frames.read(0)
    for _ in range(_WARM_UP):
        session.update(first)
    session.reset()
    angles, seconds = np.empty(len(drive)), np.empty(len(drive))
    looked = clock.monotonic()
    for index in range(len(drive)):
        said = session.update(drive.frames.read(index))
        angles[index], seconds[index] = said.angle, said.seconds
        if clock.monotonic() - looked > 0.25:
            looked = clock.monotonic()
            shown.update(before + index, numbers={"ms": 1000 * said.seconds})
    differences = np.abs(angles - stored.angles)
    differences[np.isnan(differences)] = np.inf
    worst = int(np.argmax(differences))
    return Replayed(
        drive.name,
        len(drive),
        float(differences[worst]),
        worst,
        1000 * float(seconds.mean()),
        1000 * float(np.percentile(seconds, 95)),
        1000 * float(seconds.max()),
    )
