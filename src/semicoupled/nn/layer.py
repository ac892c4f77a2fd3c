"""One semi-coupled layer (Eq. 4-6): a spatial branch, a temporal branch, over all frames at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from torch import nn

from semicoupled.errors import ShapeError, nearest
from semicoupled.nn import fold
from semicoupled.nn.cells import CELLS, Cell, CellOutput, RNNCell, build_cell
from semicoupled.nn.convolution import convolve
from semicoupled.nn.norm import Norm, StreamNorm
from semicoupled.nn.operators import Operator, conv2d
from semicoupled.nn.shapes import Tensor
from semicoupled.nn.streams import CellState, fitting
from semicoupled.nn.switch import Pattern, folded_factor

SHARED = "shared"
"""Name under which the first layer's input goes to all three streams: they see the same frames."""


class LayerMaps(NamedTuple):
    """What the two branches make of their inputs, by stream.

    Attributes:
        spatial: s of all frames (Eq. 4), folded.
        temporal: c and sigma(c) of all frames (Eq. 5), folded, with the state.
    """

    spatial: dict[str, Tensor]
    temporal: dict[str, CellOutput]


class SemiCoupledLayer(nn.Module):
    """The maps s and c of Eq. 4 and 5; the synthesizers (Eq. 6, 9, 11) are applied by the stack, a stream at a time.

    Conv([u_t, sigma(c_{t-1})]) of Eq. 5 is the sum of two convolutions, so all but Conv_c run for all frames at once.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int = 3,
        temporal_kernel_size: int | None = None,
        stride: int = 1,
        operator: Operator = conv2d,
        norm: Norm = "batch",
        cell: Cell = "rnn",
        initial_gate: float = 0.5,
        separate_statistics: bool = True,
        first: bool = False,
    ) -> None:
        """Build the layer.

        Args:
            in_channels: channels of u^{l-1}.
            out_channels: channels of s, c and u^l.
            kernel_size: of Conv_s, odd.
            temporal_kernel_size: of Conv_u and Conv_c, odd; as `kernel_size` if None.
            stride: of Conv_s and Conv_u; Conv_c has stride 1, the state lives at the output's size.
            operator: what stands for Conv (see `operators`).
            norm: see `norm.Norm`; `joint` goes with the `rnn` cell.
            cell: the temporal branch, see `cells.Cell`.
            initial_gate: sigma(c_0): 0.5 (paper) or 0 (released code).
            separate_statistics: running statistics for each stream, or one for all.
            first: whether this is the first layer, which all streams share.

        Raises:
            ShapeError: an option is unknown or does not go with another.
        """
        super().__init__()
        if cell not in CELLS:
            raise ShapeError(f"cell: {cell!r} is unknown. {nearest(cell, CELLS)}")
        if norm == "joint" and cell != "rnn":
            raise ShapeError(f"norm='joint' normalizes c of Eq. 5 and needs cell='rnn', got cell={cell!r}.")
        kernel = temporal_kernel_size or kernel_size
        self.out_channels = out_channels
        self.spatial = operator(in_channels, out_channels, kernel_size=kernel_size, stride=stride, bias=True)
        self.cell = build_cell(cell, out_channels, operator, kernel, initial_gate)
        drive_channels = self.cell.drive_factor * out_channels
        self.drive = operator(in_channels, drive_channels, kernel_size=kernel, stride=stride, bias=True)
        spatial_streams = (SHARED,) if first else ("main", "spatial")
        temporal_streams = (SHARED,) if first else ("main", "temporal")
        self.spatial_norm = StreamNorm(out_channels, norm, spatial_streams, separate_statistics=separate_statistics)
        self.temporal_norm = StreamNorm(drive_channels, norm, temporal_streams, separate_statistics=separate_statistics)

    def forward(
        self,
        spatial_inputs: Mapping[str, Tensor],
        temporal_inputs: Mapping[str, Tensor],
        states: Mapping[str, CellState | None],
        *,
        frames: int,
        with_map: Collection[str],
        state_at: int | None = None,
        spatial_switch: Pattern | None = None,
        temporal_switch: Pattern | None = None,
    ) -> LayerMaps:
        """Compute the maps of all streams that come in.

        Args:
            spatial_inputs: u^{l-1} of the streams that use h_s, folded time-major rows (N C *size).
            temporal_inputs: u^{l-1} of the streams that use h_t.
            states: state before the first frame for each stream in `temporal_inputs`; None means c_0 = 0.
            frames: number of time steps T in the rows.
            with_map: streams of which c is wanted, not only its sigmoid.
            state_at: also return the state after this many frames.
            spatial_switch: Eq. 17's switch in front of Conv_s, for the main stream.
            temporal_switch: the same in front of Conv_u.

        Returns:
            The maps by stream.

        Raises:
            ShapeError: a state of another batch or size, or of another kind of cell.
        """
        spatial = self._through(self.spatial, spatial_inputs, frames, spatial_switch)  # (4)
        drive = self._through(self.drive, temporal_inputs, frames, temporal_switch)  # (5), the part of u_t
        return LayerMaps(
            spatial={name: self.spatial_norm(rows, name, frames) for name, rows in spatial.items()},
            temporal=self._recur(drive, states, frames, with_map, state_at) if drive else {},
        )

    def _recur(
        self,
        drive: dict[str, Tensor],
        before: Mapping[str, CellState | None],
        frames: int,
        with_map: Collection[str],
        at: int | None,
    ) -> dict[str, CellOutput]:
        """The part of Eq. 5 that goes over time."""
        states = {name: self._state(before.get(name), rows, frames) for name, rows in drive.items()}
        if self.temporal_norm.kind == "joint" and isinstance(self.cell, RNNCell):
            return self.cell.forward_joint(drive, states, norm=self.temporal_norm, state_at=at)
        normalized = {name: self.temporal_norm(rows, name, frames) for name, rows in drive.items()}
        return self.cell(normalized, states, with_map=with_map, state_at=at)

    def _state(self, state: CellState | None, drive: Tensor, frames: int) -> CellState:
        like = drive[: drive.shape[0] // frames, : self.out_channels]
        if state is None:
            return self.cell.initial_state(like)
        return fitting(state, like)

    @staticmethod
    def _through(
        operator: nn.Module, inputs: Mapping[str, Tensor], frames: int, pattern: Pattern | None
    ) -> dict[str, Tensor]:
        """One operator over all frames of all streams that use it; switches act on the main stream."""
        mapped: dict[str, Tensor] = {}
        for name, rows in inputs.items():
            factor = None
            if name == "main" and pattern is not None:
                factor = folded_factor(pattern, frames, rows.shape[0] // frames, rows.device)
            outcome = convolve(operator, rows, factor)
            mapped[name] = fold.channels_last(outcome)  # of one channel there is no telling the layouts apart
        return mapped
