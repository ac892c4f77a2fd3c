"""A CNN on every frame by itself, with nothing that remembers: what space alone can say. The simplest rival.

It has the depth, the widths, the strides and the shortcuts of the `SemiCoupledStack` that it is compared with, and the
same signature.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.nn import fold
from semicoupled.nn.norm import Norm, StreamNorm
from semicoupled.nn.operators import conv2d
from semicoupled.nn.recurrent import check_clip
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.shortcut import Passing, Shortcuts
from semicoupled.nn.streams import LayerRecord, MapName, Outputs, StackState, Stream
from semicoupled.nn.switch import Switching

NOTHING = StackState(main=(), temporal=None)
"""Its state."""


class FrameCNN(nn.Module):
    """Convolutions with shortcuts; `forward` and `step` as in `SemiCoupledStack`."""

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        *,
        kernel_size: Sequence[int] | int = 3,
        strides: int | Sequence[int] = 1,
        norm: Norm = "batch",
        shortcut_every: int | None = 2,
        pool_first: bool = False,
    ) -> None:
        """Build the network; see `SemiCoupledStack` for the arguments.

        Raises:
            ShapeError: an option does not fit.
        """
        super().__init__()
        if norm == "joint":
            raise ShapeError("norm: 'joint' is a form of Eq. 5 and not of a rival; take 'batch', 'group' or 'none'.")
        depth = len(widths)
        self.strides = (strides,) * depth if isinstance(strides, int) else tuple(strides)
        kernels = (kernel_size,) * depth if isinstance(kernel_size, int) else tuple(kernel_size)
        if depth == 0 or len(self.strides) != depth or len(kernels) != depth:
            raise ShapeError(f"strides, kernel_size: expected one number, or one for each of {depth} layers.")
        inputs = [in_channels, *widths[:-1]]
        self.in_channels, self.out_channels, self.pool_first = in_channels, widths[-1], pool_first
        self.convolutions = nn.ModuleList(
            conv2d(inputs[i], widths[i], kernel_size=kernels[i], stride=self.strides[i], bias=True)
            for i in range(depth)
        )
        self.norms = nn.ModuleList(StreamNorm(width, norm, ("main",)) for width in widths)
        self.shortcuts = Shortcuts(in_channels, widths, self.strides, every=shortcut_every, operator=conv2d, norm=norm)

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.convolutions)

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
        """Run a clip; see `SemiCoupledStack.forward`. Of the maps there are `features` alone.

        Raises:
            ShapeError: a stream other than `main`, a switch, or frames that do not fit.
        """
        del state
        count = check_clip(frames, self.in_channels, streams, switch, state_at)
        chosen = range(self.depth) if record_layers is None else {index % self.depth for index in record_layers}
        records: list[LayerRecord] = []
        rows = fold.fold(frames)
        passing = Passing(self.shortcuts, count)
        for index, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            passing.leave(index, {"main": rows})
            rows = torch.relu(cast(StreamNorm, norm)(convolution(rows), "main", count))
            rows = passing.land(index, {"main": rows})["main"]
            if "features" in record and index in chosen:
                records.append(LayerRecord(index, "main", None, None, None, fold.unfold(rows, count)))
            if index == 0 and self.pool_first:
                rows = F.max_pool2d(rows, 3, 2, 1)
        return Outputs(
            main=fold.unfold(rows, count),
            spatial=None,
            temporal=None,
            state=NOTHING,
            state_at=None if state_at is None else NOTHING,
            record=tuple(records),
        )

    def step(
        self, frame: Float[Tensor, "B C H W"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B D H2 W2"], StackState]:
        """Run one frame; see `SemiCoupledStack.step`."""
        outputs: Outputs = self(frame[:, None], state)
        assert outputs.main is not None  # it is the only stream
        return outputs.main[:, 0], outputs.state

    def initial_state(self, batch: int, size: Sequence[int]) -> StackState:
        """Nothing: nothing is remembered."""
        del batch, size
        return NOTHING

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """None: nothing comes back."""
        yield from ()

    def normed(self) -> Iterator[tuple[nn.Module, StreamNorm]]:
        """Each convolution with its norm (see `semicoupled.nn.folding`)."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            yield convolution, cast(StreamNorm, norm)
