"""How a model would steer along a drive, for the page: angles, kinds of road, scores, importance, and the pictures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np

from semicoupled.description import Description, Json
from semicoupled.errors import DataError
from semicoupled.rows import Row
from semicoupled.serving.film import MOST_FRAMES, Choice, Film, told
from semicoupled.serving.places import arranged, looking_into, stamp
from semicoupled.serving.track_sample import TrackFrames, find_sample
from semicoupled.serving.video_options import DriveOptions
from semicoupled.serving.work import JobRequest, Result, Work, npy
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.drives import Drive, Frames
from semicoupled.tasks.driving.formats.parts import take
from semicoupled.tasks.driving.model import DrivingModel
from semicoupled.tasks.driving.operating.inputs import forgiving, read_inputs
from semicoupled.tasks.driving.operating.predictor import DrivingPredictor
from semicoupled.tasks.driving.scores.conditions import ROADS, in_order, roads_by_angle
from semicoupled.tasks.driving.scores.evaluation import score_answers
from semicoupled.tasks.driving.scores.importance import timeline
from semicoupled.tasks.driving.scores.run_scores import baselines, measures_of
from semicoupled.tasks.driving.settings import DrivingSettings
from semicoupled.tasks.driving.smoothing import smooth

_METRICS = ("mae", "rmse", "acc_soft", "r2")
_SHORT = 40
"""Frames below which a part is not chosen by itself."""
_SAID = 8
"""Frames between two words of progress."""


class Watched:
    """Frames that become a film as they are read; see `semicoupled.tasks.driving.drives.Frames`."""

    def __init__(self, frames: Frames, film: Film, seen: Callable[[int], None]) -> None:
        """Take the frames, and who is told the number of each."""
        self._frames, self._film, self._seen = frames, film, seen

    def __len__(self) -> int:
        """The number of frames."""
        return len(self._frames)

    def name(self, index: int) -> str:
        """Say where a frame lies."""
        return self._frames.name(index)

    def read(self, index: int) -> np.ndarray:
        """Decode a frame; each is shown once, when it is read for the first time."""
        image = self._frames.read(index)
        if index == self._film.count:
            self._film.add(image)
        if index % _SAID == 0:
            self._seen(index)
        return image


def steer(work: Work, request: JobRequest) -> Result:
    """Answer along one part of a source.

    Raises:
        DataError: the files cannot be used, or there is no such part.
    """
    options = cast(DriveOptions, request.options)
    work.progress(0.02, "loading the model")
    run = work.run(request.run)
    settings = cast(DrivingSettings, run.settings)
    predictor = DrivingPredictor(settings, run.description, cast(DrivingModel, run.model))
    work.progress(0.1, "reading the drive")
    if request.source.sample is not None:
        return _steer(work, [drawn_drive(request.source.sample)], options.part, predictor)
    with looking_into(work, request.source), arranged(request.source) as place:
        return _steer(work, _drives(work, place, options.rate, predictor), options.part, predictor)


def drawn_drive(name: str) -> Drive:
    """Give a drive along a drawn track."""
    frames = TrackFrames(name)
    title = find_sample(name).title
    return Drive(title, title, Path(f"drawn {name}"), frames, frames.times, frames.angles, "normalized")


def _drives(work: Work, place: Path, rate: float, predictor: DrivingPredictor) -> list[Drive]:
    """Read the index of the drives, or take it from the last one that was looked into."""

    def read() -> list[Drive]:
        return read_inputs([place], predictor.settings.data, predictor.unit, rate)

    return work.cached((stamp(place), str(predictor.settings.data), predictor.unit, rate), read)


def parts_of(drives: Sequence[Drive], most: int = MOST_FRAMES) -> list[tuple[Choice, Drive]]:
    """Cut drives into parts of equal length that are short enough to be shown.

    Args:
        drives: cut at gaps.
        most: frames of a part.
    """
    found: list[tuple[Choice, Drive]] = []
    for drive in drives:
        count = math.ceil(len(drive) / most)
        edges = np.linspace(0, len(drive), count + 1).round().astype(int).tolist()
        for start, stop in pairwise(edges):
            part = drive if count == 1 else take(drive, range(start, stop))
            begins = float(part.times[0] - drive.times[0])
            name = drive.name if count == 1 else f"{drive.name}, from {begins:.0f} s"
            found.append((Choice(name, len(part), float(part.times[-1] - part.times[0])), part))
    return found


def _steer(work: Work, drives: Sequence[Drive], wanted: int | None, predictor: DrivingPredictor) -> Result:
    parts = parts_of(drives)
    long = [index for index, (_, drive) in enumerate(parts) if len(drive) >= _SHORT]
    part = wanted if wanted is not None else long[0] if long else 0
    if part >= len(parts):
        raise DataError(f"there is no part {part} of {len(parts)}; expected one from 0. Choose one of the list")
    choice, drive = parts[part]
    film = Film()

    def seen(index: int) -> None:
        work.progress(0.15 + 0.75 * index / len(drive), f"frame {index} of {len(drive)}")

    readable, forgiven = forgiving(drive, "skip")
    watched = dataclasses.replace(readable, frames=Watched(readable.frames, film, seen))
    answers = predictor.answer(watched)
    for column in (answers.main, answers.spatial, answers.temporal):
        if column is not None:
            column[sorted(forgiven.missing)] = np.nan
    work.progress(0.92, "scoring")
    document, files = _result(answers, predictor.settings, predictor.description, film)
    return Result(
        {
            **document,
            "parts": told([each for each, _ in parts]),
            "part": part,
            "name": choice.name,
            "missing": len(forgiven.missing),
            "sources": drive.source.name,
            "other_unit": drive.unit if drive.unit != predictor.unit and np.isfinite(drive.angles).any() else None,
        },
        files,
    )


def _result(
    answers: DriveAnswers, settings: DrivingSettings, description: Description, film: Film
) -> tuple[dict[str, Json], dict[str, bytes]]:
    unit = answers.unit
    measures = dataclasses.replace(measures_of(settings, unit), resamples=0)
    threshold = measures.thresholds[0]
    smoothed = smooth(answers.truth, answers.times, measures.smoothing_seconds)
    by_angle = roads_by_angle(smoothed, measures.curve, measures.sharp)
    road = by_angle if answers.roads is None else np.array(answers.roads)
    roads = in_order(road.tolist())
    known = bool(np.isfinite(answers.truth).any())
    along = timeline(answers, threshold)
    columns: dict[str, np.ndarray | None] = {
        "angle": answers.main,
        "spatial": answers.spatial,
        "temporal": answers.temporal,
        "truth": answers.truth if known else None,
        "smoothed": smoothed if known else None,
        "importance": along.importance if along is not None and known else None,
        "disagreement": None if along is None else along.disagreement,
    }
    files = {f"{name}.npy": npy(values.astype(np.float32)) for name, values in columns.items() if values is not None}
    files["times.npy"] = npy((answers.times - answers.times[0]).astype(np.float64))
    files["road.npy"] = npy(np.array([roads.index(name) if name in roads else 255 for name in road], np.uint8))
    rows: list[Row] = []
    if known:
        models: Mapping[str, Sequence[DriveAnswers]] = {"model": [answers], **baselines(description, [answers])}
        rows = score_answers(models, measures)
    return {
        "unit": unit,
        "full_lock": None if unit != "normalized" else 1.0,
        "frames": len(answers.times),
        "threshold": threshold,
        "bounds": [measures.curve, measures.sharp],
        "by_angle": answers.roads is None,
        "smoothing_seconds": measures.smoothing_seconds,
        "roads": list(roads),
        "known_roads": [name for name in ROADS if name in roads],
        "streams": ["main", *(name for name in ("spatial", "temporal") if columns[name] is not None)],
        "scores": [_said(row) for row in rows if _is_shown(row, threshold)],
        "film": film.describe(),
    }, {**files, **film.files()}


def _is_shown(row: Row, threshold: float) -> bool:
    about: Mapping[str, Any] = row.condition
    return row.metric in _METRICS and about.get("angle_threshold", threshold) == threshold and "run" not in about


def _said(row: Row) -> dict[str, Json]:
    about: Mapping[str, Any] = row.condition
    return {
        "model": row.model,
        "stream": str(about.get("stream", "main")),
        "label": str(about["label"]),
        "road": about.get("road"),
        "metric": row.metric,
        "value": float(f"{row.value:.6g}") if math.isfinite(row.value) else None,
        "count": row.count,
    }
