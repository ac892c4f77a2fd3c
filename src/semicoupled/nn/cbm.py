"""CBM, the predecessor (Pang et al. 2019): the same two branches, without sub-goals, its temporal input switched.

It differs from ours in three things: the first gate is 0, there is the main stream alone, and only the temporal
branch's input has a switch (with a constant probability: `STSGD(..., schedule="constant")`). The outline form uses
tanh, the stand-alone form ReLU.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import nn

from semicoupled.nn.norm import Norm
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.stack import SemiCoupledStack
from semicoupled.nn.streams import Branch, MapName, Outputs, StackState, Stream, check_streams
from semicoupled.nn.switch import Pattern, Switching
from semicoupled.nn.synthesizers import Activation


class CBMStack(nn.Module):
    """Layers of CBM with the signature of `SemiCoupledStack`."""

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        *,
        kernel_size: int | Sequence[int] = 3,
        strides: int | Sequence[int] = 1,
        norm: Norm = "batch",
        activation: Activation = "relu",
        shortcut_every: int | None = 2,
        pool_first: bool = False,
    ) -> None:
        """Build the stack; see `SemiCoupledStack` for the arguments."""
        super().__init__()
        self.stack = SemiCoupledStack(
            in_channels,
            widths,
            kernel_size=kernel_size,
            strides=strides,
            norm=norm,
            activation=activation,
            initial_gate=0.0,
            shortcut_every=shortcut_every,
            pool_first=pool_first,
        )
        self.in_channels = in_channels
        self.out_channels = self.stack.out_channels

    @property
    def depth(self) -> int:
        """Number of layers."""
        return self.stack.depth

    def forward(
        self,
        frames: Float[Tensor, "B T C *size"],
        state: StackState | None = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
        record: Sequence[MapName] = (),
        record_layers: Sequence[int] | None = None,
    ) -> Outputs:
        """Run a clip; see `SemiCoupledStack.forward`.

        Raises:
            ShapeError: a stream other than `main`, or frames that do not fit.
        """
        check_streams(tuple(streams), ("main",))
        return self.stack(
            frames,
            state,
            switch=None if switch is None else TemporalOnly(switch),
            state_at=state_at,
            record=record,
            record_layers=record_layers,
        )

    def step(
        self, frame: Float[Tensor, "B C *size"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B D *out"], StackState]:
        """Run one frame; see `SemiCoupledStack.step`."""
        return self.stack.step(frame, state)

    def initial_state(self, batch: int, size: Sequence[int]) -> StackState:
        """See `SemiCoupledStack.initial_state`."""
        return self.stack.initial_state(batch, size)

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """See `SemiCoupledStack.output_size`."""
        return self.stack.output_size(size)

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """See `SemiCoupledStack.recurrent_parameters`."""
        return self.stack.recurrent_parameters()


class TemporalOnly:
    """Switches of which only the temporal branch's are heeded."""

    def __init__(self, switching: Switching) -> None:
        """Wrap a draw."""
        self._switching = switching

    def pattern(self, branch: Branch, layer: int, frames: int, batch: int) -> Pattern | None:
        """See `Switching.pattern`."""
        return self._switching.pattern(branch, layer, frames, batch) if branch == "temporal" else None
