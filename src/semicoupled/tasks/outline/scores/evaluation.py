"""Scores of a split: per instance, per class and pooled, by size, beside the grid's ceiling and two plain shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from semicoupled.rows import Row
from semicoupled.tasks.outline.crops import window_of
from semicoupled.tasks.outline.data import Source, View, on_grid, see
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.drawing.decoding import Ask
from semicoupled.tasks.outline.drawing.outlines import BATCH, Outlined, outline
from semicoupled.tasks.outline.geometry.crossing import crosses_itself
from semicoupled.tasks.outline.geometry.polygons import Points
from semicoupled.tasks.outline.geometry.shapes import box_points, ellipse_points
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.scores.annotator import effort_rows
from semicoupled.tasks.outline.scores.metrics import BOUNDARIES, Score, score
from semicoupled.tasks.outline.scores.waits import wait_rows
from semicoupled.tasks.outline.settings import EvaluationSettings, Prompt
from semicoupled.training.progress import NoProgress, Progress

SIZES = (("small", 0.0, 32.0**2), ("medium", 32.0**2, 96.0**2), ("large", 96.0**2, math.inf))
"""COCO's classes of size: area of the truth in px."""

CEILING, BOX, ELLIPSE = "grid ceiling", "box", "ellipse"
DRAWS = 400
LEVEL = 0.95


class Judged(NamedTuple):
    """One outline with its scores.

    Attributes:
        label: of the object.
        score: at the image's size.
        points: how many were drawn.
        crossing: whether it crosses itself.
        closed: whether it came to an end.
    """

    label: str
    score: Score
    points: int
    crossing: bool
    closed: bool


def usable(sources: Sequence[Source], limit: int | None) -> list[Source]:
    """The objects that are scored: all but crowds; evenly taken where there is a limit."""
    kept = [source for source in sources if not source.instance.crowd]
    if limit is None or len(kept) <= limit:
        return kept
    return [kept[index] for index in np.linspace(0, len(kept) - 1, limit).astype(int)]


def ask_for(view: View, prompt: Prompt) -> Ask:
    """What is said of an object: the cells of its first and last point."""
    if prompt == "box" or not len(view.cells):
        return Ask()
    (x, y), (end_x, end_y) = view.cells[0].tolist(), view.cells[-1].tolist()
    return Ask((x, y), (end_x, end_y) if prompt == "start_end" else None)


def judge(source: Source, points: Points, *, closed: bool = True) -> Judged:
    """Score an outline of an object.

    Args:
        source: the object.
        points: N x 2, px.
        closed: whether it came to an end.
    """
    size = (source.picture.width, source.picture.height)
    found = score(points, source.instance.parts, size)
    return Judged(source.instance.label, found, len(points), crosses_itself(points), closed)


def judged_model(
    model: OutlineModel,
    sources: Sequence[Source],
    data: DataSettings,
    prompts: Sequence[Prompt],
    *,
    beam: int = 1,
    firsts: int = 1,
    progress: Progress | None = None,
) -> dict[Prompt, list[Judged]]:
    """Let a model outline objects, and score what it draws.

    Args:
        model: in eval mode.
        sources: the objects.
        data: how the model sees them.
        prompts: what is said of them.
        beam: see `decoding.draw`.
        firsts: see `decoding.draw`.
        progress: who is told how far it is.
    """
    shown = progress or NoProgress()
    judged: dict[Prompt, list[Judged]] = {prompt: [] for prompt in prompts}
    shown.begin("outlining", len(sources))
    try:
        for begin in range(0, len(sources), BATCH):
            part = sources[begin : begin + BATCH]
            views = [see(source, data) for source in part]
            windows = [window_of(source.instance.box, data.crop) for source in part]
            for prompt in prompts:
                asks = [ask_for(view, prompt) for view in views]
                crops = [view.image for view in views]
                found = outline(model, crops, windows, asks, beam=beam, firsts=firsts, most=data.points)
                judged[prompt] += _judged(part, found)
            shown.update(begin + len(part))
    finally:
        shown.end()
    return judged


def judged_shapes(sources: Sequence[Source], data: DataSettings) -> dict[str, list[Judged]]:
    """Score what the grid allows at best, and what needs no network: the box, and the ellipse in it."""
    shapes: dict[str, Callable[[Source], Points]] = {
        CEILING: lambda source: on_grid(source, data),
        BOX: lambda source: box_points(source.instance.box),
        ELLIPSE: lambda source: ellipse_points(source.instance.box),
    }
    return {name: [judge(source, shape(source)) for source in sources] for name, shape in shapes.items()}


def score_sources(
    model: OutlineModel | None,
    kind: str,
    sources: Sequence[Source],
    data: DataSettings,
    settings: EvaluationSettings,
    *,
    seed: int,
    progress: Progress | None = None,
) -> list[Row]:
    """Give the rows of a split.

    Args:
        model: in eval mode; None scores the plain shapes alone.
        kind: what rows call it.
        sources: the split.
        data: how the model sees objects.
        settings: what is scored.
        seed: of the run, for the rows.
        progress: who is told how far it is.
    """
    chosen = usable(sources, settings.limit)
    rows: list[Row] = []
    if model is not None:
        judged = judged_model(
            model, chosen, data, settings.prompts, beam=settings.beam, firsts=settings.firsts, progress=progress
        )
        for prompt, found in judged.items():
            rows += rows_of(kind, found, {"prompt": prompt, "seed": seed})
        if settings.clicks:
            most, jitter = settings.clicks, settings.jitter
            rows += effort_rows(model, kind, chosen, data, most=most, jitter=jitter, seed=seed, progress=progress)
        if settings.moves:
            timed = usable(sources, settings.moves)
            rows += wait_rows(model, kind, timed, data, seed=seed, progress=progress)
    for name, found in judged_shapes(chosen, data).items():
        rows += rows_of(name, found, {})
    return rows


def rows_of(model: str, judged: Sequence[Judged], condition: dict[str, str | int]) -> list[Row]:
    """Lay scores out: over all instances, by class, by size, and pooled.

    Args:
        model: who drew.
        judged: all of a split.
        condition: what the rows are limited to.
    """
    rows: list[Row] = [_mean(model, "iou", condition, judged, lambda one: one.score.overlap.iou)]
    labels = sorted({one.label for one in judged})
    by_class = [_mean(model, "iou", {**condition, "class": label}, _of(judged, label), _iou) for label in labels]
    class_mean = float(np.nanmean([row.value for row in by_class])) if any(row.count for row in by_class) else math.nan
    rows.append(Row(model, "iou_class_mean", condition, class_mean, len(by_class)))
    both = sum(one.score.overlap.both for one in judged)
    either = sum(one.score.overlap.either for one in judged)
    rows.append(Row(model, "iou_pooled", condition, both / either if either else math.nan, either))
    rows += by_class
    for name, low, high in SIZES:
        inside = [one for one in judged if low <= one.score.area < high]
        rows.append(_mean(model, "iou", {**condition, "size": name}, inside, _iou))
    for place, distance in enumerate(BOUNDARIES):
        own = {**condition, "within_px": distance}
        rows.append(_mean(model, "boundary_f", own, judged, lambda one, at=place: one.score.boundary[at]))
    rows.append(_mean(model, "points", condition, judged, lambda one: float(one.points)))
    rows.append(_mean(model, "self_crossing", condition, judged, lambda one: float(one.crossing)))
    rows.append(_mean(model, "not_closed", condition, judged, lambda one: float(not one.closed)))
    return rows


def _judged(sources: Sequence[Source], found: Sequence[Outlined]) -> Iterator[Judged]:
    for source, one in zip(sources, found, strict=True):
        yield judge(source, one.points, closed=one.drawn.closed)


def _iou(one: Judged) -> float:
    return one.score.overlap.iou


def _of(judged: Sequence[Judged], label: str) -> list[Judged]:
    return [one for one in judged if one.label == label]


def _mean(
    model: str,
    metric: str,
    condition: dict[str, str | int],
    judged: Sequence[Judged],
    value: Callable[[Judged], float],
) -> Row:
    """A mean over instances, with a bootstrap's interval; instances without a value do not count."""
    values = np.array([value(one) for one in judged], dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return Row(model, metric, condition, math.nan, 0)
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (DRAWS, len(values)))].mean(1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Row(model, metric, condition, float(values.mean()), len(values), "1", (float(low), float(high)))
