"""The graph network: plain loops say the same, gradients, rings of any length, and that outlines get finer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from semicoupled.tasks.outline.network.graph import (
    REACH,
    GraphUpsampling,
    Ring,
    graph_loss,
    moved,
    offsets_to,
    ring_of,
    score_by_loops,
)
from semicoupled.tasks.outline.network.raster import FINE, fill
from semicoupled.tasks.outline.network.reinforce import iou_of
from semicoupled.tasks.outline.network.rollout import Corners

GRID = 8


def _case(dtype: torch.dtype = torch.float32) -> tuple[GraphUpsampling, Tensor, Ring]:
    torch.manual_seed(0)
    graph = GraphUpsampling(3, hidden=6).to(dtype)
    corners = Corners(torch.randint(0, GRID, (3, 6, 2)).to(dtype) + 0.5, torch.tensor([3, 6, 4]))
    return graph, torch.randn(3, 3, GRID * FINE, GRID * FINE, dtype=dtype), ring_of(corners)


def test_it_is_what_loops_say() -> None:
    graph, fine, ring = _case()
    with torch.no_grad():
        found, wanted = graph(fine, ring), score_by_loops(graph, fine, ring)
    for row, one in enumerate(wanted):
        torch.testing.assert_close(found[row, : len(one)], one, rtol=1e-5, atol=1e-5)


def test_what_is_behind_the_end_changes_nothing() -> None:
    graph, fine, ring = _case()
    other = ring.nodes.clone()
    other[0, 6:] += 3
    with torch.no_grad():
        assert torch.equal(graph(fine, ring)[0, :6], graph(fine, Ring(other, ring.counts))[0, :6])


def test_nodes_stand_at_the_points_and_between_them() -> None:
    square = Corners(torch.tensor([[[0.5, 0.5], [4.5, 0.5], [4.5, 4.5], [9.0, 9.0]]]), torch.tensor([3]))
    ring = ring_of(square)
    assert ring.counts.tolist() == [6]
    assert ring.nodes[0, :6].tolist() == [[2, 2], [10, 2], [18, 2], [18, 10], [18, 18], [10, 10]]


def test_the_gradient_is_that_of_finite_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tensor, "float", lambda tensor: tensor.double())
    graph, fine, ring = _case(torch.float64)
    truth = torch.rand(3, 10, 2, dtype=torch.float64) * GRID

    def run(enter: Tensor, message: Tensor, update: Tensor) -> Tensor:
        named = {"enter.weight": enter, "messages.2.weight": message, "update.weight_hh": update}
        return graph_loss(torch.func.functional_call(graph, named, (fine, ring)), ring, truth)

    parts = (graph.enter.weight, graph.get_submodule("messages.2").weight, graph.update.weight_hh)
    weights = tuple(parameter.detach().clone().requires_grad_() for parameter in parts)  # pyright: ignore
    assert torch.autograd.gradcheck(run, weights)


def test_answers_are_the_nearest_points_and_far_ones_do_not_count() -> None:
    ring = Ring(torch.tensor([[[8.0, 8.0], [20.0, 8.0], [30.0, 30.0], [0.0, 0.0]]]), torch.tensor([3]))
    truth = torch.tensor([[[2.0, 2.5], [5.25, 1.5]]])
    target, counted = offsets_to(ring, truth)
    assert counted.tolist() == [[True, True, False, False]]
    width = 2 * REACH + 1
    assert target[0, :2].tolist() == [(2 + REACH) * width + REACH, (-2 + REACH) * width + 1 + REACH]
    scores = torch.zeros(1, 4, width * width)
    scores[0, torch.arange(4), target[0]] = 9
    assert moved(scores, ring)[0, :2].tolist() == [[8, 10], [21, 6]]


def _shapes(rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor, Corners]:
    """Wavy shapes: their fine outlines, what is seen of them, and 8 points of them on the coarse grid."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    phase, waves = rng.uniform(0, 2 * np.pi, (count, 1)), rng.uniform(0.2, 0.8, (count, 1))
    radius = rng.uniform(2.0, 2.8, (count, 1)) + waves * np.sin(2 * angle + phase)
    points = 4 + radius[..., None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    truth = torch.from_numpy(points).float()
    filled = fill(truth * FINE, torch.full((count,), 64), GRID * FINE).float()[:, None]
    blurred = [torch.nn.functional.avg_pool2d(filled, size, 1, size // 2) for size in (1, 3, 5)]
    slopes = torch.nn.functional.avg_pool2d(filled, 9, 1, 4)
    across = [slopes.roll(1, axis) - slopes.roll(-1, axis) for axis in (2, 3)]
    coarse = Corners((truth[:, ::8].floor() + 0.5).clamp(0.5, GRID - 0.5), torch.full((count,), 8))
    return truth, torch.cat([*blurred, slopes, *(8 * part for part in across)], dim=1), coarse


def test_outlines_get_finer() -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    graph = GraphUpsampling(6, hidden=48)
    optimizer = torch.optim.Adam(graph.parameters(), lr=5e-3)
    for _ in range(150):
        truth, seen, coarse = _shapes(rng, 16)
        ring = ring_of(coarse)
        loss = graph_loss(graph(seen, ring), ring, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    truth, seen, coarse = _shapes(np.random.default_rng(1), 64)
    ring = ring_of(coarse)
    with torch.no_grad():
        finer = Corners(moved(graph(seen, ring), ring) / FINE, ring.counts)
    before, after = (float(iou_of(one, truth, GRID).mean()) for one in (coarse, finer))
    assert after > before + 0.05
