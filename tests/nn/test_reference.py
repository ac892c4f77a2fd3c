"""The fast path against the equations written as loops: outputs, state and every gradient, in float64."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from semicoupled.nn import FixedSwitching, SemiCoupledStack, StackState, conv2d, linear, reference

TOLERANCE = {"rtol": 1e-9, "atol": 1e-11}
STREAMS = ("main", "spatial", "temporal")


def make(
    frames: int, *, seed: int = 0, size: tuple[int, ...] = (7, 5), **options: Any
) -> tuple[SemiCoupledStack, Tensor]:
    """A small stack with random weights, norms and running statistics, and a clip that goes with it."""
    _ = torch.manual_seed(seed)
    stack = SemiCoupledStack(3, [4, 4, 6, 6, 6], **options).double()
    for name, tensor in itertools.chain(stack.named_parameters(), stack.named_buffers()):
        with torch.no_grad():
            if "running_variance" in name:
                _ = tensor.uniform_(0.5, 2.0)
            elif (tensor.dim() <= 2 and "norm" in name) or name.endswith("bias"):
                _ = tensor.add_(torch.randn_like(tensor) * 0.3)
    return stack, torch.randn(2, frames, 3, *size, dtype=torch.float64)


def gradients(stack: SemiCoupledStack, frames: Tensor, loss: Tensor) -> dict[str, Tensor | None]:
    """Gradients of a loss in every parameter and in the frames."""
    named = dict(stack.named_parameters()) | {"frames": frames}
    found = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return dict(zip(named, found, strict=True))


def weighted(features: dict[str, Tensor]) -> Tensor:
    """A loss in which every entry of every stream counts differently."""
    generator = torch.Generator().manual_seed(1)
    weights = {name: torch.randn(u.shape, generator=generator, dtype=u.dtype) for name, u in sorted(features.items())}
    return torch.stack([(weights[name] * u).sum() for name, u in features.items()]).sum()


def check_equal(
    stack: SemiCoupledStack, frames: Tensor, streams: tuple[str, ...] = STREAMS, switch: Any = None
) -> None:
    """Outputs, state and all gradients equal."""
    frames = frames.requires_grad_()
    fast_stack, slow_stack = copy.deepcopy(stack), copy.deepcopy(stack)
    fast = fast_stack(frames, streams=streams, switch=switch)
    passing = None
    if switch is not None:

        def passing(branch: str, layer: int, frame: int) -> float:
            pattern = switch.pattern(branch, layer, frames.shape[1], frames.shape[0])
            return 1.0 if pattern is None else float(pattern.open[frame]) * pattern.scale

    slow = reference.run(slow_stack, frames, streams=streams, passing=passing)
    features = {name: getattr(fast, name) for name in streams}
    assert {name for name in STREAMS if getattr(fast, name) is not None} == set(streams)
    for name in streams:
        torch.testing.assert_close(features[name], slow.features[name], **TOLERANCE)
    check_state(fast.state, slow.memory)
    expected = gradients(slow_stack, frames, weighted(slow.features))
    for name, gradient in gradients(fast_stack, frames, weighted(features)).items():
        if expected[name] is None:
            assert gradient is None or not gradient.any(), name
        else:
            assert gradient is not None, name
            torch.testing.assert_close(
                gradient, expected[name], **TOLERANCE, msg=lambda text, name=name: f"{name}: {text}"
            )


def check_state(state: StackState, memory: dict[str, list[dict[str, Tensor]]]) -> None:
    """The explicit state holds what the reference remembers."""
    for stream in {"main", "temporal"} & set(memory):
        layers = getattr(state, stream)
        assert len(layers) == len(memory[stream])
        for cell, remembered in zip(layers, memory[stream], strict=True):
            assert set(cell._fields) == set(remembered)
            for field in cell._fields:
                torch.testing.assert_close(getattr(cell, field), remembered[field], **TOLERANCE)


OPTIONS: list[dict[str, Any]] = [
    {"norm": "none"},
    {"norm": "group"},
    {"norm": "joint"},
    {"norm": "none", "activation": "tanh"},
    {"norm": "none", "initial_gate": 0.0},
    {"norm": "none", "shortcut_every": None},
    {"norm": "group", "shortcut_every": 3},
    {"norm": "none", "cell": "lstm"},
    {"norm": "group", "cell": "gru"},
    {"norm": "none", "cell": "gru", "initial_gate": 0.0},
    {"norm": "none", "cell": "linear"},
    {"norm": "group", "cell": "linear", "strides": [2, 1, 1, 2, 1]},
    {"norm": "none", "strides": [2, 1, 1, 2, 1]},
    {"norm": "joint", "strides": [1, 1, 2, 1, 1], "separate_statistics": False},
    {"norm": "none", "kernel_size": [5, 3, 1, 3, 3], "temporal_kernel_size": 3},
    {"norm": "group", "pool_first": True},
    {"norm": "group", "checkpointing": True},
]


@pytest.mark.parametrize("frames", [1, 2, 7])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_training_equals_the_reference(options: dict[str, Any], frames: int) -> None:
    stack, clip = make(frames, **options)
    check_equal(stack.train(), clip)


@pytest.mark.parametrize("frames", [1, 2, 7])
@pytest.mark.parametrize("norm", ["batch", "joint"])
@pytest.mark.parametrize("separate", [True, False])
def test_eval_mode_norm_equals_the_reference(norm: str, separate: bool, frames: int) -> None:
    stack, clip = make(frames, norm=norm, separate_statistics=separate, strides=[1, 1, 2, 1, 1])
    check_equal(stack.eval(), clip)


@pytest.mark.parametrize("cell", ["lstm", "gru", "linear"])
def test_eval_mode_batch_norm_with_gated_cells(cell: str) -> None:
    stack, clip = make(2, norm="batch", cell=cell)
    check_equal(stack.eval(), clip)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (8, 8)])
def test_any_size(size: tuple[int, int]) -> None:
    stack, clip = make(2, size=size, norm="none", strides=[1, 2, 1, 2, 1])
    check_equal(stack, clip)


@pytest.mark.parametrize("frames", [1, 2, 7])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "linear"])
def test_fully_connected(cell: str, frames: int) -> None:
    stack, clip = make(frames, size=(), operator=linear, norm="none", cell=cell)
    check_equal(stack, clip)


def test_fully_connected_joint_norm() -> None:
    stack, clip = make(2, size=(), operator=linear, norm="joint")
    check_equal(stack, clip)


@pytest.mark.parametrize("operator", ["depthwise"])
def test_an_operator_of_the_callers(operator: str) -> None:
    def depthwise(in_channels: int, out_channels: int, *, kernel_size: int, stride: int, bias: bool) -> torch.nn.Module:
        return torch.nn.Sequential(
            conv2d(in_channels, in_channels, kernel_size=kernel_size, stride=stride, bias=False),
            conv2d(in_channels, out_channels, kernel_size=1, stride=1, bias=bias),
        )

    stack, clip = make(2, operator=depthwise, norm="none")
    check_equal(stack, clip)


@pytest.mark.parametrize(
    "streams", [("main",), ("spatial",), ("temporal",), ("main", "temporal"), ("spatial", "temporal")]
)
def test_streams_alone_and_together(streams: tuple[str, ...]) -> None:
    stack, clip = make(2, norm="joint")
    check_equal(stack, clip, streams)


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("operator", [conv2d, linear])
def test_switched_gradients_equal_the_reference(operator: Any, scale: float) -> None:
    stack, clip = make(7, norm="none", operator=operator, size=(7, 5) if operator is conv2d else ())
    generator = torch.Generator().manual_seed(3)
    patterns = {
        (branch, layer): torch.rand(7, generator=generator) < 0.5
        for branch in ("spatial", "temporal")
        for layer in range(1, stack.depth)
    }
    patterns[("spatial", 2)] = torch.zeros(7, dtype=torch.bool)
    patterns[("temporal", 3)] = torch.ones(7, dtype=torch.bool)
    check_equal(stack, clip, switch=FixedSwitching(patterns, scale))  # pyright: ignore[reportArgumentType]


def test_state_carries_over_with_gradients() -> None:
    """Two halves with the state handed over equal the whole, in values and in gradients."""
    stack, clip = make(7, norm="none")
    whole = stack(clip, streams=STREAMS, state_at=3)
    first = stack(clip[:, :3], streams=STREAMS)
    second = stack(clip[:, 3:], first.state, streams=STREAMS)
    for stream in STREAMS:
        joined = torch.cat([getattr(first, stream), getattr(second, stream)], dim=1)
        torch.testing.assert_close(joined, getattr(whole, stream), **TOLERANCE)
    for stream in ("main", "temporal"):
        for cell, expected in zip(getattr(whole.state_at, stream), getattr(first.state, stream), strict=True):
            torch.testing.assert_close(cell, expected, **TOLERANCE)
    parameters = list(stack.recurrent_parameters())
    of_whole = torch.autograd.grad(whole.main[:, 3:].square().sum(), parameters)
    of_halves = torch.autograd.grad(second.main.square().sum(), parameters)
    for one, other in zip(of_whole, of_halves, strict=True):
        torch.testing.assert_close(one, other, **TOLERANCE)


def test_reference_refuses_batch_norm_in_training() -> None:
    stack, clip = make(2, norm="batch")
    with pytest.raises(ValueError, match="statistics over all frames"):
        _ = reference.run(stack.train(), clip)
