from __future__ import annotations

import pytest
import torch
from torch import nn

from semicoupled.training.averaging import WeightAverage


def filled(value: float) -> nn.Module:
    model = nn.BatchNorm1d(2)
    with torch.no_grad():
        model.weight.fill_(value)
    return model


def test_the_beginning_is_forgotten_and_the_decay_is_reached() -> None:
    model = filled(1.0)
    average = WeightAverage(model, 0.9)
    with torch.no_grad():
        model.weight.fill_(0.0)
    average.update(model)  # decay 1 / 10
    with average.applied(model):
        torch.testing.assert_close(model.weight, torch.full((2,), 0.1))
    for _ in range(200):
        average.update(model)
    with torch.no_grad():
        model.weight.fill_(1.0)
    average.update(model)
    with average.applied(model):
        torch.testing.assert_close(model.weight, torch.full((2,), 0.1), atol=1e-3, rtol=0)


def test_the_model_gets_its_weights_back_also_after_a_failure() -> None:
    model = filled(3.0)
    average = WeightAverage(model, 0.9)
    with torch.no_grad():
        model.weight.fill_(5.0)

    def fail() -> None:
        with average.applied(model):
            torch.testing.assert_close(model.weight, torch.full((2,), 3.0))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    torch.testing.assert_close(model.weight, torch.full((2,), 5.0))


def test_its_state_comes_back() -> None:
    model = filled(3.0)
    average, other = WeightAverage(model, 0.9), WeightAverage(filled(0.0), 0.9)
    average.update(model)
    other.load_state_dict(average.state_dict())
    with other.applied(model):
        torch.testing.assert_close(model.weight, torch.full((2,), 3.0))
    assert other.state_dict()["updates"] == 1
