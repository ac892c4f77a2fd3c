"""From answers to the rows of a study: every run, means over seeds, the baselines once, and differences.

All variants and seeds are scored on the same frames, those in which everyone has an answer, and over the same draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from semicoupled.errors import DataError
from semicoupled.rows import Condition, Row
from semicoupled.run_folder import read_run
from semicoupled.studies.rows import Compared, by_variant, compared
from semicoupled.studies.training import Trained, took_rows
from semicoupled.studies.trials import Trial
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.scores.course import STREAMS, Course
from semicoupled.tasks.driving.scores.evaluation import (
    DRIVER,
    LABELS,
    OF_RUNS,
    Drawn,
    Measures,
    Scope,
    course_of,
    drawn_of_all,
    drawn_scores,
    metric_rows,
    scopes,
)
from semicoupled.tasks.driving.scores.importance import importance
from semicoupled.tasks.driving.scores.run_scores import baselines, measures_of
from semicoupled.tasks.driving.settings import DrivingSettings
from semicoupled.tasks.driving.study.answers import Place, load_answers
from semicoupled.tasks.driving.study.variants import PAIRS

COMPARED = ("mse", "acc_soft", "r2")
"""Scores whose differences have rows."""


def study_rows(trials: Sequence[Trial], trained: Mapping[Path, Trained], places: Sequence[Place]) -> list[Row]:
    """Make the rows of a study.

    Args:
        trials: all of them, done.
        trained: what each training took, by run folder.
        places: what was answered along.

    Returns:
        Rows as `evaluation.score_answers` makes them, with the conditions `data`, `variant` and `seed`; without `seed`
        they are means over the seeds, whose interval is of that mean and tells nothing about other seeds. Differences
        ``mse_difference`` and so on `against` another variant or a baseline, with ``_lowest`` and ``_highest`` seed.
    """
    rows: list[Row] = []
    for trial in trials:
        rows += took_rows(trial, _kind(trial), trained[trial.path])
    for place in places:
        rows += place_rows(trials, place)
    return rows


def place_rows(trials: Sequence[Trial], place: Place) -> Iterator[Row]:
    """Make the rows of one set of drives.

    Raises:
        DataError: what a trial answered is gone.
    """
    given = {_name(trial): _answers(trial, place) for trial in trials}
    first = next(iter(given.values()))
    description = read_run(trials[0].path).description()
    others = baselines(description, first)
    measures = measures_of(_settings(trials[0]), first[0].unit)
    course = course_of({**given, **others}, measures)
    for scope in scopes(course, measures):
        drawn = drawn_of_all(course, measures, scope)
        yield from _trial_rows(trials, place.name, course, measures, scope, drawn)
        yield from _baseline_rows(list(others), place.name, course, measures, scope, drawn)
        if not scope.is_run:
            yield from _difference_rows(trials, list(others), place.name, course, measures, scope, drawn)


def _trial_rows(
    trials: Sequence[Trial], data: str, course: Course, measures: Measures, scope: Scope, drawn: Drawn
) -> Iterator[Row]:
    """Give scores and importance of every run, then their means over seeds."""
    for variant, own in by_variant((trial, _name(trial)) for trial in trials).items():
        model = _kind(own[0][0])
        found: dict[tuple[str, str, str], list[np.ndarray]] = {}
        for _, name in own:
            for (stream, label), scores in _own_scores(course, scope, drawn, name).items():
                for metric, values in scores.items():
                    found.setdefault((stream, label, metric), []).append(values)
        for (stream, label, metric), every in found.items():
            about: dict[str, Condition] = {"data": data, "variant": variant}
            kept: dict[str, Condition] = {} if metric == "whiteness" else {"label": label}
            if stream == "importance":
                kept = {"score": metric, **kept}
            elif stream != "main":
                kept = {"stream": stream, **kept}
            name = "importance" if stream == "importance" else None
            for (trial, _), values in zip(own, every, strict=True):
                seeded = {**about, "seed": trial.seed, **kept, **scope.condition}
                yield from metric_rows(model, metric, values, seeded, scope.frames, course, measures, name=name)
            mean = np.mean(np.stack(every), 0)
            where = {**about, **kept, **scope.condition}
            yield from metric_rows(model, metric, mean, where, scope.frames, course, measures, name=name)


def _own_scores(
    course: Course, scope: Scope, drawn: Drawn, name: str
) -> dict[tuple[str, str], Mapping[str, np.ndarray]]:
    """Give a run's scores by stream and label, and its importance beside the streams."""
    found: dict[tuple[str, str], Mapping[str, np.ndarray]] = {}
    for stream in course.answers[name]:
        for label in LABELS:
            if (name, stream, label) in drawn:
                found[stream, label] = {
                    metric: values
                    for metric, values in drawn[name, stream, label].items()
                    if (not scope.is_run or metric in OF_RUNS) and (metric != "whiteness" or label == "raw")
                }
    if not scope.is_run and len(course.answers[name]) == len(STREAMS):
        for label in LABELS:
            found["importance", label] = importance(drawn[name, "temporal", label], drawn[name, "spatial", label])
    return found


def _baseline_rows(
    names: Sequence[str], data: str, course: Course, measures: Measures, scope: Scope, drawn: Drawn
) -> Iterator[Row]:
    for name in names:
        for (_, label), scores in _own_scores(course, scope, drawn, name).items():
            for metric, values in scores.items():
                if metric != "whiteness":
                    condition = {"data": data, "label": label, **scope.condition}
                    yield from metric_rows(name, metric, values, condition, scope.frames, course, measures)
    for label in LABELS if not scope.is_run else ():
        angle = course.raw if label == "raw" else course.smoothed
        values = drawn_scores(course, measures, scope, angle, label)["whiteness"]
        condition = {"data": data, "label": label, **scope.condition}
        yield from metric_rows(DRIVER, "whiteness", values, condition, scope.frames, course, measures)


def _difference_rows(
    trials: Sequence[Trial],
    others: Sequence[str],
    data: str,
    course: Course,
    measures: Measures,
    scope: Scope,
    drawn: Drawn,
) -> Iterator[Row]:
    runs = by_variant((trial, _name(trial)) for trial in trials)
    pairs = [
        Compared(ours, other, [(name, other) for _, name in own]) for ours, own in runs.items() for other in others
    ]
    pairs += compared(PAIRS, runs)
    for ours, other, names in pairs:
        model = _kind(runs[ours][0][0])
        for label in LABELS:
            for metric in COMPARED:
                every = np.stack([drawn[a, "main", label][metric] - drawn[b, "main", label][metric] for a, b in names])
                about: dict[str, Condition] = {"data": data, "variant": ours, "against": other, "label": label}
                condition = {**about, **scope.condition}
                for end, values in (
                    ("", every.mean(0)),
                    ("_lowest", every[:, :1].min(0)),
                    ("_highest", every[:, :1].max(0)),
                ):
                    name = f"{metric}_difference{end}"
                    yield from metric_rows(model, metric, values, condition, scope.frames, course, measures, name=name)


def _answers(trial: Trial, place: Place) -> list[DriveAnswers]:
    found = load_answers(trial.path, place)
    if found is None:
        raise DataError(f"{trial.path}: what was answered along {place.name} is gone. Run the study again")
    return found


def _settings(trial: Trial) -> DrivingSettings:
    assert isinstance(trial.settings, DrivingSettings)
    return trial.settings


def _kind(trial: Trial) -> str:
    return _settings(trial).model.kind


def _name(trial: Trial) -> str:
    return f"{trial.variant.name}-{trial.seed}"
