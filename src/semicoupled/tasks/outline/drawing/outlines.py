"""From windows to outlines in pixels: features of many windows at once, then their drawing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from semicoupled.nn.shapes import Float, Tensor
from semicoupled.tasks.outline.drawing.decoding import Ask, Drawn, draw
from semicoupled.tasks.outline.drawing.refining import refine, refined_confidence
from semicoupled.tasks.outline.geometry.polygons import Points, centers
from semicoupled.tasks.outline.geometry.window import Window
from semicoupled.tasks.outline.model import OutlineModel, Seen

BATCH = 32


class Outlined(NamedTuple):
    """An outline in an image.

    Attributes:
        points: N x 2, px of the image; of a model with a graph network what it gives, twice as many as were drawn.
        drawn: what was drawn on the grid, with confidences.
    """

    points: Points
    drawn: Drawn

    @property
    def confidences(self) -> list[float]:
        """Of each of the points."""
        own = self.drawn.confidence.tolist()
        return own if len(own) == len(self.points) else refined_confidence(own)

    @property
    def confidence(self) -> float:
        """Of the whole: the geometric mean of the points' confidences."""
        return float(np.exp(np.mean(np.log(np.maximum(self.drawn.confidence, 1e-9)))))


def look(model: OutlineModel, crops: Sequence[NDArray[np.uint8]]) -> Seen:
    """Look at crops, size x size x 3 each."""
    device = next(model.parameters()).device
    images = torch.from_numpy(np.stack(crops)).to(device).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        return model.look(images)


def encode(model: OutlineModel, crops: Sequence[NDArray[np.uint8]]) -> Float[Tensor, "B F g g"]:
    """Give the features of crops, size x size x 3 each."""
    return look(model, crops).features


def outline(
    model: OutlineModel,
    crops: Sequence[NDArray[np.uint8]],
    windows: Sequence[Window],
    asks: Sequence[Ask],
    *,
    beam: int = 1,
    firsts: int = 1,
    most: int,
) -> list[Outlined]:
    """Outline objects, `BATCH` at a time.

    Args:
        model: in eval mode.
        crops: what it sees of each object.
        windows: where that lies in its image.
        asks: what is known of its outline.
        beam: see `decoding.draw`.
        firsts: see `decoding.draw`.
        most: points at most.
    """
    found: list[Outlined] = []
    for begin in range(0, len(crops), BATCH):
        part = slice(begin, begin + BATCH)
        seen = look(model, crops[part])
        drawn = draw(model, seen.features, asks[part], beam=beam, firsts=firsts, most=most)
        points = [centers(one.cells) for one in drawn]
        if model.graph is not None and seen.fine is not None:
            points = refine(model, seen.fine, points)
        found += [
            Outlined(window.to_image(own, model.grid), one)
            for window, own, one in zip(windows[part], points, drawn, strict=True)
        ]
    return found
