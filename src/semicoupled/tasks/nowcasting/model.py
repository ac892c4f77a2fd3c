"""The nowcasting network: patches, an encoder and a decoder, heads for three goals, any size of field.

The way of a frame: dBZ / 60 with NaN where missing -> (form `advection`: carried to where its rain is now) -> patches with a
map of what is known -> encoder -> decoder, one image a step -> heads -> back to pixels -> (carried to where its rain
will be) -> forecast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semicoupled.nn.convgru import convgru
from semicoupled.nn.convlstm import convlstm
from semicoupled.nn.shapes import Float
from semicoupled.nn.stack import SemiCoupledStack
from semicoupled.nn.streams import StackState, Stream
from semicoupled.nn.switch import Switching
from semicoupled.task import TaskOutput
from semicoupled.tasks.nowcasting.advection import carry, departures, sample
from semicoupled.tasks.nowcasting.data import NowcastingBatch
from semicoupled.tasks.nowcasting.encoder_decoder import EncoderDecoder
from semicoupled.tasks.nowcasting.settings import Form, ModelSettings

TEMPORAL_CHANNELS = 3
"""Flow to the right and downward (pixels per frame), and the change of the image; none of them through a ReLU."""


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
        build = convlstm if settings.kind == "convlstm" else convgru
        return build(
            channels,
            widths,
            kernel_size=settings.kernel,
            norm=settings.norm,
            shortcut_every=settings.shortcut_every,
        )

    return NowcastingModel(
        EncoderDecoder(ours if settings.kind == "semicoupled" else rival),
        form=settings.form,
        patch=settings.patch,
        leads=leads,
        with_goals=settings.kind == "semicoupled",
    )


class NowcastingModel(nn.Module):
    """Forecasts radar images from radar images."""

    def __init__(self, network: EncoderDecoder, *, form: Form, patch: int, leads: int, with_goals: bool) -> None:
        """Put heads on a network.

        Args:
            network: encoder and decoder for 2 * patch^2 channels.
            form: see `ModelSettings`.
            patch: pixels on a side that become one cell.
            leads: frames that are forecast where nothing else is asked for.
            with_goals: whether there are heads for the spatial and the temporal goal.
        """
        super().__init__()
        self.network = network
        self.form: Form = form
        self.patch = patch
        self.leads = leads
        self.head = _head(network.out_channels, patch, 1)
        self.spatial_head = _head(network.out_channels, patch, 1) if with_goals else None
        self.temporal_head = _head(network.out_channels, patch, TEMPORAL_CHANNELS) if with_goals else None

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
        count = batch.frames.shape[1]
        leads = leads or batch.future.shape[1] or self.leads
        view = _View(batch, self.form, leads)
        last, known = view.images[:, -1], view.known[:, -1]
        seen = torch.cat([view.images, view.known], dim=2)
        code = self.network.encode(self._to_cells(seen), state, streams=streams, switch=switch, steps=leads)
        image = last
        main: list[Tensor] = []
        spatial: list[Tensor] = []
        temporal: list[Tensor] = []
        for lead in range(leads):
            given = self._to_cells(torch.cat([image, known], dim=1)[:, None])[:, 0]
            step, code = self.network.decode(
                given, code, streams=streams, switch=switch, at=count + lead, total=count + leads
            )
            before = image
            image = self._next(self.head, step.main, before, last)
            main.append(view.to_ground(image - last if self.form != "plain" else image, lead))
            if step.spatial is not None and self.spatial_head is not None:
                alone = self._next(self.spatial_head, step.spatial, before.detach(), last)
                spatial.append(view.to_ground(alone - last if self.form != "plain" else alone, lead))
            if step.temporal is not None and self.temporal_head is not None:
                temporal.append(view.to_ground_alone(self._to_pixels(self.temporal_head(step.temporal), last), lead))
        return TaskOutput(
            main=torch.stack(main, dim=1),
            spatial=torch.stack(spatial, dim=1) if spatial else None,
            temporal=torch.stack(temporal, dim=1) if temporal else None,
            state=code,
            state_at=None,
        )

    def _next(self, head: nn.Module, features: Tensor, before: Tensor, last: Tensor) -> Tensor:
        given = self._to_pixels(head(features), last)
        return given if self.form == "plain" else before + given

    def _to_cells(self, images: Float[Tensor, "B T C H W"]) -> Float[Tensor, "B T C_patch h w"]:
        """Fill up to whole patches and fold each patch into channels."""
        batch, count = images.shape[:2]
        rows = images.flatten(0, 1)
        height, width = rows.shape[-2:]
        rows = F.pad(rows, (0, -width % self.patch, 0, -height % self.patch))
        cells = F.pixel_unshuffle(rows, self.patch).contiguous(memory_format=torch.channels_last)
        return cells.unflatten(0, (batch, count))

    def _to_pixels(self, cells: Float[Tensor, "B C_patch h w"], like: Float[Tensor, "B C H W"]) -> Tensor:
        """Unfold channels into patches and cut to the size of `like`, in its precision."""
        pixels = F.pixel_shuffle(cells, self.patch).to(like.dtype)
        return pixels[..., : like.shape[-2], : like.shape[-1]]


class _View:
    """What the network sees, and the way back to the ground.

    In the form `advection` the network sees every image carried to where its rain is at the last frame, and its
    forecasts are carried on from there: nearly everything stands still before its eyes, what it has to learn is what
    grows, what fades, and where the motion is wrong.
    """

    def __init__(self, batch: NowcastingBatch, form: Form, leads: int) -> None:
        frames = batch.frames.float()
        self._last = frames[:, -1]
        self._form = form
        if form == "advection":
            motion = batch.motion.float()
            count = frames.shape[1]
            self._points = departures(motion, max(leads, count - 1))
            carried = [carry(frames[:, index], self._points[:, count - 2 - index]) for index in range(count - 1)]
            frames = torch.stack([*carried, self._last], dim=1)
            self._motion = motion
        self.known = (~frames.isnan()).float()
        self.images = frames.nan_to_num(nan=0.0)

    def to_ground(self, given: Float[Tensor, "B 1 H W"], lead: int) -> Float[Tensor, "B 1 H W"]:
        """Turn what the network gives (the image, or its change since the last one) into a forecast."""
        missing = self._last.isnan()
        if self._form == "plain":
            forecast = given
        elif self._form == "residual":
            forecast = self._last.nan_to_num(nan=0.0) + given
        else:
            arrived = carry(self._last, self._points[:, lead])
            guess = torch.where(arrived.isnan(), self._last, arrived).nan_to_num(nan=0.0)  # as the baseline does
            forecast = guess + sample(given, self._points[:, lead])
        return torch.where(missing, torch.nan, forecast)

    def to_ground_alone(self, given: Float[Tensor, "B 3 H W"], lead: int) -> Float[Tensor, "B 3 H W"]:
        """Turn flow and change into such on the ground; the network's flow comes on top of the motion that is known."""
        if self._form != "advection":
            return given
        flow, change = sample(given, self._points[:, lead]).split([2, 1], dim=1)
        return torch.cat([self._motion + flow, change], dim=1)


def _head(channels: int, patch: int, outputs: int) -> nn.Conv2d:
    """One 1x1 convolution; it starts at zero, so that the forms with a first guess start as that guess."""
    head = nn.Conv2d(channels, outputs * patch**2, 1)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(cast(Tensor, head.bias))
    return head


