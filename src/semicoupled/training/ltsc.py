"""LTSC: a long sequence as overlapping segments, each with its own backward pass (Sec. 5.3, Eq. 21-23)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

import torch.nn.functional as F

from semicoupled.errors import SettingsError, ShapeError
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.training.settings import Carry, SegmentSettings, overlap_frames


@dataclass(frozen=True)
class Segment:
    """A part of a sequence: frames start, start + step, ... below stop.

    Args:
        start: index of the first frame.
        stop: one past the last frame.
        step: distance between frames; above 1 for strided sampling alone.
    """

    start: int
    stop: int
    step: int = 1

    def __len__(self) -> int:
        """Give the number of frames."""
        return len(range(self.start, self.stop, self.step))

    @property
    def slice(self) -> slice:
        """What cuts the segment out of the time axis: ``frames[:, segment.slice]``."""
        return slice(self.start, self.stop, self.step)


class Carried(Protocol):
    """What a network returns, as far as carrying its state goes."""

    @property
    def state(self) -> Any:
        """The state after the last frame."""
        ...

    @property
    def state_at(self) -> Any:
        """The state after as many frames as were asked for."""
        ...


OutputT = TypeVar("OutputT", bound=Carried)
StateT = TypeVar("StateT")


def plan(length: int, segment_length: int, overlap: float = 0.25) -> tuple[Segment, ...]:
    """Cut a sequence into segments whose union is the sequence and whose neighbors overlap (Eq. 21, 22).

    The sequence's length decides the number of segments; the last one may be shorter.

    Args:
        length: frames of the sequence, at least 1.
        segment_length: frames of a segment, at least 2 where the sequence is longer than one segment.
        overlap: eta, the share of a segment that it has in common with the next, in (0, 1); rounded up to frames.

    Returns:
        The segments in order of time.

    Raises:
        SettingsError: the numbers allow no such plan.
    """
    if not 0.0 < overlap < 1.0:
        raise SettingsError(
            f"overlap: expected a share in (0, 1), got {overlap!r}. For segments without overlap use truncated_bptt."
        )
    return _cut(length, segment_length, overlap_frames(segment_length, overlap))


def truncated_bptt(length: int, segment_length: int) -> tuple[Segment, ...]:
    """Cut a sequence into segments without overlap: truncated BPTT, a baseline of Sec. 5.3 (with carried state).

    Args:
        length: frames of the sequence, at least 1.
        segment_length: frames of a segment, at least 1.

    Raises:
        SettingsError: a number is below 1.
    """
    return _cut(length, segment_length, 0)


def strided(length: int, frames: int, offset: int = 0) -> tuple[Segment, ...]:
    """Take every k-th frame, so that at most `frames` of them span the sequence: a baseline of Sec. 5.3.

    Args:
        length: frames of the sequence, at least 1.
        frames: frames to take, at least 1.
        offset: where to begin; taken modulo k.

    Returns:
        One segment.

    Raises:
        SettingsError: a number is below 1.
    """
    _check(length, frames)
    step = stride_of(length, frames)
    return (Segment(offset % step, length, step),)


def stride_of(length: int, frames: int) -> int:
    """Give k, the stride at which `frames` frames span a sequence."""
    return math.ceil(length / frames)


def plan_for(settings: SegmentSettings, length: int, offset: int = 0) -> tuple[Segment, ...]:
    """Cut a sequence as the settings say.

    Args:
        settings: method, length and overlap of the segments.
        length: frames of the sequence.
        offset: where strided sampling begins.
    """
    if settings.length is None or settings.length >= length:
        return (Segment(0, length),)
    if settings.method == "strided":
        return strided(length, settings.length, offset)
    if settings.method == "truncated_bptt":
        return truncated_bptt(length, settings.length)
    return plan(length, settings.length, settings.overlap)


def walk(
    segments: Sequence[Segment], carry: Carry, run: Callable[[Segment, Any, int | None], OutputT]
) -> Iterator[tuple[Segment, OutputT]]:
    """Run a network over segments, the state carried from one to the next, detached.

    Go backward over what is handed out before asking for the next, and memory does not grow with the sequence.

    Args:
        segments: of one sequence, in order of time.
        carry: `none` starts each from zero; `end` from the state after the previous one's last frame; `start` from
            the state just before its own first frame, which makes the forward pass that of the whole sequence.
        run: runs the network: gets the segment, the state to start from (None for zero), and after how many frames
            the state is wanted as `state_at` (None for not).

    Yields:
        Each segment with what the network returned.
    """
    state: Any = None
    for index, segment in enumerate(segments):
        at = None
        if carry == "start" and index + 1 < len(segments):
            at = segments[index + 1].start - segment.start
        output = run(segment, state, at)
        state = None if carry == "none" else detached(output.state if at is None else output.state_at)
        yield segment, output
        del output  # the caller's to keep


def detached(state: StateT) -> StateT:
    """Cut every tensor in a nest of (named) tuples, lists and dicts from its graph."""
    if isinstance(state, Tensor):
        return cast(StateT, state.detach())
    if isinstance(state, tuple):
        parts = [detached(part) for part in cast("tuple[Any, ...]", state)]
        named = getattr(cast(Any, state), "_make", tuple)  # a NamedTuple stays one
        return cast(StateT, named(parts))
    if isinstance(state, list):
        return cast(StateT, [detached(part) for part in cast("list[Any]", state)])
    if isinstance(state, dict):
        return cast(StateT, {key: detached(part) for key, part in cast("dict[Any, Any]", state).items()})
    return state


def overlap_loss(
    previous: Float[Tensor, "B T1 *rest"],
    current: Float[Tensor, "B T2 *rest"],
    previous_segment: Segment,
    segment: Segment,
    *,
    detach: bool = True,
) -> Float[Tensor, ""]:
    """Mean squared difference of two neighbors' outputs over the frames that they share (one term of Eq. 23).

    Give softmaxed outputs for a classifier, raw ones for a regressor.

    Args:
        previous: the earlier segment's outputs, B T and anything behind.
        current: the later segment's outputs.
        previous_segment: where the earlier one lies.
        segment: where the later one lies.
        detach: the earlier side is a target, and only the later one moves; else both move.

    Raises:
        ShapeError: the segments share no frame, or the outputs have another number of frames.
    """
    for name, outputs, place in (("previous", previous, previous_segment), ("current", current, segment)):
        if outputs.dim() < 2 or outputs.shape[1] != len(place):
            raise ShapeError(
                f"overlap loss: expected {name} outputs of {len(place)} frames (B T ...) for {place}, got shape "
                f"{tuple(outputs.shape)}. Set goals.overlap to 0 for a goal without a time axis."
            )
    shared = previous_segment.stop - segment.start
    if not (0 < shared <= min(len(previous_segment), len(segment))) or segment.step != 1 or previous_segment.step != 1:
        raise ShapeError(f"overlap loss: {previous_segment} and {segment} share no frames at the end and the start.")
    before = previous[:, len(previous_segment) - shared :]
    return F.mse_loss(current[:, :shared], before.detach() if detach else before)  # (23)


def _cut(length: int, segment_length: int, shared: int) -> tuple[Segment, ...]:
    _check(length, segment_length)
    if length <= segment_length:
        return (Segment(0, length),)
    if shared >= segment_length:
        raise SettingsError(
            f"overlap: {shared} frames (rounded up) of segments of {segment_length} leave nothing new. Lower the "
            "overlap or lengthen the segments."
        )
    segments: list[Segment] = []
    start = 0
    while not segments or segments[-1].stop < length:
        segments.append(Segment(start, min(start + segment_length, length)))
        start += segment_length - shared
    return tuple(segments)


def _check(length: int, segment_length: int) -> None:
    for name, value in (("sequence", length), ("segment", segment_length)):
        if value < 1:
            raise SettingsError(f"{name} length: expected at least 1 frame, got {value}.")
