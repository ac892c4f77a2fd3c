"""From answers to rows: every model and stream, raw and smoothed label, all frames, each kind of road, each run.

Every row has an interval: stretches of time are drawn again and again, the same ones for all, so that differences (ours
minus a rival; the temporal stream minus the spatial one) have intervals of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from semicoupled.bootstrap import RESAMPLES, draws, interval
from semicoupled.rows import Condition, Row, plain
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.drives import Unit
from semicoupled.tasks.driving.scores.conditions import in_order
from semicoupled.tasks.driving.scores.course import STREAMS, Course, lay_course
from semicoupled.tasks.driving.scores.importance import importance
from semicoupled.tasks.driving.scores.metrics import Scored, sum_parts

Label = Literal["raw", "smoothed"]
LABELS: tuple[Label, ...] = ("raw", "smoothed")

DRIVER = "driver"
"""Who has the label's own whiteness."""
BY_THRESHOLD = ("acc_soft", "acc_hard")
DIFFERENCES = ("mse", "acc_soft", "acc_hard", "r2")
"""Scores whose difference to each rival has rows of its own, such as ``mse_difference``."""
FEWEST_PARTS = 5
"""Stretches of time; what is drawn from fewer says too little about how sure a score is, and has no interval."""
OF_RUNS = ("mse", "rmse", "acc_soft", "r2")
"""Scores that have rows for single runs."""

Drawn = Mapping[tuple[str, str, str], Mapping[str, np.ndarray]]
"""Scores by model, stream and label, each 1 + draws x ..."""

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


class Scope(NamedTuple):
    """Some of the frames of a course.

    Attributes:
        condition: which ones, in words.
        counts: N, which ones.
        weights: 1 + draws x parts: how often each part counts.
        frames: how many.
    """

    condition: dict[str, Condition]
    counts: np.ndarray
    weights: np.ndarray
    frames: int

    @property
    def is_run(self) -> bool:
        """Whether it is a single run, of which tables have the most common scores alone."""
        return "run" in self.condition


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
    course = course_of(answers, measures)
    return [row for scope in scopes(course, measures) for row in _scope_rows(course, measures, scope, ours)]


def course_of(answers: Mapping[str, Sequence[DriveAnswers]], measures: Measures) -> Course:
    """Put the drives of some models side by side; see `lay_course`."""
    return lay_course(
        answers,
        smoothing_seconds=measures.smoothing_seconds,
        curve=measures.curve,
        sharp=measures.sharp,
        part_seconds=measures.part_seconds,
    )


def constant(answers: Sequence[DriveAnswers], angle: float) -> list[DriveAnswers]:
    """Give the answers of someone who never looks: always the same angle.

    Args:
        answers: whose drives.
        angle: such as the mean of the labels that were learned from, in the unit of the angles.
    """
    return [
        drive._replace(main=np.full(len(drive.times), float(angle)), spatial=None, temporal=None) for drive in answers
    ]


def scopes(course: Course, measures: Measures) -> Iterator[Scope]:
    """Give all that has rows: everything, each kind of road, and, if there are several, each run."""
    everything = np.ones(len(course.raw), bool)
    chosen: list[tuple[dict[str, Condition], np.ndarray]] = [({}, everything)]
    for road in in_order(course.road.tolist()):
        chosen.append(({"road": road}, course.road == road))
    runs = list(dict.fromkeys(course.run.tolist()))
    if len(runs) > 1:
        for run in runs:
            chosen.append(({"run": run}, course.run == run))
    for condition, counts in chosen:
        parts = np.unique(course.part[counts])
        resamples = measures.resamples if len(parts) >= FEWEST_PARTS else 0
        yield Scope(condition, counts, draws(course.parts, parts, resamples=resamples), int(counts.sum()))


def drawn_scores(
    course: Course, measures: Measures, scope: Scope, answer: np.ndarray, label: Label
) -> dict[str, np.ndarray]:
    """Score answers: once, and then as drawn.

    Args:
        course: where.
        measures: how.
        scope: which frames.
        answer: N.
        label: against which.

    Returns:
        As `Sums.scores`, with a leading axis of 1 + draws.
    """
    against = course.raw if label == "raw" else course.smoothed
    scored = Scored(answer, against, course.part, course.seconds, scope.counts)
    sums = sum_parts(scored, course.parts, measures.thresholds, measures.scale, float(against.mean()))
    return sums.pooled(scope.weights).scores()


def drawn_of_all(course: Course, measures: Measures, scope: Scope) -> Drawn:
    """Score everyone; of a single run the main streams alone.

    Args:
        course: where.
        measures: how.
        scope: which frames.

    Returns:
        As `drawn_scores`, by model, stream and label.
    """
    return {
        (model, stream, label): drawn_scores(course, measures, scope, answer, label)
        for model, streams in course.answers.items()
        for stream, answer in streams.items()
        for label in LABELS
        if stream == "main" or not scope.is_run
    }


def metric_rows(
    model: str,
    metric: str,
    drawn: np.ndarray,
    condition: Mapping[str, Condition],
    frames: int,
    course: Course,
    measures: Measures,
    *,
    name: str | None = None,
) -> Iterator[Row]:
    """Give the rows of a score; accuracies have one a threshold.

    Args:
        model: whose.
        metric: what was measured.
        drawn: 1 + draws x (thresholds): the value, and then as drawn.
        condition: of the rows.
        frames: that it is over.
        course: gives the unit.
        measures: give the thresholds.
        name: of the rows' metric, where it is not `metric`.
    """
    labels: list[dict[str, Condition]] = [{}]
    if metric in BY_THRESHOLD:
        labels = [{"angle_threshold": plain(threshold)} for threshold in measures.thresholds]
    columns = drawn.reshape(len(drawn), -1)
    unit = unit_of(metric, course.unit)
    for index, threshold in enumerate(labels):
        value, span = float(columns[0, index]), interval(columns[1:, index])
        yield Row(model, name or metric, {**threshold, **condition}, value, frames, unit, span)


def _scope_rows(course: Course, measures: Measures, scope: Scope, ours: Sequence[str]) -> Iterator[Row]:
    drawn = drawn_of_all(course, measures, scope)

    def rows(
        model: str, metric: str, values: np.ndarray, about: Mapping[str, Condition], name: str | None = None
    ) -> Iterator[Row]:
        condition = {**about, **scope.condition}
        return metric_rows(model, metric, values, condition, scope.frames, course, measures, name=name)

    for (model, stream, label), scores in drawn.items():
        about: dict[str, Condition] = {} if stream == "main" else {"stream": stream}
        for metric, values in scores.items():
            if scope.is_run and metric not in OF_RUNS:
                continue
            if metric != "whiteness":
                yield from rows(model, metric, values, {**about, "label": label})
            elif label == "raw":  # it does not depend on the label
                yield from rows(model, metric, values, about)
    if scope.is_run:
        return
    for label in LABELS:
        angle = course.raw if label == "raw" else course.smoothed
        whiteness = drawn_scores(course, measures, scope, angle, label)["whiteness"]
        yield from rows(DRIVER, "whiteness", whiteness, {"label": label})
    for model, streams in course.answers.items():
        for label in LABELS if len(streams) == len(STREAMS) else ():
            found = importance(drawn[model, "temporal", label], drawn[model, "spatial", label])
            for metric, values in found.items():
                yield from rows(model, metric, values, {"score": metric, "label": label}, "importance")
    for model in (name for name in ours if name in course.answers):
        for other in course.answers:
            for label in LABELS if other != model else ():
                for metric in DIFFERENCES:
                    values = drawn[model, "main", label][metric] - drawn[other, "main", label][metric]
                    about = {"against": other, "label": label}
                    yield from rows(model, metric, values, about, f"{metric}_difference")


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
