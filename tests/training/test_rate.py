from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from semicoupled.training.rate import clamp_gradients, rate_factor


def test_warm_up_then_constant_or_cosine() -> None:
    assert [rate_factor(share, "constant", 0.2) for share in (0.0, 0.1, 0.2, 1.0)] == [0.0, 0.5, 1.0, 1.0]
    assert rate_factor(0.0, "cosine", 0.0) == 1.0
    assert rate_factor(0.5, "cosine", 0.0) == pytest.approx(0.5)
    assert rate_factor(0.6, "cosine", 0.2) == pytest.approx(0.5)
    assert rate_factor(1.0, "cosine", 0.2) == pytest.approx(0.0)


def test_gradients_are_clamped_element_by_element() -> None:
    moved, still = nn.Parameter(torch.zeros(4)), nn.Parameter(torch.zeros(2))
    moved.grad = torch.tensor([-7.0, -5.0, 0.1, math.inf])
    clamp_gradients([moved, still], 5.0)
    assert moved.grad.tolist() == pytest.approx([-5.0, -5.0, 0.1, 5.0])
    assert still.grad is None
