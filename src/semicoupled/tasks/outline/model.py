"""The network: features of the image, once; then the decoder, point by point; then a score of every cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.networks import efficientnet
from semicoupled.networks.backbones import VGG16BN, FeaturePyramid, LightBackbone, normalize
from semicoupled.networks.efficientnet import EfficientNetLite0
from semicoupled.networks.feature_cache import FeatureCache
from semicoupled.nn import StackState, Switching
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import Outputs, Stream
from semicoupled.tasks.outline.data import MAPS, OutlineBatch
from semicoupled.tasks.outline.geometry.polygons import GRID
from semicoupled.tasks.outline.network.decoders import Decoder, build_decoder
from semicoupled.tasks.outline.network.heads import CellHead, LinearHead
from semicoupled.tasks.outline.settings import ModelSettings

Backbone = VGG16BN | LightBackbone | EfficientNetLite0
TAPS = (1, 2, 3, 4)
"""Maps of a backbone that become features; the first is too large."""
NARROW = (12, 24, 32, 48, 48)
"""Channels of the backbone ``narrow``."""


class OutlineOutput(NamedTuple):
    """What the model says in each step. What was not asked for, or has no head, is None.

    Attributes:
        main: scores of the cells and of "closed", B T K (before the softmax); 0 behind the longest outline of the
            batch.
        spatial: the spatial stream's.
        temporal: the temporal stream's.
        maps: scores of the object, its border and its points, B 3 grid grid (before the sigmoid), from the image alone.
        state: the decoder's state after the last step that was computed.
        state_at: the state after as many steps as were asked for.
    """

    main: Tensor
    spatial: Tensor | None
    temporal: Tensor | None
    maps: Tensor
    state: StackState
    state_at: StackState | None


class OutlineModel(nn.Module):
    """Backbone, decoder and heads; `forward` as the task's contract has it, `encode` and `step` one point at a time."""

    def __init__(self, settings: ModelSettings, grid: int = GRID, *, streams: Sequence[Stream] = ()) -> None:
        """Build it.

        Args:
            settings: of the model.
            grid: cells on a side.
            streams: the spatial and temporal streams that get a head of their own.
        """
        super().__init__()
        self.grid, self.frozen = grid, settings.freeze
        self.backbone = build_backbone(settings)
        if self.frozen:
            self.backbone.requires_grad_(False)
        limit = int(settings.cache_gigabytes * 2**30)
        self._cache = FeatureCache(limit) if limit else None
        self.pyramid = FeaturePyramid([self.backbone.channels[tap] for tap in TAPS], settings.features)
        self.fields = Fields(grid) if settings.positions == "fields" else None
        self.map_head = nn.Conv2d(settings.features, len(MAPS), 1)
        self.network: Decoder = build_decoder(settings)
        heads = {stream: self._head(settings) for stream in ("main", *streams)}
        self.main_head = heads["main"]
        self.spatial_head = heads.get("spatial")
        self.temporal_head = heads.get("temporal")

    def _head(self, settings: ModelSettings) -> nn.Module:
        channels = self.network.out_channels
        return LinearHead(channels, self.grid) if settings.head == "linear" else CellHead(channels)

    def encode(self, image: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B F g g"]:
        """Give the features of images.

        Args:
            image: RGB, 0 to 1.
        """
        maps = self._look(image) if self._cache is None else self._cache.maps(image, self._look)
        return self.pyramid(maps, (self.grid, self.grid))

    def _look(self, image: Tensor) -> list[Tensor]:
        """Give the maps of the backbone that become features."""
        scaled = efficientnet.normalize(image) if isinstance(self.backbone, EfficientNetLite0) else normalize(image)
        maps = self.backbone(scaled.contiguous(memory_format=torch.channels_last))
        return [maps[tap] for tap in TAPS]

    def read_maps(self, features: Float[Tensor, "B F g g"]) -> Float[Tensor, "B 3 g g"]:
        """Give scores of the object, its border and its points (`data.MAPS`)."""
        return self.map_head(features)

    def step(
        self, features: Float[Tensor, "B F g g"], positions: Float[Tensor, "B 3 g g"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B K"], StackState]:
        """Score the next point.

        Args:
            features: of the image, from `encode`.
            positions: the first point, t-2 and t-1 (`prompts.position_maps`).
            state: what the last step returned; None before the first.

        Returns:
            Scores of the cells and of "closed", before the softmax, and the new state.
        """
        seen = torch.cat([features, self._shown(positions).to(features.dtype)], dim=1)
        hidden, after = self.network.step(seen, state)
        return self.main_head(hidden[:, None])[:, 0], after

    def forward(
        self,
        batch: OutlineBatch,
        state: StackState | None = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
    ) -> OutlineOutput:
        """Score the points of outlines that are told up to the point before; see `SemiCoupledStack.forward`."""
        features = self.encode(batch.image.float() / 255)
        length = batch.frames.shape[1]
        used = max(1, int(torch.count_nonzero(batch.weight.amax(0) > 0)))  # what is behind all ends costs nothing
        positions = batch.frames[:, :used]
        repeated = features[:, None].expand(-1, used, -1, -1, -1)
        out: Outputs = self.network(
            torch.cat([repeated, self._shown(positions).to(features.dtype)], dim=2),
            state,
            streams=("main", *(stream for stream in streams if stream != "main")),
            switch=switch,
            state_at=None if state_at is None else min(state_at, used),
        )

        def read(head: nn.Module | None, hidden: Tensor | None) -> Tensor | None:
            return None if head is None or hidden is None else F.pad(head(hidden), (0, 0, 0, length - used))

        return OutlineOutput(
            main=cast(Tensor, read(self.main_head, out.main)),
            spatial=read(self.spatial_head, out.spatial),
            temporal=read(self.temporal_head, out.temporal),
            maps=self.read_maps(features),
            state=out.state,
            state_at=out.state_at,
        )

    def _shown(self, positions: Tensor) -> Tensor:
        """How the decoder sees positions."""
        return positions if self.fields is None else self.fields(positions)

    def train(self, mode: bool = True) -> OutlineModel:
        """Set the mode; a frozen backbone keeps its statistics, too."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Give the parameters whose gradients are clamped (Sec. 5.9)."""
        yield from self.network.recurrent_parameters()


class Fields(nn.Module):
    """Spreads positions over the grid: exp(-d / `reach`) at a distance of d cells. Nothing is learned."""

    spread: Tensor

    def __init__(self, grid: int, reach: float = 5.0) -> None:
        """Build it.

        Args:
            grid: cells on a side.
            reach: cells over which a field falls to 1/e.
        """
        super().__init__()
        cells = torch.arange(grid * grid)
        x, y = (cells % grid).float(), (cells // grid).float()
        distance = torch.hypot(x[:, None] - x, y[:, None] - y)
        self.register_buffer("spread", torch.exp(-distance / reach), persistent=False)

    def forward(self, positions: Float[Tensor, "*B g g"]) -> Float[Tensor, "*B g g"]:
        """Spread maps that are 1 in one cell, or empty."""
        return (positions.flatten(-2).to(self.spread.dtype) @ self.spread).view_as(positions)


def build_backbone(settings: ModelSettings) -> Backbone:
    """Build the network that sees the image, with random weights."""
    if settings.backbone == "vgg16_bn":
        return VGG16BN()
    if settings.backbone == "efficientnet_lite0":
        return EfficientNetLite0()
    return LightBackbone(NARROW) if settings.backbone == "narrow" else LightBackbone()


def start_backbone(model: OutlineModel, pretrained: str | None) -> None:
    """Give a backbone the weights that the settings name; see `ModelSettings.pretrained`.

    Raises:
        MissingExtraError: they come in a package that is not installed.
        RunError: they are missing, or do not fit.
    """
    if pretrained is None:
        return
    if isinstance(model.backbone, VGG16BN):
        model.backbone.load_torchvision(pretrained)
    elif isinstance(model.backbone, EfficientNetLite0):
        model.backbone.load_published(pretrained)


def build_model(settings: ModelSettings, grid: int = GRID) -> OutlineModel:
    """Build the model with heads for all streams that its kind has."""
    return OutlineModel(settings, grid, streams=("spatial", "temporal") if settings.kind == "semicoupled" else ())
