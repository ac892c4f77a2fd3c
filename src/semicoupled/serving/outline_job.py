"""Outlines for the page, in the worker: drawn point by point, what is expected next, what each stream draws."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image

from semicoupled.description import Json
from semicoupled.errors import DataError, SemicoupledError
from semicoupled.nn import SemiCoupledStack
from semicoupled.nn.streams import Stream
from semicoupled.serving.outline_desk import Desk, clipped, piece_of, size_of
from semicoupled.serving.outline_options import AskOptions, DrawOptions, LookOptions, ViewOptions
from semicoupled.serving.work import JobRequest, Result, Work
from semicoupled.tasks.outline.drawing.moments import NextPoint
from semicoupled.tasks.outline.drawing.session import OutlineSession
from semicoupled.tasks.outline.drawing.streams import draw_by
from semicoupled.tasks.outline.images import read_image
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.settings import OutlineSettings


def sizes(work: Work, request: JobRequest) -> Result:
    """Say how large images are; those that cannot be used are named, with the reason."""
    found: list[Json] = []
    files = request.source.files
    for number, path in enumerate(files):
        work.progress(number / len(files), f"looking at image {number + 1} of {len(files)}")
        try:
            width, height = size_of(path)
            found.append({"width": width, "height": height})
        except SemicoupledError as error:
            found.append({"problem": str(error)})
    return Result({"images": found})


def view(work: Work, request: JobRequest) -> Result:
    """Give an image as a browser can show it, whatever it is."""
    longest = cast(ViewOptions, request.options).longest
    image = Image.fromarray(Desk.of(work).image(_file(request)))
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return Result({}, {"view.jpg": buffer.getvalue()})


def look(work: Work, request: JobRequest) -> Result:
    """Look at the window around a box, so that the first point comes at once."""
    piece = cast(LookOptions, request.options).piece
    session = Desk.of(work).session(work, request.run, _file(request), piece)
    return Result({"window": list(session.outline.window)})


def draw(work: Work, request: JobRequest) -> Result:
    """Draw an outline; each point is given as soon as it is drawn.

    Raises:
        DataError: the command names no point.
    """
    options, path = cast(DrawOptions, request.options), _file(request)
    begun = time.perf_counter()
    desk = Desk.of(work)
    session = desk.session(work, request.run, path, options.piece)
    first: float | None = None
    drawn = 0
    try:
        for point in _points(session, options):
            first = time.perf_counter() - begun if first is None else first
            drawn += 1
            part: dict[str, Json] = {"index": point.index, "x": round(point.x, 2), "y": round(point.y, 2)}
            work.part({**part, "confidence": round(point.confidence, 3)})
    finally:
        desk.keep(request.run, path, session)
    seconds = time.perf_counter() - begun
    document: dict[str, Json] = {"piece": piece_of(session.outline, options.piece).json(), "drawn": drawn}
    return Result({**document, "first": None if first is None else round(first, 4), "seconds": round(seconds, 4)})


def _points(session: OutlineSession, options: DrawOptions) -> Iterator[NextPoint]:
    if options.how == "go_on":
        return session.draw()
    if options.point is None:
        raise DataError("the command names no point; expected x and y")
    if options.how == "move":
        return session.move(options.index, options.point)
    drawing = session.start(options.point, options.end)
    if options.second is None:
        return drawing
    session.insert(0, options.second)
    return session.draw()


def expect(work: Work, request: JobRequest) -> Result:
    """Say where the network expects the point behind a point."""
    options, path = cast(LookOptions, request.options), _file(request)
    session = Desk.of(work).session(work, request.run, path, options.piece)
    found = session.expect(options.index)
    most = float(found.distribution.max())
    cells = np.rint(255 * np.sqrt(found.distribution / max(most, 1e-9))).astype(np.uint8)
    document: dict[str, Json] = {"window": list(session.outline.window), "grid": len(cells), "most": round(most, 4)}
    return Result({**document, "cells": cells.ravel().tolist(), "closed": round(found.closed, 4)})


def compare(work: Work, request: JobRequest) -> Result:
    """Draw the same outline by every stream that has learned to.

    Raises:
        DataError: there is no point yet.
    """
    piece, path = cast(LookOptions, request.options).piece, _file(request)
    if not piece.corners:
        raise DataError("the outline has no point yet; draw it first")
    run = work.run(request.run)
    settings, model = cast(OutlineSettings, run.settings), cast(OutlineModel, run.model)
    session = Desk.of(work).session(work, request.run, path, piece)
    outline = session.outline
    first = piece.corners[0]
    streams: dict[str, Json] = {}
    for number, stream in enumerate(trained_streams(settings, model)):
        work.progress(number / 3, f"drawing by {stream}")
        features = outline.features.float()
        points = draw_by(
            model, features, outline.window, (first.x, first.y), piece.end, stream, most=settings.data.points
        )
        streams[stream] = [[round(x, 2), round(y, 2)] for x, y in _telling(work, points)]
    return Result({"streams": streams})


def trained_streams(settings: OutlineSettings, model: OutlineModel) -> list[Stream]:
    """The streams whose heads had a weight in the loss; the others have learned nothing."""
    if not isinstance(model.network, SemiCoupledStack):
        return ["main"]
    weights: dict[Stream, float] = {"spatial": settings.goals.spatial, "temporal": settings.goals.temporal}
    return ["main", *(name for name, weight in weights.items() if weight)]


def ask(work: Work, request: JobRequest) -> Result:
    """Outline objects for other programs, at once."""
    options, path = cast(AskOptions, request.options), _file(request)
    size_of(path)
    image = read_image(path)
    height, width = image.shape[:2]
    boxes = options.boxes or ((width * 0.05, height * 0.05, width * 0.9, height * 0.9),)
    settings = cast(OutlineSettings, work.run(request.run).settings)
    model = Desk.of(work).model(work, request.run)
    found: list[Json] = []
    for number, box in enumerate(boxes):
        work.progress(number / len(boxes), f"outlining object {number + 1} of {len(boxes)}")
        session = OutlineSession(model, image, settings.data)
        session.box(clipped(box, image))
        start = options.starts[number] if options.starts else None
        end = options.ends[number] if options.ends else None
        for _ in session.draw() if start is None else session.start(start, end):
            work.progress(number / len(boxes), f"outlining object {number + 1} of {len(boxes)}")
        points = [[round(one.x, 2), round(one.y, 2)] for one in session.vertices]
        chances = [max(one.confidence, 1e-9) for one in session.vertices]
        score = float(np.exp(np.mean(np.log(chances)))) if chances else 0.0
        found.append({"points": points, "score": round(score, 4)})
    return Result({"width": width, "height": height, "outlines": found})


def _telling(work: Work, points: Iterator[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Look between two points whether anybody still waits."""
    for point in points:
        work.progress(0.5, "drawing")
        yield point


def _file(request: JobRequest) -> Path:
    return request.source.files[0]
