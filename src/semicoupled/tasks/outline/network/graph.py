"""A finished outline made finer: a gated graph network moves its points (Polygon-RNN++, Acuna et al. 2018, Sec. 3.5).

The points of the outline and one in the middle of each side are the nodes of a ring. Messages go along three kinds of
edges: from the neighbor before, from the neighbor behind, and, between points of the outline, from those on either side
of the middle. Each kind has its own linear map; a GRU takes the sum in (Li et al. 2016). After `ROUNDS` rounds each
node says by which of 15 x 15 offsets it moves, in pixels of a grid four times as fine: 112 for 28 cells.

The network learns from true outlines on the coarse grid, with points that slipped, and each node's answer is the
nearest point of the true outline. Nothing flows from it to what it looks at.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.nn.shapes import Float, Tensor
from semicoupled.tasks.outline.network.raster import FINE
from semicoupled.tasks.outline.network.rollout import Corners
from semicoupled.training.pooling import pooled_mean

ROUNDS = 5
"""How often messages go round."""
REACH = 7
"""Pixels of the fine grid, in both directions, by which a node may move: 15 x 15 offsets."""
EDGES = 3
"""Kinds of edges: from the one before, from the one behind, across the middle of a side."""


class Ring(NamedTuple):
    """The nodes of outlines: every second one, from the first on, is a point; between them are the sides' middles.

    Attributes:
        nodes: B M 2, x and y in pixels of the fine grid.
        counts: B, int64: how many of them each outline has.
    """

    nodes: Tensor
    counts: Tensor


class GraphUpsampling(nn.Module):
    """Scores for each node where it shall move."""

    def __init__(self, features: int, hidden: int = 64) -> None:
        """Build it.

        Args:
            features: channels of the fine features.
            hidden: numbers that a node remembers.
        """
        super().__init__()
        self.enter = nn.Linear(features + 2, hidden)
        self.messages = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(EDGES))
        self.update = nn.GRUCell(hidden, hidden)
        self.answer = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, (2 * REACH + 1) ** 2))

    def forward(self, fine: Float[Tensor, "B F s s"], ring: Ring) -> Float[Tensor, "B M K"]:
        """Score the offsets, row by row.

        Args:
            fine: features of the image on the fine grid.
            ring: the nodes.
        """
        state = torch.relu(self.enter(look_up(fine, ring.nodes)))
        before, behind = neighbors(ring.counts, ring.nodes.shape[1])
        point = (torch.arange(ring.nodes.shape[1], device=fine.device) % 2 == 0)[None, :, None]
        batch, count = state.shape[:2]
        for _ in range(ROUNDS):
            sent = [_at(state, before), _at(state, behind)]
            across = _at(sent[0], before) + _at(sent[1], behind)  # two steps away lies the next point of the outline
            parts = [message(one) for message, one in zip(self.messages, (*sent, across), strict=True)]
            taken = parts[0] + parts[1] + torch.where(point, parts[2], 0.0)
            state = self.update(taken.flatten(0, 1).float(), state.flatten(0, 1).float()).unflatten(0, (batch, count))
        return self.answer(state)


def look_up(fine: Float[Tensor, "B F s s"], nodes: Float[Tensor, "B M 2"]) -> Float[Tensor, "B M D"]:
    """What a node sees: the features of the pixel that it lies in, and where that is, -1 to 1."""
    side = fine.shape[-1]
    cells = nodes.floor().long().clamp(0, side - 1)
    index = (cells[..., 1] * side + cells[..., 0])[:, None].expand(-1, fine.shape[1], -1)
    seen = fine.detach().flatten(2).gather(2, index).transpose(1, 2)
    return torch.cat([seen.float(), 2 * nodes / side - 1], dim=2)


def neighbors(counts: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Numbers of the nodes before and behind each node of rings, B M each."""
    index = torch.arange(most, device=counts.device).expand(len(counts), -1)
    last = (counts - 1).clamp_min(0)[:, None]
    before = torch.where(index > 0, index - 1, last)
    behind = torch.where(index < last, index + 1, 0)
    return before, behind


def ring_of(corners: Corners) -> Ring:
    """Put a node into the middle of each side."""
    points, counts = corners.points * FINE, corners.counts
    index = torch.arange(points.shape[1], device=points.device)
    following = torch.where(index + 1 < counts[:, None], index + 1, 0)
    middles = (points + _at(points, following)) / 2
    return Ring(torch.stack([points, middles], dim=2).flatten(1, 2), 2 * counts)


def offsets_to(ring: Ring, truth: Float[Tensor, "B P 2"]) -> tuple[Tensor, Tensor]:
    """Where nodes belong: the nearest points of the true outlines.

    Args:
        ring: the nodes.
        truth: the true outlines, in cells, many points each.

    Returns:
        The class of each node's offset, B M, int64, and whether it is one of those that there are and that can be
        reached.
    """
    target = truth * FINE
    nearest = torch.cdist(ring.nodes, target.float()).argmin(2)
    offset = (_at(target, nearest) - ring.nodes).round().long()
    there = torch.arange(ring.nodes.shape[1], device=truth.device) < ring.counts[:, None]
    inside = (offset.abs() <= REACH).all(2)
    clamped = offset.clamp(-REACH, REACH) + REACH
    return clamped[..., 1] * (2 * REACH + 1) + clamped[..., 0], there & inside


def graph_loss(scores: Float[Tensor, "B M K"], ring: Ring, truth: Float[Tensor, "B P 2"]) -> Float[Tensor, ""]:
    """Cross entropy of the nodes' offsets; nodes too far from the truth do not count."""
    target, counted = offsets_to(ring, truth)
    each = F.cross_entropy(scores.float().flatten(0, 1), target.flatten(), reduction="none").view_as(counted)
    return pooled_mean(torch.where(counted, each, 0.0).sum(), counted.sum())


def moved(scores: Float[Tensor, "B M K"], ring: Ring) -> Float[Tensor, "B M 2"]:
    """Where the nodes go: by their likeliest offsets, pixels of the fine grid."""
    chosen = scores.argmax(2)
    width = 2 * REACH + 1
    return ring.nodes + torch.stack([chosen % width, chosen // width], dim=-1) - REACH


def score_by_loops(graph: GraphUpsampling, fine: Tensor, ring: Ring) -> list[Tensor]:
    """The same, one outline and one node at a time: the reference.

    Returns:
        M K for each outline, without what is behind its end.
    """
    found: list[Tensor] = []
    for row, count in enumerate(ring.counts.tolist()):
        states: list[Tensor] = []
        for x, y in ring.nodes[row, :count].tolist():
            column, line = (min(max(int(value // 1), 0), fine.shape[-1] - 1) for value in (x, y))
            where = fine.new_tensor([2 * x / fine.shape[-1] - 1, 2 * y / fine.shape[-1] - 1])
            states.append(torch.relu(graph.enter(torch.cat([fine[row, :, line, column], where]))))
        for _ in range(ROUNDS):
            after: list[Tensor] = []
            for node in range(count):
                taken = graph.messages[0](states[node - 1]) + graph.messages[1](states[(node + 1) % count])
                if node % 2 == 0:
                    taken = taken + graph.messages[2](states[node - 2] + states[(node + 2) % count])
                after.append(graph.update(taken[None], states[node][None])[0])
            states = after
        found.append(torch.stack([graph.answer(state) for state in states]))
    return found


def _at(values: Float[Tensor, "B N D"], index: Tensor) -> Float[Tensor, "B M D"]:
    return values.gather(1, index[..., None].expand(-1, -1, values.shape[2]))
