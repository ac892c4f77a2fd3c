"""The switch as a plain function, on anyone's network."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.nn import switch


def test_values_pass_and_gradients_are_cut() -> None:
    features = torch.randn(2, 3, 4, 5, 5, requires_grad=True)
    passed = switch(features, torch.tensor([True, False, True]), scale=2.0)
    assert torch.equal(passed, features)
    (gradient,) = torch.autograd.grad(passed.sum(), [features])
    assert (gradient[:, [0, 2]] == 2.0).all()
    assert (gradient[:, 1] == 0.0).all()


def test_a_switch_for_each_sample() -> None:
    features = torch.randn(2, 3, 4, requires_grad=True)
    open_frames = torch.tensor([[True, False], [False, False], [True, True]])  # T B
    (gradient,) = torch.autograd.grad(switch(features, open_frames).sum(), [features])
    assert torch.equal(gradient.any(-1), open_frames.t())


def test_a_stopped_path_stays_stopped_at_infinity() -> None:
    features = torch.zeros(1, 2, 1, requires_grad=True)
    (gradient,) = torch.autograd.grad(switch(features, torch.tensor([False, True])).sqrt().sum(), [features])
    assert gradient.flatten().tolist() == [0.0, float("inf")]


def test_it_works_on_someone_elses_network() -> None:
    """What lies below the switch learns nothing through it, what lies above learns as before."""
    below, above = nn.Linear(4, 4), nn.Linear(4, 1)
    frames = torch.randn(2, 3, 4)
    above(switch(below(frames), torch.zeros(3, dtype=torch.bool))).sum().backward()
    assert below.weight.grad is not None
    assert not below.weight.grad.any()
    assert above.weight.grad is not None
    assert above.weight.grad.any()


def test_gradients_by_finite_differences() -> None:
    features = torch.randn(1, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: switch(x, torch.ones(2, dtype=torch.bool)) ** 2, [features])


def test_wrong_shape_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"expected open of shape \(3,\) or \(3, 2\)"):
        _ = switch(torch.zeros(2, 3, 4), torch.ones(2, dtype=torch.bool))
