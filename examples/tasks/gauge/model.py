"""The network with its three heads: one a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch import nn

from semicoupled.networks.heads import PooledHead
from semicoupled.nn import SemiCoupledStack, Switching
from semicoupled.nn.streams import Stream
from semicoupled.task_parts import TaskOutput

from .data import Clip


class GaugeModel(nn.Module):
    """A stack, and a head on each of its streams; all tell the same number, so that space and time can be compared."""

    def __init__(self, widths: Sequence[int], strides: Sequence[int]) -> None:
        """Build the network."""
        super().__init__()
        self.network = SemiCoupledStack(1, widths, strides=strides)
        self.heads = nn.ModuleDict({stream: PooledHead(widths[-1], 1) for stream in ("main", "spatial", "temporal")})

    def forward(
        self,
        batch: Clip,
        state: Any = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
    ) -> TaskOutput:
        """Tell the number of every frame, B T 1; a side stream that was not asked for is None."""
        asked = ("main", *(stream for stream in streams if stream != "main"))
        out = self.network(batch.frames, state, streams=asked, switch=switch, state_at=state_at)
        spatial = None if out.spatial is None else self.heads["spatial"](out.spatial)
        temporal = None if out.temporal is None else self.heads["temporal"](out.temporal)
        return TaskOutput(self.heads["main"](out.main), spatial, temporal, out.state, out.state_at)

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Give the parameters whose gradients are clamped."""
        yield from self.network.recurrent_parameters()
