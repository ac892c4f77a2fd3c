"""Drawing outlines: step by step from the cached state, the likeliest point each time, or several outlines in view.

Where several first points are tried, or several outlines are in view, the evaluator chooses among what comes out of
them, as in Polygon-RNN++ (Acuna et al. 2018, Sec. 3.4); without one it is the likeliest.
"""

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
from semicoupled.tasks.outline.network.choices import allowed, likeliest, neighborhood, one_hot
from semicoupled.tasks.outline.network.evaluator import Evaluator
from semicoupled.tasks.outline.network.rollout import Corners, last_map


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
        self.map: Tensor | None = None  # the last layer's state, when each outline came to its end

    def take(self, rows: Tensor) -> None:
        for name in ("first", "end", "classes", "confidence", "score", "length", "done", "closed"):
            setattr(self, name, getattr(self, name)[rows])

    def remember(self, shown: Tensor) -> None:
        running = ~self.done.to(shown.device)[:, None, None, None]
        self.map = shown if self.map is None else torch.where(running, shown, self.map)

    @property
    def mean(self) -> Tensor:
        """Mean logarithm of the probability of all choices."""
        return (self.score / (self.length - 1).clamp_min(1)).nan_to_num(-torch.inf)


@torch.no_grad()
def draw(
    model: OutlineModel,
    features: Float[Tensor, "B F g g"],
    asks: Sequence[Ask],
    *,
    beam: int = 1,
    firsts: int = 1,
    most: int = MOST_POINTS,
) -> list[Drawn]:
    """Draw the outlines of some objects.

    Args:
        model: in eval mode.
        features: of each object's window, from `OutlineModel.encode`.
        asks: what is known of each.
        beam: outlines that are kept in view of each object; 1 takes the likeliest point each time.
        firsts: first points that are tried where none is given; each has as many outlines in view.
        most: points at most.

    Returns:
        One outline an object. Where the end is known it is its last point; points that were drawn past it give way.
    """
    grid = model.grid
    chosen = first_points(model, features, firsts)
    starts = [
        picks if ask.start is None else [_class(ask.start, grid)] for ask, picks in zip(asks, chosen, strict=True)
    ]
    owners = [number for number, own in enumerate(starts) for _ in own]
    first = torch.tensor([pick for own in starts for pick in own])
    ends = [-1 if ask.end is None else _class(ask.end, grid) for ask in asks]
    end = torch.tensor([ends[owner] for owner in owners])
    evaluator: Evaluator | None = getattr(model, "evaluator", None) if len(owners) * beam > len(asks) else None
    seen = features[owners].repeat_interleave(beam, dim=0)
    rows = _run(model, seen, _Beam(first, end, beam), most, remember=evaluator is not None)
    worth = rows.mean if evaluator is None else _judged(evaluator, seen, rows, grid, most)
    best: list[Drawn] = []
    for number in range(len(asks)):
        own = [owner * beam + place for owner, of in enumerate(owners) if of == number for place in range(beam)]
        best.append(_finished(rows, max(own, key=worth.tolist().__getitem__), grid, most))
    return best


def _run(model: OutlineModel, seen: Tensor, rows: _Beam, most: int, *, remember: bool) -> _Beam:
    """Draw until all outlines have come to their end."""
    grid, beam = model.grid, rows.width
    closed_class = grid * grid
    state: StackState | None = None
    for step in range(1, most):
        before = rows.end if step == 1 else rows.classes[:, -2]
        positions = one_hot([rows.first, before, rows.classes[:, -1]], grid).to(seen.device)
        scores, state = model.step(seen, positions, state)
        if remember:
            rows.remember(last_map(state))
        chances = allowed(scores.float().cpu(), rows.classes[:, -1], step).log_softmax(-1)
        parents, classes, gained = _choose(rows, chances, closed_class)
        around = neighborhood(chances.exp()[parents], classes, grid)
        rows.take(parents)
        if rows.map is not None and beam > 1:
            rows.map = rows.map[parents.to(rows.map.device)]
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
    return rows


def _judged(evaluator: Evaluator, seen: Tensor, rows: _Beam, grid: int, most: int) -> Tensor:
    """What the evaluator takes all outlines for; those that were never begun are worth nothing."""
    assert rows.map is not None  # it was remembered
    every = [_finished(rows, row, grid, most).cells for row in range(len(rows.done))]
    counts = torch.tensor([len(cells) for cells in every])
    points = torch.zeros(len(every), int(counts.max()), 2)
    for row, cells in enumerate(every):
        points[row, : len(cells)] = torch.from_numpy(cells) + 0.5
    device = seen.device
    guessed = evaluator(seen, rows.map, Corners(points.to(device), counts.to(device))).cpu()
    return torch.where(rows.score > -torch.inf, guessed, -torch.inf)


def first_points(model: OutlineModel, features: Float[Tensor, "B F g g"], count: int = 1) -> list[list[int]]:
    """The classes of the likeliest points of each outline, from the image alone, the likeliest one first.

    Args:
        model: in eval mode.
        features: of the images.
        count: how many; none of them is next to another that is likelier, as far as there are enough.
    """
    scores = model.read_maps(features)[:, 2:3].float()
    if count == 1:
        return scores.flatten(1).argmax(1, keepdim=True).tolist()
    peaks = scores >= F.max_pool2d(scores, 3, stride=1, padding=1)
    span = scores.max() - scores.min() + 1
    ranked = torch.where(peaks, scores, scores - span).flatten(1)
    return ranked.topk(min(count, ranked.shape[1]), dim=1).indices.tolist()


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


def _finished(rows: _Beam, row: int, grid: int, most: int) -> Drawn:
    """Give one outline."""
    kept = rows.confidence[row] >= 0
    classes, confidence = rows.classes[row][kept].numpy(), rows.confidence[row][kept].double().numpy()
    end = int(rows.end[row])
    if end >= 0 and classes[-1] != end and end != classes[0]:  # it was given
        room = most - 1
        if rows.closed[row]:  # beside it, or behind it
            room = min(room, kept_before(cells_of(classes, grid), (end % grid, end // grid)))
        classes, confidence = classes[:room], confidence[:room]
        classes, confidence = np.append(classes, end), np.append(confidence, 1.0)
    return Drawn(cells_of(classes, grid), confidence, bool(rows.closed[row]), float(rows.mean[row]))


def _class(cell: tuple[int, int], grid: int) -> int:
    return min(max(cell[1], 0), grid - 1) * grid + min(max(cell[0], 0), grid - 1)
