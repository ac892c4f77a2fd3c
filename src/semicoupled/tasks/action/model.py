"""The model: a network of one of the kinds, and small heads that answer in every frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

from torch import nn

from semicoupled.networks.grid import GridHead
from semicoupled.networks.heads import MapHead, read_head, with_main
from semicoupled.nn.shapes import Tensor
from semicoupled.nn.streams import StackState, Stream
from semicoupled.nn.switch import Switching
from semicoupled.tasks.action.architecture import build_network
from semicoupled.tasks.action.data import ActionBatch
from semicoupled.tasks.action.settings import AT_ONCE, ActionSettings
from semicoupled.training.motion_goal import motion_channels


class ActionOutput(NamedTuple):
    """What the model says about every frame. What was not asked for, or has no head, is None.

    Attributes:
        main: scores of the classes, B T K (before the softmax).
        spatial: the spatial stream's scores, B T K.
        temporal: the temporal stream's scores, B T K.
        motion: the temporal stream's flow (2 channels) and difference (as many as a frame has), B T M h w.
        state: the network's state after the last frame.
        state_at: the state after as many frames as were asked for.
    """

    main: Tensor
    spatial: Tensor | None
    temporal: Tensor | None
    motion: Tensor | None
    state: StackState
    state_at: StackState | None


class ActionModel(nn.Module):
    """A network with its heads; `forward` as the task's contract has it."""

    def __init__(self, network: nn.Module, classes: int, settings: ActionSettings) -> None:
        """Put heads on a network.

        Args:
            network: B T C H W to features B T D h w.
            classes: number of classes.
            settings: the heads, and what the temporal stream learns.
        """
        super().__init__()
        self.network = network
        channels, goals, model = int(cast(Any, network).out_channels), settings.sub_goals.temporal, settings.model
        # of a network without a map there is nothing to lay a grid over
        grid = (1, 1) if model.kind in ("cnn_lstm", *AT_ONCE) else model.grid
        branched = model.kind == "semicoupled"

        def head() -> GridHead:
            return GridHead(channels, classes, grid, model.dropout)

        self.main_head = head()
        # a stream that learns nothing has nothing to say
        self.spatial_head = head() if branched and settings.goals.spatial else None
        self.temporal_head = head() if branched and settings.goals.temporal and "main" in goals else None
        motions = motion_channels(goals, settings.data.channels) if branched and settings.goals.temporal else 0
        self.motion_head = MapHead(channels, motions) if motions else None

    def forward(
        self,
        batch: ActionBatch,
        state: StackState | None = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
    ) -> ActionOutput:
        """Answer in every frame; see `SemiCoupledStack.forward` for the arguments."""
        out = self.network(
            batch.frames,
            state,
            streams=with_main(streams),
            switch=switch,
            state_at=state_at,
        )
        return ActionOutput(
            main=self.main_head(out.main),
            spatial=read_head(self.spatial_head, out.spatial),
            temporal=read_head(self.temporal_head, out.temporal),
            motion=read_head(self.motion_head, out.temporal),
            state=out.state,
            state_at=out.state_at,
        )

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Give the parameters whose gradients are clamped (Sec. 5.9)."""
        yield from cast(Any, self.network).recurrent_parameters()


def build_model(settings: ActionSettings, classes: int) -> ActionModel:
    """Build a fresh model.

    Args:
        settings: all of them.
        classes: number of classes.
    """
    return ActionModel(build_network(settings.model, settings.data.channels), classes, settings)
