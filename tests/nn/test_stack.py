"""The stack's promises beyond the equations."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semicoupled.errors import ShapeError
from semicoupled.nn import CBMStack, FixedSwitching, SemiCoupledStack, convgru, convlstm, detach, linear

STREAMS = ("main", "spatial", "temporal")


@pytest.mark.parametrize("norm", ["batch", "joint", "group", "none"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "linear"])
def test_clip_equals_frame_by_frame(norm: Any, cell: Any) -> None:
    if norm == "joint" and cell != "rnn":
        with pytest.raises(ShapeError, match="needs cell='rnn'"):
            _ = SemiCoupledStack(3, [8], norm=norm, cell=cell)
        return
    _ = torch.manual_seed(0)
    stack = SemiCoupledStack(3, [8, 8, 8], norm=norm, cell=cell)
    clip = torch.randn(2, 9, 3, 11, 6)
    if norm in ("batch", "joint"):
        _ = stack.train()(clip, streams=STREAMS)  # running statistics that are not the initial ones
    _ = stack.eval()
    whole, state = stack(clip), None
    for t in range(clip.shape[1]):
        features, state = stack.step(clip[:, t], state)
        torch.testing.assert_close(features, whole.main[:, t], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(state, whole.state, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("build", [convlstm, convgru, CBMStack])
def test_rivals_clip_equals_frame_by_frame(build: Any) -> None:
    _ = torch.manual_seed(0)
    stack = build(3, [8, 8, 16], strides=[1, 2, 1], norm="group", shortcut_every=2).double()
    clip = torch.randn(2, 5, 3, 9, 7, dtype=torch.float64)
    whole, state = stack(clip, state_at=2), stack.initial_state(2, (9, 7))
    for t in range(5):
        features, state = stack.step(clip[:, t], state)
        torch.testing.assert_close(features, whole.main[:, t])
    torch.testing.assert_close(state, whole.state)
    torch.testing.assert_close(stack(clip[:, 2:], whole.state_at).main, whole.main[:, 2:])
    assert stack.output_size((9, 7)) == tuple(whole.main.shape[3:])
    with pytest.raises(ShapeError, match="expected one or more of main"):
        _ = stack(clip, streams=("spatial",))


@pytest.mark.parametrize("t", [1, 4, 6])
@pytest.mark.parametrize(
    ("norm", "training"), [("batch", False), ("joint", False), ("joint", True), ("group", True), ("none", True)]
)
def test_no_frame_changes_the_past(norm: Any, training: bool, t: int) -> None:
    """Bit for bit: no statistics and no convolution reach back in time."""
    _ = torch.manual_seed(0)
    stack = SemiCoupledStack(2, [8, 8, 8], norm=norm).train(training)
    clip = torch.randn(2, 7, 2, 8, 8)
    other = clip.clone()
    other[:, t] += 1.0
    before, after = stack(clip, streams=STREAMS), stack(other, streams=STREAMS)
    for stream in STREAMS:
        assert torch.equal(getattr(before, stream)[:, :t], getattr(after, stream)[:, :t])
        assert not torch.equal(getattr(before, stream)[:, t:], getattr(after, stream)[:, t:])


@pytest.mark.parametrize("norm", ["batch", "joint", "group", "none"])
def test_goals_touch_their_own_parameters_alone(norm: Any) -> None:
    """d r_s / d Psi_t = 0 and d r_t / d Psi_s = 0 (Sec. 1), and both do move their own."""
    stack = SemiCoupledStack(3, [8, 8, 8, 8, 8], norm=norm)
    out = stack(torch.randn(2, 4, 3, 8, 8), streams=STREAMS)
    owners = {"spatial": stack.temporal_parameters(), "temporal": stack.spatial_parameters()}
    for stream, others in owners.items():
        found = torch.autograd.grad(
            getattr(out, stream).square().sum(), list(others), allow_unused=True, retain_graph=True
        )
        assert all(gradient is None or not gradient.any() for gradient in found)
    own = torch.autograd.grad(out.spatial.square().sum(), list(stack.spatial_parameters()), retain_graph=True)
    assert all(gradient.any() for gradient in own[:1])
    own = torch.autograd.grad(out.temporal.square().sum(), list(stack.recurrent_parameters()))
    assert all(gradient.any() for gradient in own)


def test_streams_keep_statistics_apart() -> None:
    clip = torch.randn(4, 3, 3, 8, 8)
    apart = SemiCoupledStack(3, [8, 8])
    shared = SemiCoupledStack(3, [8, 8], separate_statistics=False)
    for stack in (apart, shared):
        _ = stack(clip, streams=STREAMS)
    means = apart.layers[1].spatial_norm.running_mean
    assert means.shape == (2, 8)
    assert not torch.allclose(means[0], means[1])
    assert shared.layers[1].spatial_norm.running_mean.shape == (1, 8)
    only_main = SemiCoupledStack(3, [8, 8])
    only_main.load_state_dict(apart.state_dict())
    _ = only_main(clip)
    assert torch.equal(only_main.layers[1].spatial_norm.running_mean[1], means[1])


def test_checkpointing_moves_statistics_once_and_keeps_gradients() -> None:
    _ = torch.manual_seed(0)
    plain = SemiCoupledStack(3, [8, 8, 8])
    saving = SemiCoupledStack(3, [8, 8, 8], checkpointing=True)
    saving.load_state_dict(plain.state_dict())
    clip = torch.randn(2, 4, 3, 8, 8)
    for stack in (plain, saving):
        out = stack(clip, streams=STREAMS)
        (out.main.square().sum() + out.temporal.square().sum()).backward()
    for one, other in zip(plain.buffers(), saving.buffers(), strict=True):
        assert torch.equal(one, other)
    for one, other in zip(plain.parameters(), saving.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None)
        if one.grad is not None and other.grad is not None:
            torch.testing.assert_close(one.grad, other.grad)


def test_switches_are_inert_in_eval() -> None:
    stack = SemiCoupledStack(3, [8, 8, 8])
    closed = {
        (branch, layer): torch.zeros(2, dtype=torch.bool) for branch in ("spatial", "temporal") for layer in (1, 2)
    }
    clip = torch.randn(2, 2, 3, 8, 8)

    def reaches_first_layer() -> bool:
        out = stack(clip, switch=FixedSwitching(closed))  # pyright: ignore[reportArgumentType]
        (gradient,) = torch.autograd.grad(out.main.square().sum(), [stack.layers[0].spatial.weight])
        return bool(gradient.any())

    stack.shortcuts.by_start.clear()
    assert not reaches_first_layer()
    _ = stack.eval()
    assert reaches_first_layer()


def test_record_hands_out_the_maps() -> None:
    stack = SemiCoupledStack(3, [4, 6, 8], strides=[1, 2, 1])
    out = stack(
        torch.randn(2, 5, 3, 8, 8),
        streams=STREAMS,
        record=("spatial", "temporal", "gate", "features"),
        record_layers=(0, -1),
    )
    assert [(entry.layer, entry.stream) for entry in out.record] == [(i, s) for i in (0, 2) for s in STREAMS]
    last = {entry.stream: entry for entry in out.record if entry.layer == 2}
    assert torch.equal(last["main"].gate, torch.sigmoid(last["main"].temporal))
    assert torch.equal(last["main"].features, out.main)
    assert last["spatial"].temporal is None
    assert last["temporal"].spatial is None
    assert last["main"].spatial.shape == (2, 5, 8, 4, 4)


def test_initial_state_equals_none() -> None:
    for options in ({}, {"cell": "lstm"}, {"cell": "gru", "initial_gate": 0.0}, {"pool_first": True}):
        stack = SemiCoupledStack(3, [4, 6, 8], strides=[2, 1, 2], norm="none", **options)
        clip = torch.randn(2, 3, 3, 17, 9)
        given = stack(clip, stack.initial_state(2, (17, 9), streams=STREAMS), streams=STREAMS)
        nothing = stack(clip, streams=STREAMS)
        for stream in STREAMS:
            assert torch.equal(getattr(given, stream), getattr(nothing, stream))
        assert stack.output_size((17, 9)) == tuple(nothing.main.shape[3:])


def test_detached_state_cuts_the_graph() -> None:
    stack = SemiCoupledStack(3, [4, 4], norm="none")
    clip = torch.randn(1, 4, 3, 6, 6, requires_grad=True)
    first = stack(clip[:, :2])
    second = stack(clip[:, 2:], detach(first.state))
    (gradient,) = torch.autograd.grad(second.main.sum(), [clip])
    assert not gradient[:, :2].any()
    assert gradient[:, 2:].any()


def test_bf16_autocast_stays_near_float32() -> None:
    _ = torch.manual_seed(0)
    stack = SemiCoupledStack(3, [16, 16, 16])
    clip = torch.randn(2, 4, 3, 12, 12)
    exact = stack(clip, streams=STREAMS)
    with torch.autocast("cpu", torch.bfloat16):
        rough = stack(
            clip, streams=STREAMS, switch=FixedSwitching({("spatial", 1): torch.tensor([True, False, True, True])})
        )
    rough.main.float().square().sum().backward()
    for stream in STREAMS:
        error = (getattr(rough, stream).float() - getattr(exact, stream)).abs().mean()
        assert error < 0.03 * getattr(exact, stream).abs().mean()
    assert all(p.grad is None or p.grad.dtype == torch.float32 for p in stack.parameters())


CLIP = torch.zeros(2, 2, 3, 8, 8)
WRONG_PATTERN = FixedSwitching({("spatial", 1): torch.ones(5, dtype=torch.bool)})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s(torch.zeros(2, 3, 4, 8, 8)), r"expected B T C H W with C = 3 .* got \(2, 3, 4, 8, 8\)"),
        (lambda s: s(CLIP[:, :0]), "at least one frame"),
        (lambda s: s(torch.zeros(2, 3)), "expected B T C H W"),
        (lambda s: s(CLIP, streams=("temporal", "mian")), "expected one or more of main, spatial, temporal"),
        (lambda s: s(CLIP, streams=()), "expected one or more of"),
        (lambda s: s(CLIP, state_at=3), "expected 0 to 2"),
        (lambda s: s(CLIP, record=("gates",)), "Did you mean 'gate'"),
        (lambda s: s(CLIP, record=("gate",), record_layers=(5,)), "expected numbers from -2 to 1"),
        (lambda s: s(CLIP, s.initial_state(3, (8, 8))), "A state belongs to one batch"),
        (lambda s: s(CLIP, s.initial_state(2, (8, 8)), streams=("temporal",)), "asked for this stream too"),
        (lambda s: s(CLIP, switch=WRONG_PATTERN), "switch pattern: expected"),
        (lambda s: SemiCoupledStack(3, []), "expected one number of channels for each layer"),
        (lambda s: SemiCoupledStack(3, [4, 4], kernel_size=4), "odd number, got 4"),
        (lambda s: SemiCoupledStack(3, [4, 4], strides=[1]), "one for each of 2 layers, got 1"),
        (lambda s: SemiCoupledStack(3, [4], norm="batchnorm"), "Did you mean 'batch'"),
        (lambda s: SemiCoupledStack(3, [4], cell="LSTM"), "cell: 'LSTM' is unknown"),
        (lambda s: SemiCoupledStack(3, [4], activation="gelu"), "activation: 'gelu' is unknown"),
        (lambda s: SemiCoupledStack(3, [4], shortcut_every=0), "at least 1, or None"),
        (lambda s: SemiCoupledStack(3, [4], strides=2, operator=linear), "expected 1 with the linear operator"),
    ],
)
def test_errors_help(call: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        call(SemiCoupledStack(3, [4, 4]))


def test_a_state_of_another_cell_is_refused() -> None:
    clip = torch.zeros(1, 2, 3, 8, 8)
    state = SemiCoupledStack(3, [4], cell="lstm")(clip).state
    with pytest.raises(ShapeError, match="expected a RNNState, got LSTMState"):
        _ = SemiCoupledStack(3, [4])(clip, state)
