"""The nowcasting network: patches, an encoder and a decoder, heads for three goals, any size of field.

The way of a frame: dBZ / 60 with NaN where missing -> (form `advection`: carried to where its rain is now) -> patches
with a map of what is known -> encoder -> decoder, one image a step -> heads -> back to pixels -> (carried to where its
rain will be) -> forecast.
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
from semicoupled.tasks.nowcasting.data import NowcastingBatch
from semicoupled.tasks.nowcasting.encoder_decoder import EncoderDecoder
from semicoupled.tasks.nowcasting.scales import bands
from semicoupled.tasks.nowcasting.settings import Form, ModelSettings
from semicoupled.tasks.nowcasting.view import View

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
        images = patch**2 + (scales + 1 if scales else 0)
        self.head = _head(network.out_channels, images)
        self.spatial_head = _head(network.out_channels, images) if with_goals else None
        self.temporal_head = _head(network.out_channels, TEMPORAL_CHANNELS * patch**2) if with_goals else None

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
        batch = NowcastingBatch(*(tensor.to(self.head.weight.dtype) for tensor in batch))
        count = batch.frames.shape[1]
        leads = leads or batch.future.shape[1] or self.leads
        view = View(batch, moving=self.form == "advection", leads=leads)
        last, known = view.images[:, -1], view.known[:, -1]
        parts = bands(last, known, self.scales) if self.scales else None
        cells = self.to_cells(torch.cat([view.images, view.known], dim=2))
        code = self.network.encode(cells, state, streams=streams, switch=switch, steps=leads)
        image = last
        main: list[Tensor] = []
        spatial: list[Tensor] = []
        temporal: list[Tensor] = []
        for lead in range(leads):
            given = self.to_cells(torch.cat([image, known], dim=1)[:, None])[:, 0]
            at, total = count + lead, count + leads
            step, code = self.network.decode(given, code, streams=streams, switch=switch, at=at, total=total)
            image = self.next_image(self.head(step.main), last, parts)
            main.append(view.to_ground(image, lead))
            if step.spatial is not None and self.spatial_head is not None:
                spatial.append(view.to_ground(self.next_image(self.spatial_head(step.spatial), last, parts), lead))
            if step.temporal is not None and self.temporal_head is not None:
                changes = self._to_pixels(self.temporal_head(step.temporal), last)
                temporal.append(view.flow_to_ground(changes, lead))
        return TaskOutput(
            main=torch.stack(main, dim=1),
            spatial=torch.stack(spatial, dim=1) if spatial else None,
            temporal=torch.stack(temporal, dim=1) if temporal else None,
            state=code,
            state_at=None,
        )

    def next_image(self, given: Tensor, last: Tensor, parts: Tensor | None) -> Tensor:
        """Make the next image, as the network sees it, of what a head gives."""
        if self.form == "plain":
            return self._to_pixels(given, last)
        if parts is None:
            return last + self._to_pixels(given, last)
        change, fading = given.split([self.patch**2, self.scales + 1], dim=1)
        height, width = (size * self.patch for size in fading.shape[-2:])
        fading = F.interpolate(fading.to(last.dtype), (height, width), mode="bilinear", align_corners=False)
        left = 1 + _cut(fading, last)
        return (left * parts).sum(1, keepdim=True) + self._to_pixels(change, last)

    def to_cells(
        self, images: Float[Tensor, "B T C H W"], size: Sequence[int] | None = None
    ) -> Float[Tensor, "B T C_patch h w"]:
        """Fill up to whole patches and fold each patch into channels; `size` is (h, w), if it is known."""
        batch, count = images.shape[:2]
        rows = images.flatten(0, 1)
        height, width = rows.shape[-2:]
        down, across = size or (-(-height // self.patch), -(-width // self.patch))
        rows = F.pad(rows, (0, across * self.patch - width, 0, down * self.patch - height))
        cells = F.pixel_unshuffle(rows, self.patch).contiguous(memory_format=torch.channels_last)
        return cells.unflatten(0, (batch, count))

    def _to_pixels(self, cells: Float[Tensor, "B C_patch h w"], like: Float[Tensor, "B C H W"]) -> Tensor:
        """Unfold channels into patches and cut to the size of `like`, in its precision."""
        return _cut(F.pixel_shuffle(cells, self.patch).to(like.dtype), like)


def _cut(images: Float[Tensor, "B C h w"], like: Float[Tensor, "B D H W"]) -> Float[Tensor, "B C H W"]:
    """Cut off what was filled up."""
    height, width = like.shape[-2:]
    if torch.compiler.is_exporting():  # the layout of a slice depends on whether anything was cut off
        return images.index_select(-2, torch.arange(height)).index_select(-1, torch.arange(width))
    return images[..., :height, :width]


def _head(channels: int, outputs: int) -> nn.Conv2d:
    """One 1x1 convolution; it starts at zero, so that a form with a first guess starts as that guess."""
    head = nn.Conv2d(channels, outputs, 1)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(cast(Tensor, head.bias))
    return head
