"""What a trained model does with one frame: the contract between a task and `semicoupled export`.

A task names one program or several. Each is a module of tensors alone, `(*inputs, *state) -> (*outputs, *state)`, with
what a user must know to call it: names, units, and the state before the first frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from semicoupled.nn.state_layout import StateLayout
from semicoupled.nn.streams import StackState

if TYPE_CHECKING:
    from semicoupled.description import Description, Json

Tensors = tuple[Tensor, ...]


class Sizes(NamedTuple):
    """Number of samples, and height and width of the frames in px.

    Attributes:
        batch: at least 1.
        height: px.
        width: px.
    """

    batch: int
    height: int
    width: int


@dataclass(frozen=True)
class StepProgram:
    """One program.

    Args:
        name: of its file: ``step``, or ``encode`` and ``decode``.
        module: takes the inputs, then the state, and returns the outputs, then the new state; float32.
        inputs: each input's name, with its meaning, units and layout.
        outputs: the same for the outputs.
        state: names of the tensors that are fed back.
        example: realistic inputs of these sizes; random ones, so that no two calls agree.
        start: the state before the first frame, each tensor of one value, or any example where `initial` names it.
        initial: where a state comes from that is no constant: the name of an input, or a sentence.
    """

    name: str
    module: nn.Module
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    state: Sequence[str]
    example: Callable[[Sizes], Tensors]
    start: Callable[[Sizes], Tensors]
    initial: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Steps:
    """The programs of a model.

    Args:
        programs: in the order in which they are called.
        size: height and width of the frames that it was trained on, px.
        about: what a user must know of the data: units, range, names of the answers.
        use: lines of Python that use the programs with onnxruntime and numpy alone; None for the usual ones of a
            single program `step`.
    """

    programs: Sequence[StepProgram]
    size: tuple[int, int]
    about: Description
    use: str | None = None


class FrameStep(nn.Module):
    """The step of a network with a head: (frame, *state) -> (answer, *state)."""

    def __init__(self, network: nn.Module, head: nn.Module, layout: StateLayout) -> None:
        """Take a network with `step`, and a head that reads features B T C h w."""
        super().__init__()
        self.network, self.head, self.layout = network, head, layout

    def forward(self, frame: Tensor, *state: Tensor) -> Tensors:
        """Run one frame, B C H W; the answer is B K, and the state as `layout` has it."""
        features, after = self.network.step(frame, self.layout.unflatten(state))  # pyright: ignore[reportCallIssue]
        return self.head(features[:, None])[:, 0], *self.layout.flatten(after)


def frame_steps(
    network: nn.Module,
    head: nn.Module,
    *,
    channels: int,
    size: tuple[int, int],
    frame: str,
    answer: tuple[str, str],
    about: Mapping[str, Json],
) -> Steps:
    """Give the one program of a network that answers in every frame.

    Args:
        network: with `step` and `initial_state`, such as `SemiCoupledStack`.
        head: from features B T C h w to answers B T ..., such as `PooledHead`.
        channels: of a frame.
        size: height and width that it was trained at, px.
        frame: meaning, units and layout of the frame.
        answer: name and meaning of the answer.
        about: see `Steps`.
    """

    def state(sizes: Sizes) -> StackState:
        return network.initial_state(sizes.batch, (sizes.height, sizes.width))  # pyright: ignore[reportCallIssue]

    layout = StateLayout.of(state(Sizes(1, *size)))
    program = StepProgram(
        "step",
        FrameStep(network, head, layout),
        inputs={"frame": frame},
        outputs={answer[0]: answer[1]},
        state=layout.names,
        example=lambda sizes: (torch.rand(sizes.batch, channels, sizes.height, sizes.width),),
        start=lambda sizes: layout.flatten(state(sizes)),
    )
    return Steps([program], size, about)
