"""A packed stack is the stack, frame by frame, whichever form its convolutions take."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.nn import SemiCoupledStack, linear, pack, packed_convolution

WIDTHS = [4, 8, 8, 16, 16]


def trained(**options: Any) -> SemiCoupledStack:
    stack = SemiCoupledStack(3, WIDTHS, **options).eval()
    for name, tensor in itertools.chain(stack.named_parameters(), stack.named_buffers()):
        with torch.no_grad():
            if "running_variance" in name:
                _ = tensor.uniform_(0.5, 2.0)
            elif "norm" in name or name.endswith("bias"):
                _ = tensor.add_(torch.randn_like(tensor) * 0.3)
    return stack


OPTIONS: list[dict[str, Any]] = [
    {},
    {"strides": [2, 1, 1, 2, 1], "pool_first": True, "kernel_size": [7, 3, 3, 3, 3], "temporal_kernel_size": 3},
    {"norm": "joint", "strides": [1, 1, 2, 1, 1], "temporal_kernel_size": 1},
    {"norm": "none", "activation": "tanh", "initial_gate": 0.0},
    {"shortcut_every": None},
    {"shortcut_every": 1, "strides": [1, 2, 1, 1, 1]},
    {"shortcut_every": 3},
]


@pytest.mark.parametrize("portable", [True, False])
@pytest.mark.parametrize("size", [(19, 14), (1, 1)])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_is_the_same_network(
    options: dict[str, Any], size: tuple[int, int], portable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if portable:
        monkeypatch.setattr(packed_convolution, "has_onednn", lambda dtype: False)
    stack = trained(**options)
    clip = torch.randn(2, 6, 3, *size)
    expected = stack(clip)
    packed, state = pack(stack, size), None
    for t in range(6):
        features, state = packed.step(clip[:, t], state)
        torch.testing.assert_close(features, expected.main[:, t], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(state, expected.state, rtol=1e-5, atol=1e-5)


def test_to_the_last_digits_in_float64() -> None:
    stack = trained(strides=[2, 1, 1, 2, 1]).double()
    clip = torch.randn(2, 4, 3, 9, 9, dtype=torch.float64)
    packed, state = pack(stack, (9, 9), dtype=torch.float64), None
    for t, expected in enumerate(stack(clip).main.unbind(1)):
        features, state = packed.step(clip[:, t], state)
        torch.testing.assert_close(features, expected, rtol=1e-12, atol=1e-12)


def test_bfloat16_stays_near() -> None:
    stack = trained(strides=[2, 1, 1, 2, 1])
    clip = torch.randn(1, 8, 3, 16, 16)
    packed, state = pack(stack, (16, 16), dtype=torch.bfloat16), None
    for t, expected in enumerate(stack(clip).main.unbind(1)):
        features, state = packed.step(clip[:, t], state)
        assert features.dtype == torch.bfloat16
        assert (features.float() - expected).abs().mean() < 0.03 * expected.abs().mean()


def test_states_go_back_and_forth() -> None:
    """Three frames here, three there, three here: one clip."""
    stack = trained(pool_first=True)
    clip = torch.randn(1, 9, 3, 12, 12)
    packed, state = pack(stack, (12, 12)), None
    for t, expected in enumerate(stack(clip).main.unbind(1)):
        features, state = (stack if t in (3, 4, 5) else packed).step(clip[:, t], state)
        torch.testing.assert_close(features, expected, rtol=1e-5, atol=1e-5)


def test_a_state_can_be_used_again() -> None:
    """Neither the frame nor the state that came in is written to."""
    packed = pack(trained(), (8, 8))
    frame = torch.randn(1, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    _, state = packed.step(frame)
    kept, kept_frame = [cell.gate.clone() for cell in state.main], frame.clone()
    first, second = packed.step(frame, state), packed.step(frame, state)
    assert torch.equal(frame, kept_frame)
    assert all(torch.equal(cell.gate, gate) for cell, gate in zip(state.main, kept, strict=True))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_the_weights_are_copies() -> None:
    stack = trained(norm="none")
    packed, frame = pack(stack, (8, 8)), torch.randn(1, 3, 8, 8)
    before, _ = packed.step(frame)
    with torch.no_grad():
        for parameter in stack.parameters():
            _ = parameter.zero_()
    torch.testing.assert_close(packed.step(frame)[0], before, rtol=0, atol=0)


def test_initial_state_equals_none() -> None:
    packed = pack(trained(initial_gate=0.25), (8, 8))
    frame = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(packed.step(frame, packed.initial_state(2)), packed.step(frame), rtol=0, atol=0)
    assert float(packed.initial_state(2).main[0].gate.mean()) == 0.25


def round_about(in_channels: int, out_channels: int, *, kernel_size: int, stride: int, bias: bool) -> nn.Module:
    """A convolution on a torus."""
    half = kernel_size // 2
    return nn.Conv2d(in_channels, out_channels, kernel_size, stride, half, bias=bias, padding_mode="circular")


LSTM = lambda: SemiCoupledStack(3, WIDTHS, cell="lstm")  # noqa: E731
PACKED = lambda: pack(SemiCoupledStack(3, WIDTHS).eval(), (8, 8))  # noqa: E731


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pack(SemiCoupledStack(3, WIDTHS), (8, 8)), "expected a network in eval"),
        (lambda: pack(SemiCoupledStack(3, WIDTHS, norm="group").eval(), (8, 8)), "statistics from each frame"),
        (lambda: pack(SemiCoupledStack(3, WIDTHS, cell="gru").eval(), (8, 8)), "got GRUCell"),
        (lambda: pack(SemiCoupledStack(3, WIDTHS, operator=linear).eval(), (8, 8)), "got Linear"),
        (lambda: pack(SemiCoupledStack(3, WIDTHS, operator=round_about).eval(), (8, 8)), "with zeros, got circular"),
        (lambda: pack(SemiCoupledStack(3, WIDTHS).eval().to("meta"), (8, 8)), "on the CPU"),
        (lambda: PACKED().step(torch.zeros(1, 3, 9, 8)), r"= \(3, 8, 8\) on the CPU, got \(1, 3, 9, 8\)"),
        (lambda: PACKED().step(torch.zeros(1, 3, 8, 8), PACKED().initial_state(2)), "belongs to one batch"),
        (lambda: PACKED().step(torch.zeros(1, 3, 8, 8), LSTM().initial_state(1, (8, 8))), r"4 more layers, got \[\]"),
    ],
)
def test_refuses(call: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        _ = call()
