"""CNN+LSTM: a CNN on every frame, an average over the cells of a grid, an LSTM over the frames (LRCN). The usual rival.

It has the depth, the widths, the strides and the shortcuts of the `SemiCoupledStack` that it is compared with, and the
same signature, so that what trains one trains the other. Its output is a vector for each frame (B T C 1 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from torch import nn

from semicoupled.networks.framewise import feature_records, remembered_outputs
from semicoupled.networks.lstm_over_frames import initial_memory, recurrent_weight, remember
from semicoupled.networks.residual_trunk import ResidualTrunk, run_layers
from semicoupled.nn import fold
from semicoupled.nn.norm import Norm, StreamNorm
from semicoupled.nn.per_layer import per_layer
from semicoupled.nn.recurrent import check_clip
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import MapName, Outputs, StackState, Stream
from semicoupled.nn.switch import Switching


class CNNLSTM(nn.Module):
    """A CNN, a coarse grid, an LSTM over the frames; `forward` and `step` as in `SemiCoupledStack`."""

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        *,
        hidden: int | None = None,
        grid: int = 1,
        kernel_size: int = 3,
        strides: int | Sequence[int] = 1,
        norm: Norm = "batch",
        shortcut_every: int | None = 2,
    ) -> None:
        """Build the network.

        Args:
            in_channels: channels of the frames.
            widths: channels of each convolution.
            hidden: width of the LSTM; the last of `widths` if None.
            grid: the last map is averaged over the cells of a grid x grid, which the LSTM sees side by side. 1 is a
                global average, which tells what is there but not where.
            kernel_size: of all convolutions, odd.
            strides: of the convolutions, one number or one for each layer.
            norm: behind each convolution; `joint` does not exist here.
            shortcut_every: layers that a shortcut spans, counted from the second layer on; None for none.

        Raises:
            ShapeError: an option does not fit.
        """
        super().__init__()
        depth = len(widths)
        self.strides = per_layer("strides", strides, depth)
        kernels = (kernel_size,) * depth
        trunk = ResidualTrunk(
            in_channels, widths, kernel_size=kernels, strides=self.strides, norm=norm, shortcut_every=shortcut_every
        )
        self.in_channels, self.out_channels, self.grid = in_channels, hidden or widths[-1], grid
        # by themselves, as saved runs name their weights
        self.convolutions, self.norms, self.shortcuts = trunk.convolutions, trunk.norms, trunk.shortcuts
        self.lstm = nn.LSTM(widths[-1] * grid**2, self.out_channels)

    @property
    def depth(self) -> int:
        """Number of convolutions that look for features."""
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
        """Run a clip; see `SemiCoupledStack.forward`. Of the maps there are the `features` of the CNN alone.

        Returns:
            What the LSTM makes of each frame, B T C 1 1, and its state.

        Raises:
            ShapeError: a stream other than `main`, a switch, or frames that do not fit.
        """
        count = check_clip(frames, self.in_channels, streams, switch, state_at)
        maps = run_layers(self.convolutions, self.norms, self.shortcuts, fold.fold(frames))
        records = feature_records(maps, count, record, record_layers)
        return remembered_outputs(
            remember(self.lstm, maps[-1], (self.grid, self.grid), count, state, state_at), records
        )

    def step(
        self, frame: Float[Tensor, "B C H W"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B C2 1 1"], StackState]:
        """Run one frame; see `SemiCoupledStack.step`."""
        outputs = self(frame[:, None], state)
        return outputs.main[:, 0], outputs.state

    def initial_state(self, batch: int, size: Sequence[int]) -> StackState:
        """Zeros, the same as passing None; the size of the frames plays no part."""
        del size
        return initial_memory(self.lstm, batch)

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Spatial size of the output: one cell, whatever the size of the frames."""
        return (1,) * len(size)

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Weights between one hidden state and the next, whose gradients are clamped (Sec. 5.9)."""
        yield recurrent_weight(self.lstm)

    def normed(self) -> Iterator[tuple[nn.Module, StreamNorm]]:
        """Each convolution with its norm (see `semicoupled.nn.folding`)."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            yield convolution, cast(StreamNorm, norm)
