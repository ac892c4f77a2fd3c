"""The frames that models are compared on: those of all drives in which every one of them has an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.drives import Unit
from semicoupled.tasks.driving.scores.conditions import roads_by_angle
from semicoupled.tasks.driving.smoothing import smooth

STREAMS = ("main", "spatial", "temporal")
LONGEST_STEP = 1.0
"""Seconds: what changes from one answer to the next over more than that says nothing about jitter."""


class Course(NamedTuple):
    """Frames of all drives, one after the other; arrays of N.

    Attributes:
        unit: of the angles.
        raw: the label.
        smoothed: its centered mean.
        road: kind of road; empty where it is not known.
        run: the recording that a frame is from.
        part: index of the stretch of time that a frame lies in.
        seconds: since the frame before; NaN for the first of a drive and behind a gap.
        answers: by model, then by stream.
    """

    unit: Unit
    raw: np.ndarray
    smoothed: np.ndarray
    road: np.ndarray
    run: np.ndarray
    part: np.ndarray
    seconds: np.ndarray
    answers: Mapping[str, Mapping[str, np.ndarray]]

    @property
    def parts(self) -> int:
        """Number of stretches of time."""
        return int(self.part.max()) + 1 if len(self.part) else 0


def lay_course(
    answers: Mapping[str, Sequence[DriveAnswers]],
    *,
    smoothing_seconds: float,
    curve: float,
    sharp: float,
    part_seconds: float,
) -> Course:
    """Put the drives of some models side by side.

    Args:
        answers: by model; all along the same drives.
        smoothing_seconds: length of the window of the smoothed label.
        curve: size of the smoothed label above which a frame is in a curve, where the drive has no road labels.
        sharp: the same for sharp curves.
        part_seconds: length of the stretches of time that are drawn for intervals.

    Raises:
        DataError: nobody, other drives, drives of several units, or no frame in which all have an answer.
    """
    if not answers or not next(iter(answers.values())):
        raise DataError("nothing to score: expected the answers of at least one model along at least one drive")
    first = next(iter(answers))
    drives = answers[first]
    _check(answers)
    pieces: dict[str, list[np.ndarray]] = {name: [] for name in ("raw", "smoothed", "road", "run", "part", "seconds")}
    given: dict[str, dict[str, list[np.ndarray]]] = {
        model: {stream: [] for stream in STREAMS if all(_stream(drive, stream) is not None for drive in own)}
        for model, own in answers.items()
    }
    parts = 0
    for index, drive in enumerate(drives):
        found = {
            model: {stream: np.asarray(_stream(own[index], stream)) for stream in given[model]}
            for model, own in answers.items()
        }
        known = ~np.isnan(drive.truth)
        for streams in found.values():
            for values in streams.values():
                known &= ~np.isnan(values)
        if not known.any():
            continue
        smoothed = smooth(drive.truth, drive.times, smoothing_seconds)
        by_angle = roads_by_angle(smoothed, curve, sharp)
        road = by_angle if drive.roads is None else np.array(drive.roads)
        times = drive.times[known]
        steps = np.diff(times, prepend=np.nan)
        part = np.floor((times - times[0]) / part_seconds).astype(int)
        pieces["raw"].append(drive.truth[known])
        pieces["smoothed"].append(smoothed[known])
        pieces["road"].append(road[known])
        pieces["run"].append(np.full(len(times), drive.run))
        pieces["part"].append(np.unique(part, return_inverse=True)[1] + parts)
        pieces["seconds"].append(np.where(steps <= LONGEST_STEP, steps, np.nan))
        parts = int(pieces["part"][-1][-1]) + 1
        for model, streams in found.items():
            for stream, values in streams.items():
                given[model][stream].append(values[known])
    if not parts:
        raise DataError(
            f"nothing to score: in none of {len(drives)} drives is there a frame with a label in which all of "
            f"{', '.join(answers)} have an answer. Give longer drives, or drives with labels"
        )
    joined = {name: np.concatenate(values) for name, values in pieces.items()}
    laid = {
        model: {stream: np.concatenate(values) for stream, values in streams.items()}
        for model, streams in given.items()
    }
    return Course(unit=drives[0].unit, answers=laid, **joined)


def _check(answers: Mapping[str, Sequence[DriveAnswers]]) -> None:
    first, *others = answers
    drives = answers[first]
    units = sorted({drive.unit for own in answers.values() for drive in own})
    if len(units) > 1:
        raise DataError(
            f"drives with angles in {' and '.join(units)} cannot be scored together; expected one unit. Score them one "
            "at a time"
        )
    for other in others:
        theirs = answers[other]
        names, expected = [drive.drive for drive in theirs], [drive.drive for drive in drives]
        if names != expected or any(
            not np.array_equal(one.times, two.times) or not np.array_equal(one.truth, two.truth, equal_nan=True)
            for one, two in zip(drives, theirs, strict=True)
        ):
            raise DataError(
                f"{other} was asked along other drives than {first}: {', '.join(names[:3])} ... ({len(names)}); "
                f"expected {', '.join(expected[:3])} ... ({len(expected)}), frame by frame. Score both on the same data"
            )


def _stream(drive: DriveAnswers, stream: str) -> np.ndarray | None:
    return {"main": drive.main, "spatial": drive.spatial, "temporal": drive.temporal}[stream]
