"""A backbone on every frame, and a recurrent stack on its last map (Sec. 5.5: backbone-supported structure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.networks.framewise import Trunk
from semicoupled.nn import fold
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import MapName, Outputs, StackState, Stream
from semicoupled.nn.switch import Switching


class BackboneStack(nn.Module):
    """`forward`, `step` and `initial_state` as in `SemiCoupledStack`; the backbone has no state and no switch."""

    def __init__(self, trunk: Trunk, stack: nn.Module) -> None:
        """Put a stack on a backbone.

        Args:
            trunk: N C H W to maps, of which the last is used.
            stack: `SemiCoupledStack`, or a rival with its signature.

        Raises:
            ShapeError: the stack expects other channels.
        """
        super().__init__()
        above = cast(Any, stack)
        if above.in_channels != trunk.out_channels:
            raise ShapeError(
                f"backbone: gives {trunk.out_channels} channels, and the stack expects {above.in_channels}. Build it "
                f"with in_channels={trunk.out_channels}."
            )
        self.trunk, self.stack = cast(nn.Module, trunk), stack
        self.in_channels, self.out_channels = trunk.in_channels, int(above.out_channels)

    @property
    def depth(self) -> int:
        """Layers of the stack, which the switches count."""
        return int(cast(Any, self.stack).depth)

    def forward(
        self,
        frames: Float[Tensor, "B T C H W"],
        state: StackState | None = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
        record: Sequence[MapName] = (),
        record_layers: Sequence[int] | None = None,
    ) -> Outputs:
        """Run a clip; see `SemiCoupledStack.forward`. Maps are those of the stack.

        Raises:
            ShapeError: the frames do not fit.
        """
        if frames.dim() != 5 or frames.shape[2] != self.in_channels or frames.shape[1] == 0:
            raise ShapeError(f"frames: expected B T C H W with C = {self.in_channels}, got {tuple(frames.shape)}.")
        maps = fold.unfold(self.trunk(fold.fold(frames))[-1], frames.shape[1])
        return self.stack(
            maps,
            state,
            streams=streams,
            switch=switch,
            state_at=state_at,
            record=record,
            record_layers=record_layers,
        )

    def step(
        self, frame: Float[Tensor, "B C H W"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B D h w"], StackState]:
        """Run one frame; see `SemiCoupledStack.step`."""
        outputs: Outputs = self(frame[:, None], state)
        assert outputs.main is not None  # it is asked for
        return outputs.main[:, 0], outputs.state

    @torch.no_grad()
    def initial_state(self, batch: int, size: Sequence[int]) -> StackState:
        """The state before the first frame, the same as passing None; `size` is (H, W)."""
        like = next(self.trunk.parameters())
        training = self.trunk.training
        _ = self.trunk.eval()
        try:
            map_size = self.trunk(like.new_zeros(1, self.in_channels, *size))[-1].shape[-2:]
        finally:
            _ = self.trunk.train(training)
        return cast(Any, self.stack).initial_state(batch, tuple(map_size))

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """See `SemiCoupledStack.recurrent_parameters`."""
        yield from cast(Any, self.stack).recurrent_parameters()
