"""Answers along drives as a video: the view with a wheel, the angle's trace, and importance below it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semicoupled.data.video_writer import video_writer
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.operating.wheel import Moment, Renderer
from semicoupled.tasks.driving.scores.importance import timeline
from semicoupled.training.progress import NoProgress, Progress

DISAGREEMENT = "answer from time minus answer from space"
GAIN = "importance: what time scores above space, mean of 1 s"
_RATE = 20.0
_PAUSE = 0.5
"""Seconds between two drives of a video."""
_LONGEST = 1.0
"""Seconds that a frame is shown at most."""


def write_drive_video(
    path: Path,
    drives: Sequence[Drive],
    answers: Sequence[DriveAnswers],
    threshold: float,
    progress: Progress | None = None,
) -> None:
    """Write an MP4 of drives one after the other, at the speed at which they were driven, whole or not at all.

    Args:
        path: of the video.
        drives: whose images are shown.
        answers: along each of them, in one unit.
        threshold: lambda of Eq. 24, for the importance, in the unit of the angles.
        progress: who is told how far it is.

    Raises:
        DataError: an image cannot be read.
        MissingExtraError: PyAV is not installed.
    """
    shown = progress or NoProgress()
    known = any(bool(np.isfinite(each.truth).any()) for each in answers)
    renderer = Renderer(answers[0].unit, _named(answers, known=known), _largest(answers))
    offset, done = 0.0, 0
    size: tuple[int, ...] | None = None
    shown.begin("drawing", sum(len(drive) for drive in drives))
    try:
        with video_writer(path, _usual_rate(answers)) as video:
            for drive, said in zip(drives, answers, strict=True):
                renderer.reset()
                importance = _importance(said, threshold, known=known)
                times = _played(said.times)
                for index in range(len(drive)):
                    moment = Moment(times[index], said.main[index], said.truth[index], importance[index])
                    image = renderer.draw(drive.frames.read(index), moment, said.drive)
                    size = image.shape if size is None else size
                    video.write(_of_size(image, size), offset + times[index])
                    done += 1
                    if done % 32 == 0:
                        shown.update(done)
                offset += times[-1] + _PAUSE
    finally:
        shown.end()


def _played(times: np.ndarray) -> np.ndarray:
    """Give the times at which frames are shown: as they were taken, but no gap longer than a second."""
    return np.concatenate([[0.0], np.cumsum(np.minimum(np.diff(times), _LONGEST))])


def _usual_rate(answers: Sequence[DriveAnswers]) -> float:
    steps = np.concatenate([np.diff(each.times) for each in answers])
    return float(1 / np.median(steps)) if len(steps) else _RATE


def _largest(answers: Sequence[DriveAnswers]) -> float | None:
    values = np.abs(np.concatenate([column for each in answers for column in (each.main, each.truth)]))
    return float(np.nanmax(values)) * 1.05 if np.isfinite(values).any() and np.nanmax(values) > 0 else None


def _named(answers: Sequence[DriveAnswers], *, known: bool) -> str | None:
    if any(each.spatial is None or each.temporal is None for each in answers):
        return None
    return GAIN if known else DISAGREEMENT


def _importance(said: DriveAnswers, threshold: float, *, known: bool) -> np.ndarray:
    along = timeline(said, threshold)
    if along is None:
        return np.full(len(said.times), math.nan)
    return along.importance if known else along.disagreement


def _of_size(image: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Cut or fill a picture of another drive to the size of the first."""
    if image.shape == size:
        return image
    filled = np.zeros(size, np.uint8)
    height, width = min(size[0], image.shape[0]), min(size[1], image.shape[1])
    filled[:height, :width] = image[:height, :width]
    return filled
