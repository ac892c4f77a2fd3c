"""A stream may last for days: memory stays flat, and a state holds one frame's worth of it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from semicoupled.networks.cnn_lstm import CNNLSTM
from semicoupled.nn import CBMStack, SemiCoupledStack, StackState, convgru, convlstm, detach, fold_norms, pack

WIDTHS = [4, 8, 8]
SIZE = (12, 10)


def tensors(state: StackState) -> Iterator[Tensor]:
    for layers in state:
        for cell in layers or ():
            yield from cell


def held(state: StackState) -> int:
    """Bytes that a state keeps alive."""
    return sum({t.data_ptr(): t.untyped_storage().nbytes() for t in tensors(state)}.values())


def needed(state: StackState) -> int:
    """Bytes of its entries."""
    return sum({t.data_ptr(): t.numel() * t.element_size() for t in tensors(state)}.values())


def alive() -> tuple[int, int]:
    """Number of living tensors, and the bytes of their storages."""
    _ = gc.collect()
    living = [thing for thing in gc.get_objects() if type(thing) is Tensor and not thing.is_mkldnn]
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in living}
    return len(living), sum(storages.values())


def networks() -> list[Any]:
    """Everything that steps, by name."""
    built = {
        "rnn": lambda: SemiCoupledStack(3, WIDTHS),
        "joint": lambda: SemiCoupledStack(3, WIDTHS, norm="joint"),
        "lstm": lambda: SemiCoupledStack(3, WIDTHS, cell="lstm"),
        "gru": lambda: SemiCoupledStack(3, WIDTHS, cell="gru"),
        "linear": lambda: SemiCoupledStack(3, WIDTHS, cell="linear"),
        "cbm": lambda: CBMStack(3, WIDTHS),
        "convlstm": lambda: convlstm(3, WIDTHS),
        "convgru": lambda: convgru(3, WIDTHS),
        "cnn_lstm": lambda: CNNLSTM(3, WIDTHS),
        "folded": lambda: fold_norms(SemiCoupledStack(3, WIDTHS).eval()),
    }
    return [pytest.param(build, id=name) for name, build in built.items()]


@pytest.mark.parametrize("build", networks())
def test_a_state_does_not_hold_the_segment(build: Any) -> None:
    network, clip = build().eval(), torch.randn(2, 9, 3, *SIZE)
    with torch.no_grad():
        out = network(clip, state_at=4)
        _, stepped = network.step(clip[:, 0])
    for state in (out.state, out.state_at, stepped):
        assert held(state) == needed(state)


def test_nor_do_the_states_of_two_streams() -> None:
    with torch.no_grad():
        out = SemiCoupledStack(3, WIDTHS)(torch.randn(2, 9, 3, *SIZE), streams=("main", "temporal"), state_at=4)
    assert held(out.state) == needed(out.state)
    assert held(out.state_at) == needed(out.state_at)


def test_nor_does_one_that_gradients_flow_through() -> None:
    """Else the states would keep the gates of all frames alive, which a checkpointed layer has let go."""
    out = SemiCoupledStack(3, WIDTHS, checkpointing=True)(torch.randn(2, 9, 3, *SIZE), state_at=4)
    for state in (out.state, out.state_at):
        assert held(state) == needed(state)
        assert all(tensor.requires_grad for tensor in tensors(state))


@pytest.mark.parametrize("build", networks())
def test_a_detached_state_does_not_hold_the_segment(build: Any) -> None:
    """What training hands from segment to segment."""
    state = detach(build()(torch.randn(2, 9, 3, *SIZE)).state)
    assert held(state) == needed(state)
    assert not any(tensor.requires_grad for tensor in tensors(state))


@pytest.mark.parametrize("build", networks())
def test_no_graph_without_grad(build: Any) -> None:
    network, state = build().eval(), None
    with torch.no_grad():
        for _ in range(3):
            features, state = network.step(torch.randn(1, 3, *SIZE), state)
    assert features.grad_fn is None
    assert all(tensor.grad_fn is None and not tensor.requires_grad for tensor in tensors(state))


def test_a_packed_stack_never_keeps_a_graph() -> None:
    packed = pack(SemiCoupledStack(3, WIDTHS).eval(), SIZE)
    features, state = packed.step(torch.randn(1, 3, *SIZE, requires_grad=True))
    assert features.grad_fn is None
    assert all(tensor.grad_fn is None for tensor in tensors(state))
    assert held(state) == needed(state)


def check_flat(stepping: Any, frames: int) -> None:
    """Neither more tensors nor more bytes after many frames than after a few; the answers stay finite."""
    state, before = None, (0, 0)
    frame = torch.randn(1, 3, *SIZE)
    with torch.no_grad():
        for t in range(frames):
            features, state = stepping.step(frame, state)
            if t == 10:
                before = alive()
    assert alive() == before
    assert held(state) == needed(state)
    assert torch.isfinite(features).all()


@pytest.mark.parametrize("build", networks())
def test_memory_is_flat(build: Any) -> None:
    check_flat(build().eval(), 300)


def test_memory_of_a_packed_stack_is_flat() -> None:
    check_flat(pack(SemiCoupledStack(3, WIDTHS).eval(), SIZE), 300)


@pytest.mark.slow
@pytest.mark.parametrize("build", networks())
def test_memory_is_flat_over_ten_thousand_frames(build: Any) -> None:
    check_flat(build().eval(), 10_000)


@pytest.mark.slow
def test_memory_of_a_packed_stack_is_flat_over_ten_thousand_frames() -> None:
    check_flat(pack(SemiCoupledStack(3, WIDTHS).eval(), SIZE), 10_000)
