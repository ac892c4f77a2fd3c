"""What goes into a network of outlines while it draws one: the window, with the outline as far as it is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from PIL import Image, ImageDraw

from semicoupled.errors import DataError
from semicoupled.run_folder import LoadedRun
from semicoupled.serving import outline_sample
from semicoupled.tasks.outline.crops import Box, cut_out, window_of
from semicoupled.tasks.outline.data import CONTOUR, MAPS, OutlineBatch
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.drawing.decoding import Ask, draw
from semicoupled.tasks.outline.drawing.outlines import encode
from semicoupled.tasks.outline.geometry.polygons import Cells, centers
from semicoupled.tasks.outline.images import SUFFIXES, read_image
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.network.choices import LEAST_POINTS
from semicoupled.tasks.outline.network.prompts import teach
from semicoupled.tasks.outline.settings import OutlineSettings

_SIDE = 192
"""Of the frames that are shown beside the maps, px."""


class Seen(NamedTuple):
    """An image, and the object in it.

    Attributes:
        image: H W 3, uint8.
        box: around the object.
    """

    image: np.ndarray
    box: Box


def of_sample(name: str) -> Seen:
    """Give the first object of a generated picture."""
    _ = outline_sample.find_sample(name)
    image, objects = outline_sample.picture(0)
    (left, top), (right, bottom) = objects[0][1].min(0).tolist(), objects[0][1].max(0).tolist()
    return Seen(np.asarray(image.convert("RGB")), Box(left, top, right - left, bottom - top))


def of_place(place: Path) -> Seen:
    """Give an image, or the first one of a folder, as one object that fills it.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    files = [place] if place.is_file() else sorted(f for f in place.iterdir() if f.suffix.lower() in SUFFIXES)
    if not files:
        raise DataError(f"{place.name}: there is no image in it; expected files that end in {', '.join(SUFFIXES)}")
    image = read_image(files[0])
    return Seen(image, Box(0, 0, image.shape[1], image.shape[0]))


def drawing(run: LoadedRun, seen: Seen) -> tuple[np.ndarray, Callable[[], object]]:
    """Let a model draw an outline from the box alone.

    Args:
        run: of the task outline.
        seen: what it draws.

    Returns:
        What is known in each step, T H W, 0 to 1; and a function that runs the model along its own outline.

    Raises:
        DataError: it drew fewer than three points.
    """
    model, data = cast(OutlineModel, run.model), cast(OutlineSettings, run.settings).data
    crop = cut_out(seen.image, window_of(seen.box, data.crop), data.size)
    drawn = draw(model, encode(model, [crop]), [Ask()], most=data.points)[0].cells
    if len(drawn) < LEAST_POINTS:
        raise DataError(f"the model draws {len(drawn)} points here; an outline has {LEAST_POINTS}. Take another image")
    device = next(model.parameters()).device
    batch = OutlineBatch(*(part.to(device) for part in _batch(crop, drawn, data)))
    return _frames(crop, drawn, data.grid), lambda: model(batch)


def _batch(crop: np.ndarray, cells: Cells, data: DataSettings) -> OutlineBatch:
    taught = teach(cells, grid=data.grid, length=len(cells), with_end=False)
    known = (taught.maps, crop.transpose(2, 0, 1).copy(), taught.target, taught.weight)
    return OutlineBatch(
        *(torch.from_numpy(part)[None] for part in known),
        maps=torch.zeros(1, len(MAPS), data.grid, data.grid),
        contour=torch.zeros(1, CONTOUR, 2),
    )


def _frames(crop: np.ndarray, cells: Cells, grid: int) -> np.ndarray:
    """Draw the outline as far as it is fed in: one point in the first frame, one more in each; the last is a ring."""
    ground = Image.fromarray(crop).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    points = [(float(x), float(y)) for x, y in centers(cells) * (_SIDE / grid)]
    frames: list[np.ndarray] = []
    for known in range(1, len(points) + 1):
        frame = ground.point(lambda value: value * 0.7)
        pen = ImageDraw.Draw(frame)
        if known > 1:
            pen.line(points[:known], fill=255, width=2)
        for x, y in points[:known]:
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=255)
        x, y = points[known - 1]
        pen.ellipse((x - 6, y - 6, x + 6, y + 6), fill=0, outline=255, width=3)
        frames.append(np.asarray(frame, np.float32) / 255)
    return np.stack(frames)
