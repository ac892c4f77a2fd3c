"""The toys' model: a stack, or a rival of the same depth and widths, and small heads that answer in every frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from semicoupled.networks.cnn_lstm import CNNLSTM
from semicoupled.networks.heads import MapHead, PooledHead, read_head, with_main
from semicoupled.nn import CBMStack, RecurrentStack, SemiCoupledStack, StackState, Switching, convgru, convlstm
from semicoupled.nn.streams import Stream
from semicoupled.tasks.toy.data import ToyBatch
from semicoupled.tasks.toy.settings import ModelSettings, SubGoals
from semicoupled.training.motion_goal import motion_channels

Network = SemiCoupledStack | RecurrentStack | CBMStack | CNNLSTM


class ToyOutput(NamedTuple):
    """What the model says about every frame. What was not asked for, or has no head, is None.

    Attributes:
        main: scores of the answers, B T K (before the softmax).
        spatial: the spatial stream's scores of the answers, B T K.
        temporal: the temporal stream's scores of the answers, B T K.
        shape: the spatial stream's scores of what the frame shows, B T S.
        motion: the temporal stream's flow (2 channels) and difference (1 channel), B T M h w at the features' size.
        state: the network's state after the last frame.
        state_at: the state after as many frames as were asked for.
    """

    main: Tensor
    spatial: Tensor | None
    temporal: Tensor | None
    shape: Tensor | None
    motion: Tensor | None
    state: StackState
    state_at: StackState | None


class ToyModel(nn.Module):
    """A network with its heads; `forward` as the task's contract has it."""

    def __init__(self, network: Network, classes: int, shape_classes: int, sub_goals: SubGoals) -> None:
        """Put heads on a network.

        Args:
            network: B T 1 H W to features B T C h w.
            classes: number of answers.
            shape_classes: number of things that a frame may show.
            sub_goals: what the spatial and the temporal stream learn.
        """
        super().__init__()
        channels = network.out_channels
        motions = motion_channels(sub_goals.temporal, channels=1)
        self.network = network
        self.main_head = PooledHead(channels, classes)
        self.spatial_head = PooledHead(channels, classes) if "main" in sub_goals.spatial else None
        self.temporal_head = PooledHead(channels, classes) if "main" in sub_goals.temporal else None
        self.shape_head = PooledHead(channels, shape_classes) if "shape" in sub_goals.spatial else None
        self.motion_head = MapHead(channels, motions) if motions else None

    def forward(
        self,
        batch: ToyBatch,
        state: StackState | None = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
    ) -> ToyOutput:
        """Answer in every frame; see `SemiCoupledStack.forward` for the arguments."""
        out = self.network(
            batch.frames,
            state,
            streams=with_main(streams),
            switch=switch,
            state_at=state_at,
        )
        return ToyOutput(
            main=self.main_head(out.main),
            spatial=read_head(self.spatial_head, out.spatial),
            temporal=read_head(self.temporal_head, out.temporal),
            shape=read_head(self.shape_head, out.spatial),
            motion=read_head(self.motion_head, out.temporal),
            state=out.state,
            state_at=out.state_at,
        )

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Give the parameters whose gradients are clamped (Sec. 5.9)."""
        yield from self.network.recurrent_parameters()


def build_network(settings: ModelSettings) -> Network:
    """Build the network; all kinds get the same depth, widths, strides, norm and shortcuts."""
    widths, strides, norm, every = settings.widths, settings.strides, settings.norm, settings.shortcut_every
    if settings.kind == "convlstm":
        return convlstm(1, widths, strides=strides, norm=norm, shortcut_every=every)
    if settings.kind == "convgru":
        return convgru(1, widths, strides=strides, norm=norm, shortcut_every=every)
    if settings.kind == "cbm":
        return CBMStack(1, widths, strides=strides, norm=norm, shortcut_every=every)
    if settings.kind == "cnn_lstm":
        return CNNLSTM(
            1,
            widths,
            strides=strides,
            norm=norm,
            shortcut_every=every,
            hidden=settings.hidden,
            grid=settings.grid,
        )
    return SemiCoupledStack(
        1,
        widths,
        strides=strides,
        norm=norm,
        cell=settings.cell,
        initial_gate=settings.initial_gate,
        shortcut_every=every,
    )
