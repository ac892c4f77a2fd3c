from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from semicoupled.errors import SettingsError, ShapeError
from semicoupled.nn.stack import SemiCoupledStack
from semicoupled.nn.streams import Outputs
from semicoupled.training.ltsc import (
    Segment,
    detached,
    overlap_loss,
    plan,
    plan_for,
    strided,
    truncated_bptt,
    walk,
)
from semicoupled.training.settings import Carry, SegmentSettings, overlap_frames


@given(st.integers(1, 400), st.integers(2, 60), st.floats(0.01, 0.99))
def test_a_plan_covers_every_frame_and_neighbors_overlap(length: int, segment_length: int, overlap: float) -> None:
    shared = overlap_frames(segment_length, overlap)
    if shared >= segment_length and length > segment_length:
        with pytest.raises(SettingsError, match="leave nothing new"):
            plan(length, segment_length, overlap)
        return
    segments = plan(length, segment_length, overlap)
    assert {frame for s in segments for frame in range(s.start, s.stop)} == set(range(length))  # (21)
    assert all(1 <= len(s) <= segment_length for s in segments)
    for before, after in pairwise(segments):
        assert before.start < after.start
        assert before.stop < after.stop  # every segment adds frames
        assert before.stop - after.start == shared >= overlap * segment_length - 1e-6  # (22), rounded up
        assert shared >= 1


@given(st.integers(1, 400), st.integers(1, 60))
def test_truncated_bptt_covers_every_frame_once(length: int, segment_length: int) -> None:
    segments = truncated_bptt(length, segment_length)
    assert [frame for s in segments for frame in range(s.start, s.stop)] == list(range(length))
    assert all(len(s) <= segment_length for s in segments)


@given(st.integers(1, 400), st.integers(1, 60), st.integers(0, 1000))
def test_strided_sampling_spans_the_sequence_in_one_segment(length: int, frames: int, offset: int) -> None:
    (segment,) = strided(length, frames, offset)
    assert 1 <= len(segment) <= frames
    indices = list(range(length))[segment.slice]
    assert len(indices) == len(segment)
    assert indices[0] < segment.step
    assert indices[-1] >= length - segment.step


def test_the_clips_of_table_8() -> None:
    """Six clips of 10 at 25 % cover at most 45 points (3 frames shared), not the 60 of the text."""
    assert len(plan(45, 10)) == 6
    assert len(plan(46, 10)) == 7
    assert plan(45, 10)[1] == Segment(7, 17)


@pytest.mark.parametrize(("length", "segment"), [(0, 5), (5, 0), (-1, 3)])
def test_lengths_begin_at_one(length: int, segment: int) -> None:
    for planner in (plan, truncated_bptt, strided):
        with pytest.raises(SettingsError, match="length: expected at least 1 frame"):
            planner(length, segment)


@pytest.mark.parametrize("overlap", [0.0, 1.0, -0.1])
def test_only_the_named_baselines_do_without_overlap(overlap: float) -> None:
    with pytest.raises(SettingsError, match="For segments without overlap use truncated_bptt"):
        plan(20, 5, overlap)


def test_settings_choose_the_plan() -> None:
    assert plan_for(SegmentSettings(), 30) == (Segment(0, 30),)
    assert plan_for(SegmentSettings(8), 20) == plan(20, 8)
    assert plan_for(SegmentSettings(40), 30) == (Segment(0, 30),)
    assert plan_for(SegmentSettings(8, "truncated_bptt", carry="end"), 20) == truncated_bptt(20, 8)
    assert plan_for(SegmentSettings(8, "strided"), 20, 4) == (Segment(1, 20, 3),)


LENGTH = 23


def run_over(net: SemiCoupledStack, frames: Tensor, segments: tuple[Segment, ...], carry: Carry) -> dict[str, Tensor]:
    """Run a stack segment by segment; of shared frames the later segment's output is taken."""

    def run(segment: Segment, state: Any, state_at: int | None) -> Outputs:
        return net(frames[:, segment.slice], state, streams=("main", "spatial", "temporal"), state_at=state_at)

    joined: dict[str, list[Tensor]] = {"main": [], "spatial": [], "temporal": []}
    for segment, output in walk(segments, carry, run):
        for name, parts in joined.items():
            parts[segment.start :] = list(getattr(output, name).unbind(1))
    return {name: torch.stack(parts, 1) for name, parts in joined.items()}


@pytest.mark.parametrize("norm", ["none", "group", "batch"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "linear"])
def test_carry_start_equals_the_whole_sequence(norm: Any, cell: Any) -> None:
    net = SemiCoupledStack(2, [4, 4, 4], norm=norm, cell=cell, strides=[1, 2, 1]).double()
    if norm == "batch":
        net(torch.randn(2, 3, 2, 5, 5, dtype=torch.float64), streams=("main", "spatial", "temporal"))  # statistics
        net.eval()
    frames = torch.randn(2, LENGTH, 2, 5, 5, dtype=torch.float64)
    whole = net(frames, streams=("main", "spatial", "temporal"))
    for segments in (plan(LENGTH, 6), plan(LENGTH, 7, 0.6), truncated_bptt(LENGTH, 5)):
        for name, joined in run_over(net, frames, segments, "start").items():
            torch.testing.assert_close(joined, getattr(whole, name), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("carry", ["none", "end"])
def test_the_other_carries_differ_from_the_whole_sequence(carry: Carry) -> None:
    net = SemiCoupledStack(2, [4, 4], norm="none").double()
    frames = torch.randn(2, LENGTH, 2, 5, 5, dtype=torch.float64)
    whole = net(frames, streams=("main", "spatial", "temporal"))
    joined = run_over(net, frames, plan(LENGTH, 6), carry)
    assert float((joined["main"] - whole.main).detach().abs().max()) > 1e-4
    torch.testing.assert_close(joined["spatial"], whole.spatial)  # h_s has no memory


class Ran(NamedTuple):
    state: Any
    state_at: Any


@pytest.mark.parametrize(
    ("carry", "expected"),
    [
        ("none", [(None, None), (None, None), (None, None)]),
        ("end", [(None, None), (("end", 4), None), (("end", 7), None)]),
        ("start", [(None, 3), (("at", 3), 3), (("at", 6), None)]),
    ],
)
def test_what_each_segment_starts_from(carry: Carry, expected: list[Any]) -> None:
    asked: list[Any] = []

    def run(segment: Segment, state: Any, state_at: int | None) -> Ran:
        asked.append((state, state_at))
        return Ran(("end", segment.stop), None if state_at is None else ("at", segment.start + state_at))

    places = [segment for segment, _ in walk(plan(9, 4), carry, run)]
    assert places == [Segment(0, 4), Segment(3, 7), Segment(6, 9)]
    assert asked == expected


def test_a_carried_state_is_detached_and_keeps_its_form() -> None:
    leaf = torch.ones(2, requires_grad=True)
    state = Ran((leaf * 2, None), [{"a": leaf * 3}, 4])
    cut = detached(state)
    assert isinstance(cut, Ran)
    assert isinstance(cut.state, tuple)
    assert cut.state[1] is None
    assert cut.state_at[1] == 4
    assert not cut.state[0].requires_grad
    assert not cut.state_at[0]["a"].requires_grad
    torch.testing.assert_close(cut.state[0], state.state[0].detach())


def test_the_overlap_loss_compares_the_same_frames() -> None:
    """Outputs that name their frame agree exactly where the frames are the same ones."""
    sequence = torch.arange(20.0)[None, :, None].expand(3, 20, 2)
    for before, after in pairwise(plan(20, 6, 0.3)):
        loss = overlap_loss(sequence[:, before.slice], sequence[:, after.slice], before, after)
        assert float(loss) == 0.0
    before, after = Segment(0, 6), Segment(4, 9)
    loss = overlap_loss(sequence[:, :6], sequence[:, 5:10], before, after)
    assert float(loss) == 1.0  # shifted by one frame


def test_the_overlap_loss_is_a_mean_over_the_shared_frames_alone() -> None:
    previous, current = torch.zeros(1, 6, 2), torch.zeros(1, 5, 2)
    previous[:, :4] = 100.0
    current[:, 2:] = 100.0
    assert float(overlap_loss(previous, current, Segment(0, 6), Segment(4, 9))) == 0.0
    current[0, 1, 0] = 2.0
    assert float(overlap_loss(previous, current, Segment(0, 6), Segment(4, 9))) == 1.0


@pytest.mark.parametrize("detach", [True, False])
def test_which_sides_the_overlap_loss_moves(detach: bool) -> None:
    previous = torch.randn(2, 4, 3, requires_grad=True)
    current = torch.randn(2, 4, 3, requires_grad=True)
    overlap_loss(previous, current, Segment(0, 4), Segment(3, 7), detach=detach).backward()
    assert current.grad is not None
    torch.testing.assert_close(current.grad[:, 0], (current - previous.roll(1, 1)).detach()[:, 0] * 2 / 6)
    assert float(current.grad[:, 1:].abs().max()) == 0.0
    if detach:
        assert previous.grad is None
    else:
        assert previous.grad is not None
        torch.testing.assert_close(previous.grad[:, 3], -current.grad[:, 0])


def test_an_overlap_loss_without_a_time_axis_is_refused() -> None:
    with pytest.raises(
        ShapeError, match=r"expected previous outputs of 4 frames \(B T \.\.\.\).*Set goals\.overlap to 0"
    ):
        overlap_loss(torch.zeros(2, 10), torch.zeros(2, 4, 3), Segment(0, 4), Segment(3, 7))
    with pytest.raises(ShapeError, match="share no frames"):
        overlap_loss(torch.zeros(2, 4, 3), torch.zeros(2, 4, 3), Segment(0, 4), Segment(4, 8))
