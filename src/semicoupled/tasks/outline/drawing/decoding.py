"""Drawing outlines: step by step from the cached state, the likeliest point each time, or several outlines in view."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from semicoupled.nn import StackState
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import map_state
from semicoupled.tasks.outline.geometry.crossing import kept_before
from semicoupled.tasks.outline.geometry.polygons import MOST_POINTS, Cells, cells_of
from semicoupled.tasks.outline.model import OutlineModel

LEAST_POINTS = 3
"""An outline is not closed before it has so many points."""


class Ask(NamedTuple):
    """What is known of an outline, as cells x, y.

    Attributes:
        start: its first point; None where only the box is known: the network chooses.
        end: its last point, which tells the direction; None where it is not known.
    """

    start: tuple[int, int] | None = None
    end: tuple[int, int] | None = None


class Drawn(NamedTuple):
    """An outline that was drawn.

    Attributes:
        cells: N x 2, from the start on.
        confidence: N, of each point: the probability that it is there or in a neighboring cell; 1 where it was given.
        closed: whether the network said so; False where it was still drawing after the most points.
        score: mean logarithm of the probability of all choices.
    """

    cells: Cells
    confidence: NDArray[np.float64]
    closed: bool
    score: float


class _Beam:
    """Outlines under way: `width` of each object, in rows next to each other."""

    def __init__(self, first: Tensor, end: Tensor, width: int) -> None:
        count = len(first)
        self.objects, self.width = count, width
        self.first, self.end = (values.repeat_interleave(width) for values in (first, end))
        self.classes = self.first[:, None]
        self.confidence = torch.ones(count * width, 1)
        self.score = torch.zeros(count * width)
        self.length = torch.ones(count * width)
        if width > 1:  # at first all outlines of an object are the same one
            self.score.view(count, width)[:, 1:] = -torch.inf
        self.done = torch.zeros(count * width, dtype=torch.bool)
        self.closed = torch.zeros(count * width, dtype=torch.bool)

    def take(self, rows: Tensor) -> None:
        for name in ("first", "end", "classes", "confidence", "score", "length", "done", "closed"):
            setattr(self, name, getattr(self, name)[rows])


@torch.no_grad()
def draw(
    model: OutlineModel,
    features: Float[Tensor, "B F g g"],
    asks: Sequence[Ask],
    *,
    beam: int = 1,
    most: int = MOST_POINTS,
) -> list[Drawn]:
    """Draw the outlines of some objects.

    Args:
        model: in eval mode.
        features: of each object's window, from `OutlineModel.encode`.
        asks: what is known of each.
        beam: outlines that are kept in view of each object; 1 takes the likeliest point each time.
        most: points at most.

    Returns:
        One outline an object. Where the end is known it is its last point; points that were drawn past it give way.
    """
    grid = model.grid
    closed_class = grid * grid
    chosen = first_points(model, features)
    first = torch.tensor(
        [int(pick) if ask.start is None else _class(ask.start, grid) for ask, pick in zip(asks, chosen, strict=True)]
    )
    end = torch.tensor([-1 if ask.end is None else _class(ask.end, grid) for ask in asks])
    rows = _Beam(first, end, beam)
    seen = features.repeat_interleave(beam, dim=0)
    state: StackState | None = None
    for step in range(1, most):
        before = rows.end if step == 1 else rows.classes[:, -2]
        positions = one_hot([rows.first, before, rows.classes[:, -1]], grid).to(features.device)
        scores, state = model.step(seen, positions, state)
        chances = allowed(scores.float().cpu(), rows.classes[:, -1], step).log_softmax(-1)
        parents, classes, gained = _choose(rows, chances, closed_class)
        around = neighborhood(chances.exp()[parents], classes, grid)
        rows.take(parents)
        state = map_state(lambda tensor, kept=parents: tensor[kept.to(tensor.device)], state) if beam > 1 else state
        running = ~rows.done
        rows.score = gained
        rows.length = rows.length + running
        closing = running & ((classes == closed_class) | (classes == rows.first))
        drawing = running & ~closing
        rows.classes = torch.cat([rows.classes, torch.where(drawing, classes, rows.classes[:, -1])[:, None]], dim=1)
        rows.confidence = torch.cat([rows.confidence, torch.where(drawing, around, -1.0)[:, None]], dim=1)
        rows.closed |= closing | (drawing & (classes == rows.end))
        rows.done |= rows.closed
        if bool(rows.done.all()):
            break
    return [_best(rows, index, grid, most) for index in range(len(asks))]


def first_points(model: OutlineModel, features: Float[Tensor, "B F g g"]) -> list[int]:
    """The class of the likeliest point of each outline, from the image alone."""
    return model.read_maps(features)[:, 2].float().flatten(1).argmax(1).tolist()


def one_hot(classes: Sequence[Tensor], grid: int) -> Float[Tensor, "B C g g"]:
    """Maps with 1 in a cell each, and none where the class is -1."""
    maps = torch.zeros(len(classes[0]), len(classes), grid * grid + 1)
    for channel, values in enumerate(classes):
        maps[:, channel].scatter_(1, torch.where(values < 0, grid * grid, values)[:, None], 1.0)
    return maps[..., :-1].unflatten(-1, (grid, grid))


def allowed(scores: Float[Tensor, "B K"], last: Tensor, count: int) -> Float[Tensor, "B K"]:
    """Rule out what makes no outline: staying where it is and closing before the third point."""
    ruled = scores.clone()
    ruled.scatter_(1, last[:, None], -torch.inf)
    if count < LEAST_POINTS:
        ruled[:, -1] = -torch.inf
    return ruled


def neighborhood(probabilities: Float[Tensor, "B K"], classes: Tensor, grid: int) -> Float[Tensor, "B"]:
    """Probability of a class and of the cells next to it; of "closed" it is its own."""
    return _pooled(probabilities, grid).gather(1, classes[:, None])[:, 0].clamp_max(1.0)


def likeliest(probabilities: Float[Tensor, "B K"], grid: int) -> Tensor:
    """Pick the likeliest cell, or "closed" where that is likelier than any cell together with those next to it.

    A point that is almost sure is spread over its neighbors, as it was learned; an end is not.

    Args:
        probabilities: of the cells and of "closed".
        grid: cells on a side.

    Returns:
        B, int64: the classes.
    """
    around = _pooled(probabilities, grid)
    closes = around[:, -1] > around[:, :-1].amax(1)
    return torch.where(closes, probabilities.shape[1] - 1, probabilities[:, :-1].argmax(1))


def _pooled(probabilities: Tensor, grid: int) -> Tensor:
    cells = probabilities[:, :-1].view(-1, 1, grid, grid)
    pooled = 9 * F.avg_pool2d(cells, 3, stride=1, padding=1)
    return torch.cat([pooled.flatten(1), probabilities[:, -1:]], dim=1)


def _choose(rows: _Beam, chances: Tensor, closed_class: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pick the best continuations: whose they are, what they add, and their score."""
    count, width = rows.objects, rows.width
    if width == 1:
        classes = likeliest(chances.exp(), math.isqrt(closed_class))
        gained = chances.gather(1, classes[:, None])[:, 0]
        return torch.arange(count), classes, rows.score + torch.where(rows.done, 0.0, gained)
    total = rows.score[:, None] + chances
    stay = torch.full_like(total, -torch.inf)
    stay[:, closed_class] = rows.score  # what is done stays as it is, once
    total = torch.where(rows.done[:, None], stay, total)
    lengths = (rows.length + ~rows.done)[:, None]
    ranked = (total / lengths).view(count, -1).topk(width, dim=1).indices
    parents = ranked // chances.shape[1] + torch.arange(count)[:, None] * width
    classes = ranked % chances.shape[1]
    parents, classes = parents.flatten(), classes.flatten()
    return parents, classes, total[parents, classes]


def _best(rows: _Beam, index: int, grid: int, most: int) -> Drawn:
    own = slice(index * rows.width, (index + 1) * rows.width)
    mean = rows.score[own] / (rows.length[own] - 1).clamp_min(1)
    row = own.start + int(mean.nan_to_num(-torch.inf).argmax())
    kept = rows.confidence[row] >= 0
    classes, confidence = rows.classes[row][kept].numpy(), rows.confidence[row][kept].double().numpy()
    end = int(rows.end[row])
    if end >= 0 and classes[-1] != end and end != classes[0]:  # it was given
        room = most - 1
        if rows.closed[row]:  # beside it, or behind it
            room = min(room, kept_before(cells_of(classes, grid), (end % grid, end // grid)))
        classes, confidence = classes[:room], confidence[:room]
        classes, confidence = np.append(classes, end), np.append(confidence, 1.0)
    return Drawn(cells_of(classes, grid), confidence, bool(rows.closed[row]), float(mean[row - own.start]))


def _class(cell: tuple[int, int], grid: int) -> int:
    return min(max(cell[1], 0), grid - 1) * grid + min(max(cell[0], 0), grid - 1)
