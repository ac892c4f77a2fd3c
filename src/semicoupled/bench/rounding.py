"""No speed without equality in the precision that is timed, either: the timed path may round otherwise, and no more.

What is fast in float32 and bf16, such as weights that are laid out beforehand, is not there in float64, where the same
code takes a portable way. So the path that is timed is compared in its own precision, too. It and the reference in the
same precision are both held against the reference in float64: the path's error, in each output and each gradient, may
be `FACTOR` times the reference's.
"""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from semicoupled.bench.candidates import DTYPES, PRECISIONS, Mode, Precision, autocast
from semicoupled.bench.equality import comparable, gradients
from semicoupled.errors import EqualityError
from semicoupled.nn import SemiCoupledStack, reference
from semicoupled.nn.streams import Stream
from semicoupled.nn.switch import Switching

FACTOR = 4.0
"""How many times the reference's error is allowed: the order of the sums, and whether a norm gives bf16, are free."""

SUMS = 2.0**-20
"""The error that is allowed whatever the reference's is, times `FACTOR`: sums over rows are in float32 everywhere."""

DRAWS = 8
"""Rounding can switch a ReLU whose input is all but 0, in one of ten draws of frames or so, and then a gradient
differs by more; an error shows in every draw."""

Values = Mapping[str, Tensor]
"""Outputs and gradients, by what they are."""


def check_precisions(
    stack: SemiCoupledStack,
    draw: Callable[[], Tensor],
    *,
    streams: Sequence[Stream],
    precisions: Sequence[Precision] = PRECISIONS,
    modes: Sequence[Mode] = ("training", "inference"),
    switch: Switching | None = None,
) -> float:
    """Compare a stack with the reference in the precisions that are timed: outputs, and in training all gradients.

    As in `equality.check_stack`, batch norm is compared in eval mode.

    Args:
        stack: with float32 weights; its mode is put back.
        draw: gives frames, B T C H W, float32; other ones each time.
        streams: that are run.
        precisions: to compare in.
        modes: training (gradients too), inference (without autograd), or both.
        switch: gradient switches of the main stream, in training.

    Returns:
        The largest share that any error takes of what is allowed; below 1.

    Raises:
        EqualityError: with `DRAWS` draws of frames something differs by more; no speed may be printed.
    """
    for left in reversed(range(DRAWS)):
        try:
            return _check(stack, draw(), tuple(streams), precisions, modes, switch)
        except EqualityError:
            if not left:
                raise
    raise AssertionError  # the last round returns or raises


def check_stream(
    network: nn.Module,
    clip: Callable[[nn.Module, Tensor], Tensor],
    step: Callable[..., tuple[Tensor, object]],
    frames: Tensor,
    precision: Precision,
) -> float:
    """Compare a packed network, frame by frame, with the network that it was made of, the whole clip at once.

    Args:
        network: with float32 weights, in eval().
        clip: (network, frames) -> outputs, B T ...
        step: of the packed network in this precision: (frame, state) -> (output, state).
        frames: B T C H W, float32.
        precision: to compare in; the network then has weights and features in it, as the packed one has.

    Returns:
        The share that the error takes of what is allowed.

    Raises:
        EqualityError: the error is larger than that.
    """
    state: object = None
    outputs: list[Tensor] = []
    for frame in frames.unbind(1):
        output, state = step(frame, state)
        outputs.append(output)
    exact, slow = (
        clip(copy.deepcopy(network).to(dtype), frames.to(dtype)) for dtype in (torch.float64, DTYPES[precision])
    )
    what = "the stream of frames"
    return compare_rounding(f"{precision} streaming", {what: torch.stack(outputs, 1)}, {what: slow}, {what: exact})


def compare_rounding(where: str, fast: Values, slow: Values, exact: Values) -> float:
    """Compare the errors of two ways to compute the same.

    Args:
        where: the precision and the mode, for the message.
        fast: of the path that is timed.
        slow: of the reference, in the same precision.
        exact: of the reference, in float64.

    Returns:
        The largest share that an error of `fast` takes of what is allowed.

    Raises:
        EqualityError: one is larger than that.
    """
    errors = {what: _error(slow[what], value) for what, value in exact.items()}
    typical = statistics.median(errors.values())  # a small tensor may be right by luck
    worst = 0.0
    for what, value in exact.items():
        error, allowed = _error(fast[what], value), FACTOR * max(errors[what], typical, SUMS)
        if not error <= allowed:
            raise EqualityError(
                f"bench: in {where} {what} of the timed path is {error:.1e} of its size off the reference in float64; "
                f"expected at most {allowed:.1e}, which is {FACTOR:g} times the reference's own rounding there. "
                "No speed is printed for a network that computes something else. `pytest tests/nn` shows which part "
                "is wrong."
            )
        worst = max(worst, error / allowed)
    return worst


def _check(
    stack: SemiCoupledStack,
    frames: Tensor,
    streams: tuple[Stream, ...],
    precisions: Sequence[Precision],
    modes: Sequence[Mode],
    switch: Switching | None,
) -> float:
    training = "training" in modes
    passing = None if switch is None else _passing(switch, frames)

    def fast(network: nn.Module, frames: Tensor) -> Values:
        outputs = network(frames, streams=streams, switch=switch)
        return {f"the {stream} stream": getattr(outputs, stream) for stream in streams}

    def slow(network: nn.Module, frames: Tensor) -> Values:
        found = reference.run(network, frames, streams=streams, passing=passing)
        return {f"the {stream} stream": found.features[stream] for stream in streams}

    wide = copy.deepcopy(stack).double()
    with comparable(wide), torch.set_grad_enabled(training):
        exact = _values(wide, slow(wide, frames.double()), training)
    worst = 0.0
    for precision in precisions:
        computing = partial(autocast, frames.device, precision)
        with comparable(stack), torch.set_grad_enabled(training):
            with computing():
                outputs = slow(stack, frames)
            expected = _values(stack, outputs, training)
            if training:
                with computing():
                    outputs = fast(stack, frames)
                found = _values(stack, outputs, training)
                worst = max(worst, compare_rounding(f"{precision} training", found, expected, exact))
        if "inference" in modes:
            with comparable(stack), torch.no_grad(), computing():
                found = fast(stack.eval(), frames)
            outputs = {what: exact[what] for what in found}
            worst = max(worst, compare_rounding(f"{precision} inference", found, expected, outputs))
    return worst


def _values(network: nn.Module, outputs: Values, training: bool) -> Values:
    """Outputs, and in training the gradients of all parameters."""
    if not training:
        return outputs
    found = gradients(network, list(outputs.values()))
    return {**outputs, **{f"the gradient of {name}": gradient for name, gradient in found.items()}}


def _passing(switch: Switching, frames: Tensor) -> reference.Passing:
    """The same switches as the reference asks for them; one entry a frame."""
    batch, count = frames.shape[:2]

    def passing(branch: str, layer: int, t: int) -> float:
        pattern = switch.pattern("spatial" if branch == "spatial" else "temporal", layer, count, batch)
        return 1.0 if pattern is None else float(pattern.open[t]) * pattern.scale

    return passing


def _error(value: Tensor, exact: Tensor) -> float:
    """The norm of the difference, relative to that of the exact value."""
    difference = (value.detach().double() - exact.detach()).norm()
    return float(difference / exact.detach().norm().clamp_min(1e-30))
