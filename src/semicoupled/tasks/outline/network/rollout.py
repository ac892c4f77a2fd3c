"""Outlines that a network draws while it learns: by chance, as likely as it deems them, or the likeliest points."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import torch

from semicoupled.nn import StackState
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.tasks.outline.geometry.crossing import kept_before
from semicoupled.tasks.outline.geometry.polygons import cells_of
from semicoupled.tasks.outline.network.choices import LEAST_POINTS, allowed, likeliest, one_hot

Step = Callable[[Tensor, StackState | None], tuple[Tensor, StackState]]
"""From the maps of the first point, t-2 and t-1, and the state, to scores and the next state."""


class Rolled(NamedTuple):
    """Outlines that were drawn.

    Attributes:
        first: B, int64: the class of the first point.
        end: B, int64: of the last one, where it was given; else -1.
        choices: B S, int64: what was chosen in each step, a cell or "closed"; -1 behind the end.
        map: B C g g: the state of the decoder's last layer when each outline came to its end.
    """

    first: Tensor
    end: Tensor
    choices: Tensor
    map: Tensor


class Corners(NamedTuple):
    """The points of outlines.

    Attributes:
        points: B N 2, x and y in cells; the centers of cells.
        counts: B, int64: how many of them each outline has.
    """

    points: Tensor
    counts: Tensor


@torch.no_grad()
def roll(step: Step, first: Tensor, end: Tensor, *, grid: int, most: int, sample: bool) -> Rolled:
    """Draw outlines, by the rules of `drawing.decoding.draw`.

    Args:
        step: of the network, with the features at hand.
        first: B, int64: the first points' classes.
        end: B, int64: the last points', -1 where it is not known.
        grid: cells on a side.
        most: points at most.
        sample: draw each point by chance (torch's global generator) in place of the likeliest.
    """
    closed = grid * grid
    last, before = first, end
    running = torch.ones_like(first, dtype=torch.bool)
    choices: list[Tensor] = []
    state: StackState | None = None
    kept: Tensor | None = None
    for count in range(1, most):
        scores, state = step(one_hot([first, before, last], grid), state)
        shown = last_map(state)
        kept = shown if kept is None else torch.where(running[:, None, None, None], shown, kept)
        chances = allowed(scores.float(), last, count).softmax(-1)
        chosen = torch.multinomial(chances, 1)[:, 0] if sample else likeliest(chances, grid)
        choices.append(torch.where(running, chosen, -1))
        drawing = running & (chosen != closed) & (chosen != first)
        before, last = last, torch.where(drawing, chosen, last)
        running = drawing & (chosen != end)
        if not bool(running.any()):
            break
    return Rolled(first, end, torch.stack(choices, dim=1), cast(Tensor, kept))


def log_probability(scores: Float[Tensor, "B S K"], rolled: Rolled) -> Float[Tensor, "B"]:
    """Logarithm of the probability that outlines are drawn as they were.

    Args:
        scores: of all steps, for what was drawn (`told`).
        rolled: what was drawn.
    """
    choices = rolled.choices
    steps = choices.shape[1]
    ruled = scores.float().scatter(2, _points(rolled)[..., None], -torch.inf)
    early = torch.zeros_like(ruled, dtype=torch.bool)
    early[:, : min(LEAST_POINTS - 1, steps), -1] = True
    chances = ruled.masked_fill(early, -torch.inf).log_softmax(-1)
    each = chances.gather(2, choices.clamp_min(0)[..., None])[..., 0]
    return torch.where(choices >= 0, each, 0.0).sum(1)


def told(rolled: Rolled, grid: int) -> Float[Tensor, "B S 3 g g"]:
    """What the network was fed in each step of what it drew: maps of the first point, of t-2 and of t-1."""
    last = _points(rolled)
    before = torch.cat([rolled.end[:, None], last[:, :-1]], dim=1)
    steps = last.shape[1]
    first = rolled.first[:, None].expand(-1, steps)
    return one_hot([part.flatten() for part in (first, before, last)], grid).unflatten(0, (-1, steps))


def corners(rolled: Rolled, grid: int) -> Corners:
    """The points of outlines; where the end was given it is the last one."""
    first, end, choices = rolled.first, rolled.end, rolled.choices
    drawn = (choices >= 0) & (choices != grid * grid) & (choices != first[:, None])
    counts = 1 + drawn.sum(1)
    classes = torch.cat([first[:, None], torch.where(drawn, choices, 0), torch.zeros_like(first)[:, None]], dim=1)
    final = classes.gather(1, counts[:, None] - 1)[:, 0]
    adding = (end >= 0) & (final != end) & (end != first)
    place = counts.clamp_max(choices.shape[1])  # where there is no room left it takes the last point's place
    for row in adding.nonzero()[:, 0].tolist():  # the rule of `drawing.decoding`: no way back over what is drawn
        if bool(((choices[row] == grid * grid) | (choices[row] == first[row])).any()):
            own = cells_of(classes[row, : int(counts[row])].cpu().numpy(), grid)
            place[row] = min(int(place[row]), kept_before(own, (int(end[row]) % grid, int(end[row]) // grid)))
    there = classes.gather(1, place[:, None])[:, 0]
    classes = classes.scatter(1, place[:, None], torch.where(adding, end, there)[:, None])
    points = torch.stack([classes % grid, classes // grid], dim=-1).float() + 0.5
    return Corners(points, torch.where(adding, place + 1, counts))


def last_map(state: StackState) -> Float[Tensor, "B C g g"]:
    """What the decoder's last layer remembers."""
    assert state.main is not None  # the main stream is always asked for
    return state.main[-1][0]


def _points(rolled: Rolled) -> Tensor:
    """The point that each step began from, B S; behind the end any."""
    return torch.cat([rolled.first[:, None], rolled.choices[:, :-1].clamp_min(0)], dim=1)
