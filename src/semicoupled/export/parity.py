"""How far a program is from the model it was made of, over several frames with the state fed back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch

from semicoupled.errors import RunError
from semicoupled.steps import Sizes, StepProgram, Tensors

LIMIT = 1e-4
"""Largest relative difference of a program in float32."""

FRAMES = 5

Runner = Callable[[Tensors], Tensors]
"""Runs a program: (*inputs, *state) to (*outputs, *state)."""


def largest_difference(program: StepProgram, runner: Runner, sizes: Sizes) -> float:
    """Run a program beside the model, each with its own state.

    Args:
        program: of the model, as torch runs it.
        runner: what was made of it.
        sizes: of batch and frames.

    Returns:
        The largest difference of an output or a state in any frame, relative to the largest value of that tensor;
        infinity where one is a number and the other is not.
    """
    ours = theirs = program.start(sizes)
    largest = 0.0
    count = len(program.outputs)
    with torch.no_grad():
        for _ in range(FRAMES):
            inputs = program.example(sizes)
            wanted, given = program.module(*inputs, *ours), runner((*inputs, *theirs))
            largest = max(largest, *(relative(one, other) for one, other in zip(wanted, given, strict=True)))
            ours, theirs = wanted[count:], given[count:]
    return largest


def relative(wanted: torch.Tensor, given: torch.Tensor) -> float:
    """The largest difference of two tensors of any shape, relative to the largest value of the first."""
    if wanted.shape != given.shape or not torch.equal(wanted.isnan(), given.isnan()):
        return math.inf
    scale = wanted.nan_to_num(nan=0.0).abs().max().item()
    return (wanted - given).nan_to_num(nan=0.0).abs().max().item() / (scale or 1.0)


def check(program: StepProgram, kind: str, runner: Runner, several: Sequence[Sizes]) -> float:
    """See that a program in float32 agrees with the model.

    Args:
        program: of the model.
        kind: what runs it, for the message.
        runner: what was made of it.
        several: sizes to try.

    Returns:
        The largest relative difference.

    Raises:
        RunError: they differ by more than `LIMIT`.
    """
    largest = 0.0
    for sizes in several:
        difference = largest_difference(program, runner, sizes)
        if not difference <= LIMIT:
            raise RunError(
                f"program {program.name!r}: {kind} differs from the model by {difference:.2g}, relative, over {FRAMES} "
                f"frames of {sizes.height} x {sizes.width} px in a batch of {sizes.batch}; expected at most {LIMIT:g}. "
                "Nothing was written"
            )
        largest = max(largest, difference)
    return largest
