"""The nowcasting network: patches, an encoder and a decoder, heads for three goals, any size of field.

The way of a frame: dBZ / 60 with NaN where missing -> (form `advection`: carried to where its rain is now) -> patches
with a map of what is known -> encoder -> decoder, one image a step -> heads -> back to pixels -> (carried to where its
rain will be) -> forecast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from semicoupled.networks.predrnn import PredRNN
from semicoupled.nn.convgru import convgru
from semicoupled.nn.convlstm import convlstm
from semicoupled.nn.stack import SemiCoupledStack
from semicoupled.nn.streams import StackState, Stream
from semicoupled.nn.switch import Switching
from semicoupled.task_parts import TaskOutput
from semicoupled.tasks.nowcasting.data import NowcastingBatch
from semicoupled.tasks.nowcasting.network.encoder_decoder import EncoderDecoder
from semicoupled.tasks.nowcasting.network.image_heads import ImageHead, image_head, pointwise
from semicoupled.tasks.nowcasting.network.patches import to_cells, to_pixels
from semicoupled.tasks.nowcasting.network.view import View
from semicoupled.tasks.nowcasting.settings import Form, ModelSettings

TEMPORAL_CHANNELS = 3
"""Flow to the right and downward (pixels per frame), and the change of the image; none of them through a ReLU."""

RIVALS = {"convlstm": convlstm, "convgru": convgru, "predrnn": PredRNN}


def build_model(settings: ModelSettings, leads: int) -> NowcastingModel:
    """Build a network from its settings.

    Args:
        settings: the network's.
        leads: frames that it forecasts where nothing else is asked for.
    """
    widths = [settings.width] * settings.layers
    channels = 2 * settings.patch**2

    def ours() -> nn.Module:
        return SemiCoupledStack(
            channels,
            widths,
            kernel_size=settings.kernel,
            norm=settings.norm,
            cell=settings.cell,
            initial_gate=settings.initial_gate,
            shortcut_every=settings.shortcut_every,
            checkpointing=settings.checkpointing,
        )

    def rival() -> nn.Module:
        return RIVALS[settings.kind](
            channels,
            widths,
            kernel_size=settings.kernel,
            norm=settings.norm,
            shortcut_every=settings.shortcut_every,
        )

    return NowcastingModel(
        EncoderDecoder(ours if settings.kind == "semicoupled" else rival),
        form=settings.form,
        scales=settings.scales if settings.form == "advection" else 0,
        patch=settings.patch,
        leads=leads,
        with_goals=settings.kind == "semicoupled",
    )


class NowcastingModel(nn.Module):
    """Forecasts radar images from radar images."""

    def __init__(
        self, network: EncoderDecoder, *, form: Form, scales: int, patch: int, leads: int, with_goals: bool
    ) -> None:
        """Put heads on a network.

        Args:
            network: encoder and decoder for 2 * patch^2 channels.
            form: see `ModelSettings`.
            scales: see `ModelSettings`.
            patch: pixels on a side that become one cell.
            leads: frames that are forecast where nothing else is asked for.
            with_goals: whether there are heads for the spatial and the temporal goal.
        """
        super().__init__()
        self.network = network
        self.form: Form = form
        self.scales = scales
        self.patch = patch
        self.leads = leads
        self.head = image_head(form, network.out_channels, patch, scales)
        self.spatial_head = image_head(form, network.out_channels, patch, scales) if with_goals else None
        self.temporal_head = pointwise(network.out_channels, TEMPORAL_CHANNELS * patch**2) if with_goals else None

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Weights whose gradients are clamped before a step (Sec. 5.9)."""
        for stack in (self.network.encoder, self.network.decoder):
            yield from cast(SemiCoupledStack, stack).recurrent_parameters()

    def forward(
        self,
        batch: NowcastingBatch,
        state: StackState | None = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
        leads: int | None = None,
    ) -> TaskOutput:
        """Forecast.

        Args:
            batch: frames that go in, and the motion that they show.
            state: the encoder's state before the first frame; None for a fresh start.
            streams: `main`, and in training `spatial` and `temporal`.
            switch: a draw for all frames in and out and for the layers of both stacks.
            state_at: not used: windows are trained whole.
            leads: frames to forecast; None for as many as `batch.future` has, or, without it, as in training.

        Returns:
            main and spatial: B K 1 H W on the scale dBZ / 60, NaN where the last frame is missing. temporal: B K 3 H W,
            flow and change; the change is seen from the frame of reference of the form.
        """
        del state_at
        streams = tuple(dict.fromkeys(("main", *streams)))  # the decoder feeds on the main stream's output
        weight = next(self.parameters())
        frames, future, motion, flow = (tensor.to(weight.dtype) for tensor in batch[:-1])
        batch = NowcastingBatch(frames, future, motion, flow, batch.taught)
        count = batch.frames.shape[1]
        leads = leads or batch.future.shape[1] or self.leads
        view = View(batch, moving=self.form == "advection", leads=leads)
        last, known = view.images[:, -1], view.known[:, -1]
        head, spatial_head = cast(ImageHead, self.head), cast("ImageHead | None", self.spatial_head)
        kept = spatial_kept = head.start(view.images, view.known)
        if spatial_head is not None and "spatial" in streams:
            spatial_kept = spatial_head.start(view.images, view.known)
        cells = to_cells(torch.cat([view.images, view.known], dim=2), self.patch)
        code = self.network.encode(cells, state, streams=streams, switch=switch, steps=leads)
        image = last
        main: list[Tensor] = []
        spatial: list[Tensor] = []
        temporal: list[Tensor] = []
        for lead in range(leads):
            if lead and lead <= batch.taught.shape[1] and bool(batch.taught[:, lead - 1].any()):
                image = torch.where(batch.taught[:, lead - 1].view(-1, 1, 1, 1), view.future(lead - 1), image)
            given = to_cells(torch.cat([image, known], dim=1)[:, None], self.patch)[:, 0]
            at, total = count + lead, count + leads
            step, code = self.network.decode(given, code, streams=streams, switch=switch, at=at, total=total)
            image, kept = head(step.main, kept)
            main.append(view.to_ground(image, lead))
            if step.spatial is not None and spatial_head is not None:
                said, spatial_kept = spatial_head(step.spatial, spatial_kept)
                spatial.append(view.to_ground(said, lead))
            if step.temporal is not None and self.temporal_head is not None:
                changes = to_pixels(self.temporal_head(step.temporal), self.patch, last)
                temporal.append(view.flow_to_ground(changes, lead))
        return TaskOutput(
            main=torch.stack(main, dim=1),
            spatial=torch.stack(spatial, dim=1) if spatial else None,
            temporal=torch.stack(temporal, dim=1) if temporal else None,
            state=code,
            state_at=None,
        )
