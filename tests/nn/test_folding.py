"""Folded norms: the same network without them, to the last digits of float64."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from semicoupled.errors import ShapeError
from semicoupled.networks.cnn_lstm import CNNLSTM
from semicoupled.nn import CBMStack, SemiCoupledStack, conv2d, convgru, convlstm, fold_norms, linear
from semicoupled.nn.norm import StreamNorm

TOLERANCE = {"rtol": 1e-12, "atol": 1e-12}
WIDTHS = [4, 4, 6, 6, 8]


def trained(network: nn.Module) -> nn.Module:
    """A network whose norms are anything but the identity, in float64 and eval()."""
    network = network.double().eval()
    for name, tensor in itertools.chain(network.named_parameters(), network.named_buffers()):
        with torch.no_grad():
            if "running_variance" in name:
                _ = tensor.uniform_(0.5, 2.0)
            elif "norm" in name or name.endswith("bias"):
                _ = tensor.add_(torch.randn_like(tensor) * 0.3)
    return network


def clip(size: tuple[int, ...] = (11, 7)) -> Tensor:
    return torch.randn(2, 5, 3, *size, dtype=torch.float64)


def check_equal(network: Any, folded: Any, frames: Tensor, stream: str = "main") -> None:
    """Outputs and state of a clip, and of the same frames one by one."""
    kept = copy.deepcopy(network.state_dict())
    expected = network(frames, streams=(stream,))
    got = folded(frames, streams=(stream,))
    torch.testing.assert_close(getattr(got, stream), getattr(expected, stream), **TOLERANCE)
    torch.testing.assert_close(got.state, expected.state, **TOLERANCE)
    if stream == "main":
        state = None
        for t in range(frames.shape[1]):
            features, state = folded.step(frames[:, t], state)
            torch.testing.assert_close(features, expected.main[:, t], **TOLERANCE)
        torch.testing.assert_close(state, expected.state, **TOLERANCE)
    assert all(norm.kind == "none" for norm in folded.modules() if isinstance(norm, StreamNorm))
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, kept[name])
    assert any(norm.kind != "none" for norm in network.modules() if isinstance(norm, StreamNorm))


OPTIONS: list[dict[str, Any]] = [
    {},
    {"cell": "lstm"},
    {"cell": "gru"},
    {"cell": "linear"},
    {"norm": "joint"},
    {"norm": "joint", "strides": [2, 1, 1, 2, 1], "temporal_kernel_size": 1},
    {"strides": [2, 1, 1, 2, 1]},
    {"shortcut_every": None},
    {"shortcut_every": 3, "strides": [1, 2, 1, 1, 1]},
    {"pool_first": True, "kernel_size": [7, 3, 3, 3, 3], "temporal_kernel_size": 3},
    {"kernel_size": 3, "temporal_kernel_size": [3, 1, 5, 3, 1], "cell": "gru"},
    {"separate_statistics": False},
    {"activation": "tanh", "initial_gate": 0.0},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_folded_stack_is_the_same(options: dict[str, Any]) -> None:
    stack = trained(SemiCoupledStack(3, WIDTHS, **options))
    check_equal(stack, fold_norms(stack), clip())


@pytest.mark.parametrize("stream", ["main", "spatial", "temporal"])
@pytest.mark.parametrize("norm", ["batch", "joint"])
def test_every_stream_has_its_own_statistics(stream: Any, norm: Any) -> None:
    stack = trained(SemiCoupledStack(3, WIDTHS, norm=norm))
    check_equal(stack, fold_norms(stack, stream), clip(), stream)


@pytest.mark.parametrize("norm", ["batch", "joint"])
def test_fully_connected(norm: Any) -> None:
    stack = trained(SemiCoupledStack(3, WIDTHS, operator=linear, norm=norm))
    check_equal(stack, fold_norms(stack), clip(()))


RIVALS: list[Any] = [
    lambda: CBMStack(3, WIDTHS, strides=[1, 2, 1, 1, 1]),
    lambda: convlstm(3, WIDTHS, strides=[1, 2, 1, 1, 1], norm="batch", shortcut_every=2),
    lambda: convgru(3, WIDTHS, norm="batch", shortcut_every=2),
    lambda: CNNLSTM(3, WIDTHS, strides=[1, 2, 1, 1, 1]),
]


@pytest.mark.parametrize("build", RIVALS)
def test_rivals(build: Any) -> None:
    network = trained(build())
    check_equal(network, fold_norms(network), clip())


def test_within_a_larger_module() -> None:
    stack = trained(SemiCoupledStack(3, WIDTHS))
    both = nn.ModuleDict({"stack": stack, "head": nn.Linear(8, 2)}).eval()
    check_equal(stack, fold_norms(both)["stack"], clip())


def test_its_weights_fit_a_network_without_norms() -> None:
    stack = trained(SemiCoupledStack(3, WIDTHS))
    plain = SemiCoupledStack(3, WIDTHS, norm="none").double().eval()
    plain.load_state_dict(fold_norms(stack).state_dict())
    check_equal(stack, plain, clip())


def test_the_weights_stay_channels_last() -> None:
    folded = fold_norms(trained(SemiCoupledStack(3, WIDTHS)))
    weights = [p for p in folded.parameters() if p.dim() == 4]
    assert weights
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)
    assert all(weight.requires_grad for weight in folded.parameters())


def test_folding_twice_is_folding_once() -> None:
    once = fold_norms(trained(SemiCoupledStack(3, WIDTHS)))
    twice = fold_norms(once)
    assert all(torch.equal(one, other) for one, other in zip(once.parameters(), twice.parameters(), strict=True))
    with pytest.raises(ShapeError, match="got the spatial stream"):
        _ = twice(clip(), streams=("spatial",))


def test_another_stream_is_refused_unless_statistics_are_shared() -> None:
    apart = fold_norms(trained(SemiCoupledStack(3, WIDTHS)))
    with pytest.raises(ShapeError, match=r"the main stream were folded .* got the temporal stream"):
        _ = apart(clip(), streams=("main", "temporal"))
    whole = trained(SemiCoupledStack(3, WIDTHS, separate_statistics=False))
    for stream in ("main", "spatial", "temporal"):
        check_equal(whole, fold_norms(whole, "spatial"), clip(), stream)


def own_operator(in_channels: int, out_channels: int, *, kernel_size: int, stride: int, bias: bool) -> nn.Module:
    return nn.Sequential(conv2d(in_channels, out_channels, kernel_size=kernel_size, stride=stride, bias=bias))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: SemiCoupledStack(3, WIDTHS), "expected a network in eval"),
        (lambda: SemiCoupledStack(3, WIDTHS, norm="group").eval(), "statistics from each frame"),
        (lambda: convgru(3, WIDTHS, norm="group").eval(), "statistics from each frame"),
        (lambda: SemiCoupledStack(3, WIDTHS, operator=own_operator).eval(), "got Sequential"),
    ],
)
def test_refuses(network: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        _ = fold_norms(network())


def test_refuses_an_unknown_stream() -> None:
    with pytest.raises(ShapeError, match="expected one or more of main, spatial, temporal"):
        _ = fold_norms(SemiCoupledStack(3, [4]).eval(), "both")  # pyright: ignore[reportArgumentType]
