"""From answers to rows: every model and stream, raw and smoothed label, all frames, each kind of road, each run.

Every row has an interval: stretches of time are drawn again and again, the same ones for all, so that differences (ours
minus a rival; the temporal stream minus the spatial one) have intervals of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from semicoupled.bootstrap import RESAMPLES, draws, interval
from semicoupled.rows import Condition, Row, plain
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.conditions import in_order
from semicoupled.tasks.driving.course import Course, lay_course
from semicoupled.tasks.driving.drives import Unit
from semicoupled.tasks.driving.importance import importance
from semicoupled.tasks.driving.metrics import Scored, Sums, sum_parts

DRIVER = "driver"
"""Who has the label's own whiteness."""
BY_THRESHOLD = ("acc_soft", "acc_hard")
DIFFERENCES = ("mse", "acc_soft", "acc_hard", "r2")
"""Scores whose difference to each rival has rows of its own, such as ``mse_difference``."""
OF_RUNS = ("mse", "rmse", "acc_soft", "r2")
"""Scores that have rows for single runs."""

_UNITS: Mapping[Unit, str] = {"degrees": "deg", "radians": "rad", "normalized": "1"}


@dataclass(frozen=True)
class Measures:
    """How answers are scored.

    Args:
        thresholds: lambdas of Eq. 24, in the unit of the angles.
        scale: of the normalization by a sigmoid, in the unit of the angles.
        curve: size of the smoothed label above which a frame is in a curve, in the unit of the angles.
        sharp: the same for sharp curves.
        smoothing_seconds: length of the window of the smoothed label.
        part_seconds: length of the stretches of time that are drawn for intervals. Errors of frames that lie closer
            go together; much longer ones leave too few stretches to draw from.
        resamples: draws; 0 leaves the intervals out.
    """

    thresholds: Sequence[float]
    scale: float
    curve: float
    sharp: float
    smoothing_seconds: float = 0.5
    part_seconds: float = 5.0
    resamples: int = RESAMPLES


class _Scope(NamedTuple):
    """Some of the frames: in words, as a mask, and how often each part of them counts."""

    condition: dict[str, Condition]
    counts: np.ndarray
    weights: np.ndarray


def score_answers(
    answers: Mapping[str, Sequence[DriveAnswers]], measures: Measures, *, ours: Sequence[str] = ()
) -> list[Row]:
    """Score models along drives.

    Args:
        answers: by model; all along the same drives.
        measures: how.
        ours: models whose differences to all others are wanted.

    Returns:
        Rows of all metrics of `Sums.scores`. Conditions: `label` (``raw`` or ``smoothed``), `angle_threshold` (unit of
        the angles), `stream` (``spatial`` or ``temporal``; the main one has none), `road`, `run` (of several).
        Then `importance` by `score`, for models that have both streams, and differences `against` others.

    Raises:
        DataError: nothing to score, or not the same drives.
    """
    course = lay_course(
        answers,
        smoothing_seconds=measures.smoothing_seconds,
        curve=measures.curve,
        sharp=measures.sharp,
        part_seconds=measures.part_seconds,
    )
    return [row for scope in _scopes(course, measures) for row in _scope_rows(course, measures, scope, ours)]


def constant(answers: Sequence[DriveAnswers], angle: float) -> list[DriveAnswers]:
    """Give the answers of someone who never looks: always the same angle.

    Args:
        answers: whose drives.
        angle: such as the mean of the labels that were learned from, in the unit of the angles.
    """
    return [
        drive._replace(main=np.full(len(drive.times), float(angle)), spatial=None, temporal=None) for drive in answers
    ]


def _scopes(course: Course, measures: Measures) -> Iterator[_Scope]:
    everything = np.ones(len(course.raw), bool)
    chosen: list[tuple[dict[str, Condition], np.ndarray]] = [({}, everything)]
    chosen += [({"road": road}, course.road == road) for road in in_order(course.road.tolist())]
    runs = list(dict.fromkeys(course.run.tolist()))
    if len(runs) > 1:
        chosen += [({"run": run}, course.run == run) for run in runs]
    for condition, counts in chosen:
        parts = np.unique(course.part[counts])
        yield _Scope(condition, counts, draws(course.parts, parts, resamples=measures.resamples))


def _scope_rows(course: Course, measures: Measures, scope: _Scope, ours: Sequence[str]) -> Iterator[Row]:
    centers = {"raw": float(course.raw.mean()), "smoothed": float(course.smoothed.mean())}
    frames = int(scope.counts.sum())

    def sums(answer: np.ndarray, label: str) -> Sums:
        scored = Scored(answer, getattr(course, label), course.part, course.seconds, scope.counts)
        return sum_parts(scored, course.parts, measures.thresholds, measures.scale, centers[label])

    pooled = {
        (model, stream, label): sums(answer, label).pooled(scope.weights).scores()
        for model, streams in course.answers.items()
        for stream, answer in streams.items()
        for label in ("raw", "smoothed")
    }
    narrow = "run" in scope.condition
    for (model, stream, label), scores in pooled.items():
        if narrow and stream != "main":
            continue
        about = {} if stream == "main" else {"stream": stream}
        for metric, drawn in scores.items():
            if (metric == "whiteness" and label != "raw") or (narrow and metric not in OF_RUNS):
                continue
            labeled = {} if metric == "whiteness" else {"label": label}
            yield from _rows(model, metric, drawn, {**about, **labeled, **scope.condition}, frames, course, measures)
    if narrow:
        return
    for label in ("raw", "smoothed"):
        whiteness = sums(getattr(course, label), label).pooled(scope.weights).scores()["whiteness"]
        yield from _rows(DRIVER, "whiteness", whiteness, {"label": label, **scope.condition}, frames, course, measures)
    for model, streams in course.answers.items():
        if len(streams) < 3:
            continue
        for label in ("raw", "smoothed"):
            found = importance(pooled[model, "temporal", label], pooled[model, "spatial", label])
            for metric, drawn in found.items():
                about = {"score": metric, "label": label, **scope.condition}
                for row in _rows(model, metric, drawn, about, frames, course, measures):
                    yield Row(model, "importance", row.condition, row.value, frames, row.unit, row.interval)
    for model in ours:
        for other in course.answers:
            if other == model or model not in course.answers:
                continue
            for label in ("raw", "smoothed"):
                for metric in DIFFERENCES:
                    drawn = pooled[model, "main", label][metric] - pooled[other, "main", label][metric]
                    about = {"against": other, "label": label, **scope.condition}
                    for row in _rows(model, metric, drawn, about, frames, course, measures):
                        name = f"{metric}_difference"
                        yield Row(model, name, row.condition, row.value, frames, row.unit, row.interval)


def _rows(
    model: str,
    metric: str,
    drawn: np.ndarray,
    condition: Mapping[str, Condition],
    frames: int,
    course: Course,
    measures: Measures,
) -> Iterator[Row]:
    """Give the rows of a score whose first axis is the value and then the draws; accuracies have one a threshold."""
    thresholds: list[dict[str, Condition]] = [{}]
    if metric in BY_THRESHOLD:
        thresholds = [{"angle_threshold": plain(threshold)} for threshold in measures.thresholds]
    columns = drawn.reshape(len(drawn), -1)
    for index, threshold in enumerate(thresholds):
        span = interval(columns[1:, index])
        yield Row(
            model,
            metric,
            {**threshold, **condition},
            float(columns[0, index]),
            frames,
            unit_of(metric, course.unit),
            span,
        )


def unit_of(metric: str, unit: Unit) -> str:
    """Give the unit of a score, for rows.

    Args:
        metric: its name.
        unit: of the angles.
    """
    if metric in ("rmse", "mae"):
        return _UNITS[unit]
    if metric == "whiteness":
        return f"{_UNITS[unit]}/s"
    return "1"
