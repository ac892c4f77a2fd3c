"""The evaluator: gradients, nothing sent to what it looks at, and that it tells good outlines from bad ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from semicoupled.tasks.outline.network.evaluator import Evaluator, evaluator_loss
from semicoupled.tasks.outline.network.raster import FINE, fill
from semicoupled.tasks.outline.network.reinforce import iou_of
from semicoupled.tasks.outline.network.rollout import Corners

GRID = 8


def _rings(rng: np.random.Generator, count: int) -> Tensor:
    """Polygons of 8 points in cells."""
    angle = np.arange(8) * np.pi / 4
    center, reach = rng.uniform(3, 5, (count, 1, 2)), rng.uniform(1, 3, (count, 8, 1))
    return torch.from_numpy(center + reach * np.stack([np.cos(angle), np.sin(angle)], 1)).float().clamp(0, GRID)


def _case(rng: np.random.Generator, count: int = 64) -> tuple[Tensor, Corners, Tensor]:
    """Features that show the truth, outlines near it or far from it, and their IoU."""
    truth, other = _rings(rng, count), _rings(rng, count)
    share = torch.from_numpy(rng.uniform(0, 1, (count, 1, 1))).float()
    drawn = Corners(share * truth + (1 - share) * other, torch.full((count,), 8))
    shown = fill(truth * FINE, drawn.counts, GRID * FINE).float()[:, None]
    return torch.nn.functional.avg_pool2d(shown, FINE), drawn, iou_of(drawn, truth, GRID)


def test_the_gradient_is_that_of_finite_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    evaluator = Evaluator(2, 1, 3, channels=2).double()
    monkeypatch.setattr(Tensor, "float", lambda tensor: tensor.double())
    drawn = Corners(torch.tensor([[[0.5, 0.5], [2.5, 0.5], [1.5, 2.5]]]), torch.tensor([3]))
    features, remembered = torch.randn(1, 2, 3, 3).double(), torch.randn(1, 1, 3, 3).double()

    def run(*weights: Tensor) -> Tensor:
        named = dict(zip(dict(evaluator.named_parameters()), weights, strict=True))
        guessed = torch.func.functional_call(evaluator, named, (features, remembered, drawn))
        return evaluator_loss(guessed, torch.tensor([0.7], dtype=torch.float64))

    weights = tuple(parameter.detach().clone().requires_grad_() for parameter in evaluator.parameters())
    assert torch.autograd.gradcheck(run, weights)


def test_nothing_flows_to_what_it_looks_at() -> None:
    evaluator = Evaluator(1, 2, GRID)
    shown, drawn, iou = _case(np.random.default_rng(0), 4)
    features, remembered = shown.requires_grad_(), torch.randn(4, 2, GRID, GRID).requires_grad_()
    evaluator_loss(evaluator(features, remembered, drawn), iou).backward()
    assert features.grad is None
    assert remembered.grad is None
    assert evaluator.first.weight.grad is not None
    assert evaluator.first.weight.grad[:, -1].any()  # the outline itself counts


def test_it_learns_to_choose() -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    evaluator = Evaluator(1, 1, GRID)
    optimizer = torch.optim.Adam(evaluator.parameters(), lr=3e-3)
    for _ in range(200):
        features, drawn, iou = _case(rng)
        loss = evaluator_loss(evaluator(features, torch.zeros_like(features), drawn), iou)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    features, drawn, iou = _case(np.random.default_rng(1), 256)
    with torch.no_grad():
        guessed = evaluator(features, torch.zeros_like(features), drawn)
    assert float(evaluator_loss(guessed, iou)) < 0.5 * float(iou.var())
    assert float(torch.corrcoef(torch.stack([guessed, iou]))[0, 1]) > 0.7
