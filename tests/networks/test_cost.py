"""Multiply-accumulates: by hand, and as torch counts them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from semicoupled.bench.arithmetic import flops
from semicoupled.errors import ShapeError
from semicoupled.networks.cnn_lstm import CNNLSTM
from semicoupled.networks.cost import macs
from semicoupled.networks.predrnn import PredRNN
from semicoupled.networks.streaming import s, xs
from semicoupled.networks.table1 import table1
from semicoupled.nn import CBMStack, SemiCoupledStack, convgru, convlstm, linear


def test_by_hand() -> None:
    """Two layers and a projection at 8x6, 2 then 4 channels, the second with stride 2; then a head."""
    stack = SemiCoupledStack(3, [2, 4, 4], kernel_size=[5, 3, 3], temporal_kernel_size=3, strides=[1, 2, 1])
    first = 8 * 6 * (3 * 2 * 25 + 3 * 2 * 9 + 2 * 2 * 9)
    second = 4 * 3 * (2 * 4 * 9 + 2 * 4 * 9 + 4 * 4 * 9)
    third = 4 * 3 * 3 * (4 * 4 * 9)
    projection = 4 * 3 * 2 * 4
    assert macs(stack, (8, 6)) == first + second + third + projection


def test_by_hand_with_a_pool_and_gates() -> None:
    """9x9 halved to 5x5, pooled to 3x3; so many of Conv_u and of Conv_c has each cell."""
    options: dict[str, Any] = {"strides": [2, 1], "pool_first": True, "shortcut_every": None}
    layers = (25, 3, 2), (9, 2, 4)
    for cell, drives, recurrent in (("rnn", 1, 1), ("lstm", 4, 4), ("gru", 3, 3), ("linear", 2, 0)):
        expected = sum(size * 9 * (a * b + drives * a * b + recurrent * b * b) for size, a, b in layers)
        assert macs(SemiCoupledStack(3, [2, 4], cell=cell, **options), (9, 9)) == expected


NETWORKS: list[tuple[Any, tuple[int, ...]]] = [
    (lambda: xs(10), (112, 112)),
    (lambda: xs(10), (100, 75)),
    (lambda: s(10), (112, 112)),
    (lambda: table1(), (64, 64)),
    (lambda: SemiCoupledStack(3, [4, 6, 8], operator=linear), ()),
    (lambda: SemiCoupledStack(3, [4, 6, 8], norm="joint", shortcut_every=1), (9, 7)),
    (lambda: CBMStack(3, [4, 6, 8], strides=[1, 2, 1]), (9, 7)),
    (lambda: convlstm(3, [4, 6, 8], strides=[1, 2, 1], norm="batch", shortcut_every=2), (9, 7)),
    (lambda: convgru(3, [4, 6, 8], strides=[1, 2, 1]), (9, 7)),
    (lambda: PredRNN(3, [4, 4, 4], strides=[2, 1, 1], norm="group", shortcut_every=2), (9, 7)),
]


@pytest.mark.parametrize(("build", "size"), NETWORKS)
def test_as_torch_counts(build: Any, size: tuple[int, ...]) -> None:
    """torch counts two operations for each multiply-accumulate."""
    network = build().eval()
    with torch.no_grad():
        assert 2 * macs(network, size) == flops(lambda: network.step(torch.zeros(1, 3, *size)))


def test_cnn_lstm() -> None:
    """torch does not count its own LSTM."""
    network = CNNLSTM(3, [4, 6, 8], strides=[1, 2, 1], hidden=5, grid=2)
    memory = 4 * 5 * (4 * 8 + 5)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        rows = torch.zeros(1, 3, 9, 7)
        for index, convolution in enumerate(network.convolutions):
            before = rows if index == 1 else None
            rows = convolution(rows)
            if before is not None:
                _ = network.shortcuts.starting(1).projection(before)
    assert macs(network, (9, 7)) == counter.get_total_flops() // 2 + memory


def test_the_budgets_of_the_streaming_networks() -> None:
    assert round(macs(xs(400), (112, 112)) / 1e9, 2) == 0.09
    assert round(macs(s(400), (112, 112)) / 1e9, 2) == 0.35


def own_operator(in_channels: int, out_channels: int, *, kernel_size: int, stride: int, bias: bool) -> nn.Module:
    return nn.Bilinear(in_channels, in_channels, out_channels)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nn.Linear(3, 3), "got Linear. Count its parts"),
        (SemiCoupledStack(3, [4], operator=own_operator), "got Bilinear"),
    ],
)
def test_refuses(network: nn.Module, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        _ = macs(network, (9, 9))
