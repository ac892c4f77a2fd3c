"""The steering model: a stack or a rival of the same depth and strides, and heads that answer in every frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from semicoupled.networks import table1
from semicoupled.networks.framewise import Framewise, FramewiseLSTM
from semicoupled.networks.grid import GridHead
from semicoupled.networks.heads import MapHead, read_head, with_main
from semicoupled.networks.image_trunks import ImageTrunk
from semicoupled.networks.residual_trunk import ResidualTrunk
from semicoupled.networks.streaming import S_WIDTHS, STRIDES, XS_WIDTHS
from semicoupled.nn import RecurrentStack, SemiCoupledStack, StackState, Switching, convlstm
from semicoupled.nn.streams import Stream
from semicoupled.tasks.driving.data import DrivingBatch
from semicoupled.tasks.driving.settings import ModelSettings, SubGoals
from semicoupled.training.motion_goal import motion_channels
from semicoupled.training.settings import GoalWeights

Network = SemiCoupledStack | RecurrentStack | Framewise | FramewiseLSTM

XXS_WIDTHS, XXS_STRIDES = (16, 24, 32, 48, 64, 64), (2, 1, 2, 1, 2, 1)
"""At 96 x 64 px: 48 x 32, pooled to 24 x 16; then one layer there, two at 12 x 8, two at 6 x 4."""

CHANNELS = 3
"""Of a frame: RGB."""

_EVEN = 8
"""Widths that a factor makes are rounded to a multiple of it."""


class DrivingOutput(NamedTuple):
    """What the model says about every frame. What was not asked for, or has no head, is None.

    Attributes:
        main: the angle between 0 and 1 (see `angles.normalize`), B T 1.
        spatial: the spatial stream's, B T 1.
        temporal: the temporal stream's, B T 1.
        motion: the temporal stream's flow (2 channels) and difference (3), B T M h w at the features' size.
        state: the network's state after the last frame.
        state_at: the state after as many frames as were asked for.
    """

    main: Tensor
    spatial: Tensor | None
    temporal: Tensor | None
    motion: Tensor | None
    state: StackState
    state_at: StackState | None


class AngleHead(nn.Module):
    """From the last map to an angle between 0 and 1."""

    def __init__(self, channels: int, grid: tuple[int, int], dropout: float) -> None:
        """Build the head; see `GridHead` for the arguments. It begins at straight ahead."""
        super().__init__()
        self.head = GridHead(channels, 1, grid, dropout)
        _ = nn.init.zeros_(self.head.linear.weight)
        _ = nn.init.zeros_(self.head.linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Give B T 1."""
        return torch.sigmoid(self.head(features).float())


class DrivingModel(nn.Module):
    """A network with its heads; `forward` as the task's contract has it."""

    def __init__(
        self, network: Network, settings: ModelSettings, sub_goals: SubGoals, goals: GoalWeights | None = None
    ) -> None:
        """Put heads on a network.

        Args:
            network: B T 3 H W to features B T C h w.
            settings: of the heads.
            sub_goals: what the temporal stream learns.
            goals: weights of the goals; a stream whose weight is 0 learns nothing, and answers nothing. None: 1 each.
        """
        super().__init__()
        channels = network.out_channels
        # behind an LSTM there is one cell, and side streams exist in our structure alone
        grid = (1, 1) if isinstance(network, FramewiseLSTM) else settings.grid
        ours = settings.kind == "semicoupled"
        motions = motion_channels(sub_goals.temporal, CHANNELS) if ours else 0
        told = ours and "main" in sub_goals.temporal
        self.network = network
        self.main_head = AngleHead(channels, grid, settings.dropout)
        self.spatial_head = AngleHead(channels, grid, settings.dropout) if ours else None
        self.temporal_head = AngleHead(channels, grid, settings.dropout) if told else None
        self.motion_head = MapHead(channels, motions) if motions else None
        weights = goals or GoalWeights()
        heads = {
            "main": True,
            "spatial": self.spatial_head is not None and weights.spatial > 0,
            "temporal": self.temporal_head is not None and weights.temporal > 0,
        }
        self.streams = cast("tuple[Stream, ...]", tuple(name for name, learns in heads.items() if learns))
        """The streams that answer the main goal."""

    def forward(
        self,
        batch: DrivingBatch,
        state: StackState | None = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
    ) -> DrivingOutput:
        """Answer in every frame; see `SemiCoupledStack.forward` for the arguments."""
        return self.answer(batch.frames, state, streams=streams, switch=switch, state_at=state_at)

    def answer(
        self,
        frames: Tensor,
        state: StackState | None = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
    ) -> DrivingOutput:
        """The same from frames alone, B T 3 H W; see `data.to_frames`."""
        out = self.network(frames, state, streams=with_main(streams), switch=switch, state_at=state_at)
        return DrivingOutput(
            main=self.main_head(out.main),
            spatial=read_head(self.spatial_head, out.spatial) if "spatial" in self.streams else None,
            temporal=read_head(self.temporal_head, out.temporal) if "temporal" in self.streams else None,
            motion=read_head(self.motion_head, out.temporal),
            state=out.state,
            state_at=out.state_at,
        )

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Give the parameters whose gradients are clamped (Sec. 5.9)."""
        yield from self.network.recurrent_parameters()


def layers_of(settings: ModelSettings) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give widths and strides of the layers that the settings ask for."""
    named = {
        "paper": (table1.WIDTHS, table1.STRIDES),
        "s": (S_WIDTHS, STRIDES),
        "xs": (XS_WIDTHS, STRIDES),
        "xxs": (XXS_WIDTHS, XXS_STRIDES),
    }
    widths, strides = named[settings.size]
    if settings.widths is not None and settings.strides is not None:
        widths, strides = settings.widths, settings.strides
    if settings.width != 1:
        widths = tuple(max(_EVEN, round(width * settings.width / _EVEN) * _EVEN) for width in widths)
    return widths, strides


def build_network(settings: ModelSettings) -> Network:
    """Build the network."""
    if settings.kind == "resnet18":
        return Framewise(ImageTrunk("resnet18"))
    if settings.kind == "vgg_lstm":
        return FramewiseLSTM(ImageTrunk("vgg16", flat=True), settings.hidden, settings.grid)
    widths, strides = layers_of(settings)
    kernels = (7, *[3] * (len(widths) - 1))
    norm, every = settings.norm, settings.shortcut_every
    if settings.kind == "convlstm":
        pooled = (strides[0] * (2 if settings.pool_first else 1), *strides[1:])
        return convlstm(CHANNELS, widths, strides=pooled, norm=norm, shortcut_every=every)
    if settings.kind == "semicoupled":
        return SemiCoupledStack(
            CHANNELS,
            widths,
            kernel_size=kernels,
            temporal_kernel_size=3,
            strides=strides,
            norm=norm,
            cell=settings.cell,
            initial_gate=settings.initial_gate,
            shortcut_every=every,
            pool_first=settings.pool_first,
        )
    trunk = ResidualTrunk(
        CHANNELS,
        widths,
        kernel_size=kernels,
        strides=strides,
        norm=norm,
        shortcut_every=every,
        pool_first=settings.pool_first,
    )
    return Framewise(trunk) if settings.kind == "cnn" else FramewiseLSTM(trunk, settings.hidden, settings.grid)
