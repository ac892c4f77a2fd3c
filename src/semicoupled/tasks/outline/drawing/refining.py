"""Finer points for outlines that are drawn: those of the graph network, where a model has one (`network.graph`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from semicoupled.errors import SettingsError
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.tasks.outline.geometry.polygons import Points
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.network.graph import moved, ring_of
from semicoupled.tasks.outline.network.raster import FINE
from semicoupled.tasks.outline.network.rollout import Corners


@torch.no_grad()
def refine(model: OutlineModel, fine: Float[Tensor, "B D s s"], outlines: Sequence[Points]) -> list[Points]:
    """Move the points of outlines, and as many between them.

    Args:
        model: in eval mode, with a graph network.
        fine: what `OutlineModel.look` gives.
        outlines: N x 2 each, x and y in cells; they need not be the centers of cells.

    Returns:
        2 N x 2 each, in cells: every second one, from the first on, is a point that was given. Outlines of less than
        three points stay as they are.

    Raises:
        SettingsError: the model has no graph network.
    """
    if model.graph is None:
        raise SettingsError("the model has no graph network; expected one that was trained with model.graph true")
    counts = torch.tensor([len(points) for points in outlines])
    padded = np.zeros((len(outlines), max(1, int(counts.max())), 2), np.float32)
    for row, points in enumerate(outlines):
        padded[row, : len(points)] = points
    ring = ring_of(Corners(torch.from_numpy(padded).to(fine.device), counts.to(fine.device)))
    found = moved(model.graph(fine, ring), ring).cpu().double().numpy() / FINE
    return [
        np.clip(found[row, : 2 * count], 0, model.grid) if count >= 3 else outlines[row]
        for row, count in enumerate(counts.tolist())
    ]


def refined_confidence(confidence: Sequence[float]) -> list[float]:
    """Confidences of the points that `refine` gives: one in between is as sure as the less sure of its neighbors."""
    if len(confidence) < 3:
        return list(confidence)
    following = [*confidence[1:], confidence[0]]
    return [value for pair in zip(confidence, map(min, confidence, following), strict=True) for value in pair]
