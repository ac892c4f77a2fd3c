"""The random weights that networks begin with."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from semicoupled.networks.beginning import begin_he


def test_weights_are_he_s_over_what_leaves_a_convolution_and_biases_are_zero() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 64, 3), nn.Conv2d(64, 32, 3, bias=False))
    begin_he(network)
    for convolution, fan_out in zip(network, (64 * 9, 32 * 9), strict=True):
        assert isinstance(convolution, nn.Conv2d)
        assert float(convolution.weight.std()) == pytest.approx((2 / fan_out) ** 0.5, rel=0.05)
    assert isinstance(network[0], nn.Conv2d)
    assert network[0].bias is not None
    assert not network[0].bias.any()


def test_nothing_but_convolutions_is_drawn() -> None:
    linear = nn.Linear(4, 4)
    before = linear.weight.clone()
    begin_he(nn.Sequential(linear))
    assert torch.equal(linear.weight, before)
