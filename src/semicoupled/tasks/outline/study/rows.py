"""From single outlines to the rows of a study: every run, means over seeds, plain shapes, differences, curves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch

from semicoupled.bootstrap import draws, interval
from semicoupled.errors import DataError
from semicoupled.rows import Condition, Row
from semicoupled.studies.rows import Compared, by_variant, compared, difference_rows
from semicoupled.studies.training import Trained, took_rows
from semicoupled.studies.trials import Trial
from semicoupled.tasks.outline.network.decoders import build_decoder
from semicoupled.tasks.outline.scores.annotator import GOOD_ENOUGH
from semicoupled.tasks.outline.scores.evaluation import SIZES, Judged
from semicoupled.tasks.outline.scores.metrics import BOUNDARIES
from semicoupled.tasks.outline.settings import OutlineSettings
from semicoupled.tasks.outline.study.answers import Answers, Objects, load_answers
from semicoupled.tasks.outline.study.variants import PAIRS
from semicoupled.training.log import read_log

FOREGROUND = ("car", "pedestrian", "bicyclist")
"""Classes that have to be outlined well, together; their condition is the ``class`` with these names."""
BINS = 24
"""Of a training, over whose losses the points of a curve are means."""

Scores = Mapping[tuple[str, tuple[tuple[str, Condition], ...]], np.ndarray]
"""Scores by metric and condition, 1 + draws each."""


class Weights(NamedTuple):
    """How often each object counts: once each, and then as images are drawn.

    Attributes:
        every: 1 + draws x N.
        annotated: 1 + draws x M, of those that the simulated annotator outlined.
    """

    every: np.ndarray
    annotated: np.ndarray


def study_rows(
    trials: Sequence[Trial], trained: Mapping[Path, Trained], objects: Objects, shapes: Answers
) -> list[Row]:
    """Make the rows of a study.

    Args:
        trials: all of them, done.
        trained: what each training took, by run folder.
        objects: what was outlined.
        shapes: what needs no network.

    Returns:
        Rows `iou`, `iou_class_mean`, `iou_pooled`, `boundary_f`, `points`, `self_crossing`, `not_closed` by `prompt`,
        `class` and `size`, and `clicks`, with the conditions `variant` and `seed`; without `seed` they are means over
        seeds, whose interval holds 90 % of a bootstrap over images. Differences `iou_difference` are `against` another
        variant. `decoder_parameters` are those of the decoder alone, and `training_loss` and `focus` (q) the course
        of a training by `share` of its time.

    Raises:
        DataError: what a trial drew is gone.
    """
    rows: list[Row] = []
    weights = weights_of(objects)
    scored: list[tuple[Trial, Scores]] = []
    for trial in trials:
        rows += took_rows(trial, _kind(trial), trained[trial.path])
        rows += curve_rows(trial)
        answers = load_answers(trial.path, objects)
        if answers is None:
            raise DataError(f"{trial.path}: what was drawn is gone. Run the study again")
        scored.append((trial, scores_of(answers, objects, weights)))
    runs = by_variant(scored)
    for name, own in runs.items():
        model = _kind(own[0][0])
        rows.append(Row(model, "decoder_parameters", {"variant": name}, decoder_parameters(own[0][0]), 1))
        for trial, scores in own:
            rows += _rows(model, scores, {"variant": name, "seed": trial.seed}, objects)
        rows += _rows(model, _mean([scores for _, scores in own]), {"variant": name}, objects)
    for name, judged in shapes.judged.items():
        plain = scores_of(Answers({"": judged}, shapes.clicks), objects, weights)
        rows += _rows(name, plain, {}, objects)
    for pair in compared(PAIRS, runs):
        rows += _difference_rows(_kind(runs[pair.ours][0][0]), pair)
    return rows


def weights_of(objects: Objects) -> Weights:
    """Draw images, since the objects of one are much alike."""
    names, number = np.unique(objects.images, return_inverse=True)
    every = draws(len(names), np.arange(len(names)))[:, number]
    return Weights(every, every[:, objects.annotated])


def scores_of(answers: Answers, objects: Objects, weights: Weights) -> Scores:
    """Score what was drawn.

    Args:
        answers: single outlines.
        objects: what was outlined.
        weights: of the objects.
    """
    found: dict[tuple[str, tuple[tuple[str, Condition], ...]], np.ndarray] = {}
    for prompt, judged in answers.judged.items():
        about: tuple[tuple[str, Condition], ...] = (("prompt", prompt),) if prompt else ()
        for (metric, more), drawn in _prompt_scores(judged, objects.labels, weights.every).items():
            found[metric, (*about, *more)] = drawn
    if len(answers.clicks):
        most = objects.settings.evaluation.clicks
        for column, wanted in enumerate(GOOD_ENOUGH):
            needed = answers.clicks[:, column]
            condition: tuple[tuple[str, Condition], ...] = (("iou", wanted), ("most_clicks", most))
            made = np.where(np.isnan(needed), most, needed)
            found["clicks", condition] = _average(made, weights.annotated)
            found["clicks_enough", condition] = _average((~np.isnan(needed)).astype(float), weights.annotated)
    return found


def _prompt_scores(judged: Sequence[Judged], labels: np.ndarray, weights: np.ndarray) -> Scores:
    both = np.array([one.score.overlap.both for one in judged], float)
    either = np.array([one.score.overlap.either for one in judged], float)
    area = np.array([one.score.area for one in judged], float)
    iou = both / np.where(either > 0, either, np.nan)
    found: dict[tuple[str, tuple[tuple[str, Condition], ...]], np.ndarray] = {("iou", ()): _average(iou, weights)}
    by_class = {str(label): _average(np.where(labels == label, iou, np.nan), weights) for label in np.unique(labels)}
    with np.errstate(invalid="ignore", divide="ignore"):
        found["iou_class_mean", ()] = _defined_mean(np.stack(list(by_class.values())))
        found["iou_pooled", ()] = (weights @ both) / (weights @ either)
    for label, drawn in by_class.items():
        found["iou", (("class", label),)] = drawn
    foreground = np.isin(labels, FOREGROUND)
    if foreground.any():
        found["iou", (("class", ", ".join(FOREGROUND)),)] = _average(np.where(foreground, iou, np.nan), weights)
    for name, low, high in SIZES:
        inside = (area >= low) & (area < high)
        if inside.any():
            found["iou", (("size", name),)] = _average(np.where(inside, iou, np.nan), weights)
    for place, distance in enumerate(BOUNDARIES):
        boundary = np.array([one.score.boundary[place] for one in judged], float)
        found["boundary_f", (("within_px", distance),)] = _average(boundary, weights)
    for metric, values in (
        ("points", [one.points for one in judged]),
        ("self_crossing", [one.crossing for one in judged]),
        ("not_closed", [not one.closed for one in judged]),
    ):
        found[metric, ()] = _average(np.array(values, float), weights)
    return found


def curve_rows(trial: Trial) -> Iterator[Row]:
    """Give the course of a training: mean losses over equal parts of its time, and q where there is one."""
    lines = [line for line in read_log(trial.path) if line["kind"] == "training" and line.get("main_loss") is not None]
    if not lines:
        return
    end = max(line["seconds"] for line in lines) or 1.0
    bins: dict[int, list[Mapping[str, float]]] = {}
    for line in lines:
        bins.setdefault(min(BINS - 1, int(BINS * line["seconds"] / end)), []).append(line)
    about: dict[str, Condition] = {"variant": trial.variant.name, "seed": trial.seed}
    for number, some in sorted(bins.items()):
        share = round((number + 1) / BINS, 4)
        minutes = round(end * share / 60, 3)
        for metric, key in (("training_loss", "main_loss"), ("focus", "spatial_focus")):
            values = [line[key] for line in some if line.get(key) is not None]
            if values:
                condition: dict[str, Condition] = {**about, "share": share, "minutes": minutes}
                yield Row(_kind(trial), metric, condition, float(np.mean(values)), len(values))


def decoder_parameters(trial: Trial) -> int:
    """Give the parameters of the decoder alone, as Table 4 counts them."""
    with torch.device("meta"):
        decoder = build_decoder(cast(OutlineSettings, trial.settings).model)
    return sum(parameter.numel() for parameter in decoder.parameters())


def _average(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average values of objects, N, by weights, 1 + draws x N; objects without a value do not count."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights[:, known] @ values[known]) / weights[:, known].sum(1)


def _defined_mean(drawn: np.ndarray) -> np.ndarray:
    """Average over classes, those that were drawn."""
    count = np.isfinite(drawn).sum(0)
    return np.nansum(drawn, 0) / count


def _mean(runs: Sequence[Scores]) -> Scores:
    return {key: np.mean([run[key] for run in runs], 0) for key in runs[0]}


def _rows(model: str, scores: Scores, about: Mapping[str, Condition], objects: Objects) -> Iterator[Row]:
    for (metric, more), drawn in scores.items():
        condition = {**about, **dict(more)}
        count = len(objects.annotated) if metric.startswith("clicks") else _count(condition, objects)
        unit = "clicks" if metric == "clicks" else "1"
        yield Row(model, metric, condition, float(drawn[0]), count, unit, interval(drawn[1:]))


def _count(condition: Mapping[str, Condition], objects: Objects) -> int:
    label = condition.get("class")
    if label is None:
        return len(objects.sources)
    return int(np.isin(objects.labels, str(label).split(", ")).sum())


def _difference_rows(model: str, pair: Compared[Scores]) -> Iterator[Row]:
    for metric, more in pair.runs[0][0]:
        if metric != "iou" or dict(more).keys() - {"prompt"}:
            continue
        drawn = np.stack([mine[metric, more] - theirs[metric, more] for mine, theirs in pair.runs])
        about: dict[str, Condition] = {"variant": pair.ours, "against": pair.other, **dict(more)}
        if not math.isnan(drawn[:, 0].mean()):
            yield from difference_rows(model, metric, about, drawn, len(pair.runs))


def _kind(trial: Trial) -> str:
    return cast(OutlineSettings, trial.settings).model.kind
