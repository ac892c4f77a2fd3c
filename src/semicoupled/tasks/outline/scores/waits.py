"""How long a person waits: from a point that is moved to the next one on, and to the last."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from semicoupled.rows import Row
from semicoupled.tasks.outline.crops import window_of
from semicoupled.tasks.outline.data import Source, on_grid
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.drawing.quick import quicken
from semicoupled.tasks.outline.drawing.session import NextPoint, OutlineSession
from semicoupled.tasks.outline.images import read_image
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.training.progress import NoProgress, Progress

QUANTILES = (0.5, 0.95)


class Wait(NamedTuple):
    """Milliseconds after a point of an outline was moved.

    Attributes:
        first: until the first point behind it is there.
        whole: until the outline is whole again.
    """

    first: float
    whole: float


def time_move(model: OutlineModel, source: Source, data: DataSettings) -> Wait | None:
    """Draw an object with its start and end given, move its second point by a cell, and wait.

    Args:
        model: in eval mode.
        source: the object.
        data: how the model sees objects.

    Returns:
        What the move took; None of an object without an outline of three points on the grid.
    """
    window = window_of(source.instance.box, data.crop)
    truth = on_grid(source, data)
    if len(truth) < 3:
        return None
    session = OutlineSession(model, read_image(source.file), data)
    session.box(source.instance.box)
    (x, y), (end_x, end_y) = truth[0].tolist(), truth[-1].tolist()
    _ = list(session.start((x, y), (end_x, end_y)))
    if len(session.vertices) < 3:
        return None
    second = session.vertices[1]
    moved = (second.x + window.width / data.grid, second.y + window.height / data.grid)
    begun = time.perf_counter()
    points: Iterator[NextPoint] = iter(session.move(1, moved))
    _ = next(points, None)
    first = time.perf_counter()
    for _ in points:
        pass
    return Wait(1e3 * (first - begun), 1e3 * (time.perf_counter() - begun))


def wait_rows(
    model: OutlineModel,
    kind: str,
    sources: Sequence[Source],
    data: DataSettings,
    *,
    seed: int,
    progress: Progress | None = None,
) -> list[Row]:
    """Time moves with the model as it is, and with its decoder packed, as the web app draws (`quick.quicken`).

    Args:
        model: in eval mode.
        kind: what rows call it.
        sources: the objects, one move each.
        data: how the model sees objects.
        seed: of the run.
        progress: who is told how far it is.

    Returns:
        Rows `ms_to_next_point` and `ms_per_move` by `decoder` and `quantile`; none where no object can be timed.
    """
    shown = progress or NoProgress()
    rows: list[Row] = []
    decoders = {"as trained": model, "packed": quicken(model)}
    shown.begin("timing moves", len(decoders) * len(sources))
    try:
        for place, (decoder, timed) in enumerate(decoders.items()):
            waits: list[Wait] = []
            for number, source in enumerate(sources):
                wait = time_move(timed, source, data)
                waits += [] if wait is None else [wait]
                shown.update(place * len(sources) + number + 1)
            if not waits:
                return []
            for quantile in QUANTILES:
                condition = {"decoder": decoder, "quantile": quantile, "seed": seed}
                first, whole = (float(np.quantile(values, quantile)) for values in zip(*waits, strict=True))
                rows.append(Row(kind, "ms_to_next_point", condition, first, len(waits), "ms"))
                rows.append(Row(kind, "ms_per_move", condition, whole, len(waits), "ms"))
    finally:
        shown.end()
    return rows
