"""A simulated annotator: how many clicks does an outline take?

As with Polygon-RNN (Castrejon et al. 2017): it looks along the outline, moves the first point that leads away from
the truth to where the truth goes on, and the network draws the rest anew. It stops when the outline is good enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semicoupled.rows import Row
from semicoupled.tasks.outline.crops import window_of
from semicoupled.tasks.outline.data import Source, on_grid
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.drawing.session import OutlineSession
from semicoupled.tasks.outline.geometry.polygons import Points
from semicoupled.tasks.outline.images import read_image
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.scores.metrics import score
from semicoupled.training.progress import NoProgress, Progress

GOOD_ENOUGH = (0.8, 0.85, 0.9)
"""IoU that an annotator may want."""

_TOLERANCES = (2.0, 1.0, 0.5, 0.25)


class Effort(NamedTuple):
    """What one object took.

    Attributes:
        clicks: for each of `GOOD_ENOUGH`, or None where it was not reached.
        iou: after 0, 1, 2, ... clicks.
    """

    clicks: tuple[int | None, ...]
    iou: tuple[float, ...]


class Correction(NamedTuple):
    """A click.

    Attributes:
        index: of the point that is wrong; where one is missing at the end, the number of points.
        target: where it belongs; None where the outline ends with this point, and what is behind it goes.
    """

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]
    target: NDArray[np.float64] | None


def annotate(
    model: OutlineModel, source: Source, data: DataSettings, *, most: int, jitter: float, seed: int = 0
) -> Effort:
    """Outline an object with corrections. The start and the end are given, and not counted.

    Args:
        model: in eval mode.
        source: the object.
        data: how the model sees objects.
        most: clicks at most.
        jitter: px of the image by which a click misses, standard deviation.
        seed: of the misses.
    """
    rng = np.random.default_rng(seed)
    instance, size = source.instance, (source.picture.width, source.picture.height)
    window = window_of(instance.box, data.crop)
    truth = on_grid(source, data)
    cell = math.sqrt(window.width * window.height) / data.grid
    session = OutlineSession(model, read_image(source.file), data)
    session.box(instance.box)
    if len(truth) < 3:
        return Effort((None,) * len(GOOD_ENOUGH), (math.nan,))
    (x, y), (end_x, end_y) = truth[0].tolist(), truth[-1].tolist()
    for _ in session.start((x, y), (end_x, end_y)):
        pass
    reached: list[float] = []
    for click in range(most + 1):
        reached.append(score(session.outline.points, instance.parts, size).overlap.iou)
        if reached[-1] >= GOOD_ENOUGH[-1] or click == most:
            break
        found = next_correction(session.outline.points, truth, [cell * share for share in _TOLERANCES])
        if found is None:
            break
        index, target = found
        if target is None:
            session.close(index)
            continue
        x, y = (target + rng.normal(0.0, jitter, 2)).tolist()
        if index == len(session.vertices):
            session.insert(index - 1, (x, y))
        for _ in session.move(index, (x, y)):
            pass
    clicks = tuple(next((at for at, iou in enumerate(reached) if iou >= wanted), None) for wanted in GOOD_ENOUGH)
    return Effort(clicks, tuple(reached))


def next_correction(drawn: Points, truth: Points, tolerances: Sequence[float]) -> Correction | None:
    """Find the first point to correct.

    Args:
        drawn: N x 2, px; its first point is right.
        truth: M x 2, px, in the same direction and from the same first point.
        tolerances: px, largest first: how far a side may lie from the truth; a smaller one counts where nothing is off
            by a larger one.

    Returns:
        What to do; None if all is right.
    """
    closed = np.concatenate([drawn, drawn[:1]])
    for tolerance in tolerances:
        at = 0.0
        for index in range(len(drawn)):
            side = closed[index] + np.linspace(0, 1, 9)[:, None] * (closed[index + 1] - closed[index])
            distance = np.array([nearest(point, truth).distance for point in side])
            reach = len(truth) if index + 1 == len(drawn) else nearest(closed[index + 1], truth).place
            skipped = _skipped(closed[index], closed[index + 1], truth, at, reach)
            back = reach <= at + 1e-6  # it does not lead on along the truth
            if back or distance.max() > tolerance or skipped > tolerance:
                following = math.floor(at + 1e-6) + 1
                if following < len(truth):
                    return Correction(index + 1, truth[following])
                if index + 1 < len(drawn):  # the truth has come to its end, the outline has not
                    return Correction(index, None)
                break
            at = max(at, reach)
    return None


class Nearest(NamedTuple):
    """The nearest point of a polygon's sides.

    Attributes:
        distance: px.
        place: the number of the side, with the share of it that lies before.
    """

    distance: float
    place: float


def nearest(point: Points, polygon: Points) -> Nearest:
    """Find the nearest point of a polygon's sides."""
    start, along = polygon, np.roll(polygon, -1, axis=0) - polygon
    length = np.maximum((along**2).sum(1), 1e-12)
    share = np.clip(((point - start) * along).sum(1) / length, 0, 1)
    distance = np.hypot(*(point - start - share[:, None] * along).T)
    best = int(distance.argmin())
    return Nearest(float(distance[best]), float(best + share[best]))


def annotate_all(
    model: OutlineModel,
    sources: Mapping[int, Source],
    data: DataSettings,
    *,
    most: int,
    jitter: float,
    progress: Progress | None = None,
) -> list[Effort]:
    """Outline several objects with the simulated annotator's corrections.

    Args:
        model: in eval mode.
        sources: the objects, each by the number that its jitter is drawn from.
        data: how the model sees objects.
        most: clicks at most.
        jitter: px.
        progress: who is told how far it is.
    """
    shown = progress or NoProgress()
    efforts: list[Effort] = []
    shown.begin("simulated annotator", len(sources))
    try:
        for number, source in sources.items():
            efforts.append(annotate(model, source, data, most=most, jitter=jitter, seed=number))
            shown.update(len(efforts))
    finally:
        shown.end()
    return efforts


def effort_rows(
    model: OutlineModel,
    kind: str,
    sources: Sequence[Source],
    data: DataSettings,
    *,
    most: int,
    jitter: float,
    seed: int,
    progress: Progress | None = None,
) -> list[Row]:
    """Score the effort of a split: mean clicks where the goal was reached or `most` were made, and how often it was.

    Args:
        model: in eval mode.
        kind: what rows call it.
        sources: the objects.
        data: how the model sees objects.
        most: clicks at most.
        jitter: px.
        seed: of the run.
        progress: who is told how far it is.
    """
    efforts = annotate_all(model, dict(enumerate(sources)), data, most=most, jitter=jitter, progress=progress)
    rows: list[Row] = []
    for place, wanted in enumerate(GOOD_ENOUGH):
        condition = {"prompt": "start_end", "iou": wanted, "jitter_px": jitter, "most_clicks": most, "seed": seed}
        needed = [effort.clicks[place] for effort in efforts]
        made = [most if clicks is None else clicks for clicks in needed]
        share = sum(clicks is not None for clicks in needed) / len(needed) if needed else math.nan
        rows.append(Row(kind, "clicks", condition, float(np.mean(made)) if made else math.nan, len(made), "clicks"))
        rows.append(Row(kind, "clicks_enough", condition, share, len(needed)))
    return rows


def _skipped(start: Points, stop: Points, truth: Points, begin: float, end: float) -> float:
    """How far the truth strays from a side between the two places where the side begins and ends."""
    inside = truth[math.ceil(begin + 1e-6) : math.floor(end - 1e-6) + 1]
    if not len(inside):
        return 0.0
    along = stop - start
    length = max(float(along @ along), 1e-12)
    share = np.clip((inside - start) @ along / length, 0, 1)
    return float(np.hypot(*(inside - start - share[:, None] * along).T).max())
