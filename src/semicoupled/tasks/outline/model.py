"""The network: features of the image, once; then the decoder, point by point; then a score of every cell."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.networks import efficientnet
from semicoupled.networks.backbones import FeaturePyramid, normalize
from semicoupled.networks.efficientnet import EfficientNetLite0
from semicoupled.networks.feature_cache import FeatureCache
from semicoupled.networks.heads import with_main
from semicoupled.networks.skips import SkipBranches
from semicoupled.nn import StackState, Switching
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import Outputs, Stream
from semicoupled.tasks.outline.data import MAPS, OutlineBatch
from semicoupled.tasks.outline.geometry.polygons import GRID
from semicoupled.tasks.outline.network.attention import Attention
from semicoupled.tasks.outline.network.decoders import Decoder, build_decoder
from semicoupled.tasks.outline.network.evaluator import Evaluator
from semicoupled.tasks.outline.network.fields import Fields
from semicoupled.tasks.outline.network.graph import GraphUpsampling, Ring, ring_of
from semicoupled.tasks.outline.network.heads import CellHead, LinearHead
from semicoupled.tasks.outline.network.look import TAPS, build_backbone
from semicoupled.tasks.outline.network.reinforce import Practice, likelihood, try_out
from semicoupled.tasks.outline.network.rollout import Corners
from semicoupled.tasks.outline.settings import ModelSettings

PARTS = ("attention", "evaluator", "graph")
"""What a model may have more than the run whose weights it begins with."""


class Seen(NamedTuple):
    """What an image looks like.

    Attributes:
        features: B F g g.
        fine: B D 4g 4g; None where the model has no use for them.
    """

    features: Tensor
    fine: Tensor | None


class Nodes(NamedTuple):
    """What the graph network says of true outlines.

    Attributes:
        ring: its nodes.
        scores: of their offsets, B M K (before the softmax).
    """

    ring: Ring
    scores: Tensor


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
        practice: in training, what was drawn without being told, where it is learned from.
        nodes: in training, of the graph network, where there is one.
    """

    main: Tensor
    spatial: Tensor | None
    temporal: Tensor | None
    maps: Tensor
    state: StackState
    state_at: StackState | None
    practice: Practice | None = None
    nodes: Nodes | None = None


class OutlineModel(nn.Module):
    """Backbone, decoder and heads; `forward` as the task's contract has it, `encode` and `step` one point at a time."""

    may_lack = tuple(f"{part}." for part in PARTS)
    """Weights that those to begin with may do without (see `training.weights.load_weights`)."""

    def __init__(
        self,
        settings: ModelSettings,
        grid: int = GRID,
        *,
        streams: Sequence[Stream] = (),
        reinforce: bool = False,
    ) -> None:
        """Build it.

        Args:
            settings: of the model.
            grid: cells on a side.
            streams: the spatial and temporal streams that get a head of their own.
            reinforce: whether it learns from what it draws by chance.
        """
        super().__init__()
        self.grid, self.frozen, self.reinforce = grid, settings.freeze, reinforce
        self.parts_alone = settings.learn == "parts"
        self.backbone = build_backbone(settings)
        if self.frozen:
            self.backbone.requires_grad_(False)
        limit = int(settings.cache_gigabytes * 2**30)
        self._cache = FeatureCache(limit) if limit else None
        self.taps = TAPS[settings.skips]
        taken = [self.backbone.channels[tap] for tap in self.taps]
        fine = max(settings.features // 2, 8)
        self.pyramid: FeaturePyramid | SkipBranches = (
            FeaturePyramid(taken, settings.features)
            if settings.skips == "pyramid"
            else SkipBranches(taken, settings.features, fine)
        )
        self.fields = Fields(grid) if settings.positions == "fields" else None
        self.map_head = nn.Conv2d(settings.features, len(MAPS), 1)
        self.network: Decoder = build_decoder(settings)
        heads = {stream: self._head(settings) for stream in ("main", *streams)}
        self.main_head = heads["main"]
        self.spatial_head = heads.get("spatial")
        self.temporal_head = heads.get("temporal")
        first, last = settings.channels[0], settings.channels[-1]
        self.attention = Attention(settings.features, first, last) if settings.attention else None
        self.evaluator = Evaluator(settings.features, last, grid) if settings.evaluator else None
        self.graph = GraphUpsampling(fine) if settings.graph else None
        if self.parts_alone:
            for name, child in self.named_children():
                child.requires_grad_(name in ("evaluator", "graph"))

    def _head(self, settings: ModelSettings) -> nn.Module:
        channels = self.network.out_channels
        return LinearHead(channels, self.grid) if settings.head == "linear" else CellHead(channels)

    def encode(self, image: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B F g g"]:
        """Give the features of images.

        Args:
            image: RGB, 0 to 1.
        """
        return self.look(image).features

    def look(self, image: Float[Tensor, "B 3 H W"]) -> Seen:
        """Give the features of images, and the fine ones where there are any.

        Args:
            image: RGB, 0 to 1.
        """
        maps = self._look(image) if self._cache is None else self._cache.maps(image, self._look)
        found = self.pyramid(maps, (self.grid, self.grid))
        return Seen(found, None) if isinstance(found, Tensor) else Seen(*found)

    def _look(self, image: Tensor) -> list[Tensor]:
        """Give the maps of the backbone that become features."""
        scaled = efficientnet.normalize(image) if isinstance(self.backbone, EfficientNetLite0) else normalize(image)
        maps = self.backbone(scaled.contiguous(memory_format=torch.channels_last))
        return [maps[tap] for tap in self.taps]

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
        if self.attention is not None:
            before = self.network.initial_state(len(features), (self.grid, self.grid)) if state is None else state
            features = self.attention(features, before)
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
        seen = self.look(batch.image.float() / 255)
        features = seen.features
        length = batch.frames.shape[1]
        used = max(1, int(torch.count_nonzero(batch.weight.amax(0) > 0)))  # what is behind all ends costs nothing
        out = self._told(
            features,
            batch.frames[:, :used],
            state,
            streams=with_main(streams),
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
            practice=self._practice(batch, features) if self._practices else None,
            nodes=self._nodes(batch, seen.fine),
        )

    def _told(
        self,
        features: Tensor,
        positions: Float[Tensor, "B T 3 g g"],
        state: StackState | None = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
    ) -> Outputs:
        """Run the decoder over points that are known; with attention one step after the other."""
        count = positions.shape[1]
        if self.attention is None:
            seen = features[:, None].expand(-1, count, -1, -1, -1)
            frames = torch.cat([seen, self._shown(positions).to(features.dtype)], dim=2)
            return self.network(frames, state, streams=streams, switch=switch, state_at=state_at)
        now = self.network.initial_state(len(features), (self.grid, self.grid)) if state is None else state
        states, hidden = [now], list[Tensor]()
        for step in range(count):
            shown = self._shown(positions[:, step])
            weighed = torch.cat([self.attention(features, now), shown.to(features.dtype)], dim=1)
            out: Outputs = self.network(weighed[:, None], now, streams=streams, switch=switch)
            now = out.state
            hidden.append(cast(Tensor, out.main))
            states.append(now)
        at = None if state_at is None else states[state_at]
        return Outputs(torch.cat(hidden, dim=1), None, None, now, at, ())

    @property
    def _practices(self) -> bool:
        return self.training and (self.reinforce or self.evaluator is not None)

    def _practice(self, batch: OutlineBatch, features: Tensor) -> Practice:
        """Draw the outlines of a batch, by chance and as is likeliest, from the same start and to the same end.

        The decoder is in eval mode: what is drawn by chance must be as likely as it says.
        """
        told = batch.frames[:, 0, :2].flatten(2)
        classes = torch.where(told.amax(2) > 0, told.argmax(2), -1)
        first, end = classes.unbind(1)

        def step(positions: Tensor, state: StackState | None) -> tuple[Tensor, StackState]:
            return self.step(features, positions, state)

        def scores(positions: Tensor) -> Tensor:
            return self.main_head(self._told(features, positions).main)

        with _evaluating(self.network):
            chance, likely = (
                try_out(step, first, end, batch.contour, grid=self.grid, most=batch.frames.shape[1], sample=sample)
                for sample in (True, False)
            )
            likelihoods = likelihood(scores, chance.rolled, self.grid) if self.reinforce else None
        guessed = None
        if self.evaluator is not None:
            guesses = [self.evaluator(features, one.rolled.map, one.corners) for one in (chance, likely)]
            guessed = torch.cat(guesses)
        return Practice(likelihoods, chance.iou, likely.iou, guessed)

    def _nodes(self, batch: OutlineBatch, fine: Tensor | None) -> Nodes | None:
        """Let the graph network score true outlines on the coarse grid, with the points that slipped."""
        if self.graph is None or fine is None or not self.training:
            return None
        cells = batch.frames[:, :, 2].flatten(2).argmax(2)
        points = torch.stack([cells % self.grid, cells // self.grid], dim=-1).float() + 0.5
        ring = ring_of(Corners(points, (batch.weight > 0).sum(1)))
        return Nodes(ring, self.graph(fine, ring))

    def _shown(self, positions: Tensor) -> Tensor:
        """How the decoder sees positions."""
        return positions if self.fields is None else self.fields(positions)

    def train(self, mode: bool = True) -> OutlineModel:
        """Set the mode; a frozen backbone keeps its statistics, too."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        if self.parts_alone:
            for name, child in self.named_children():
                child.train(mode and name in ("evaluator", "graph"))
        return self

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Give the parameters whose gradients are clamped (Sec. 5.9)."""
        yield from self.network.recurrent_parameters()


@contextmanager
def _evaluating(network: nn.Module) -> Generator[None]:
    """Put a network into eval mode for a while."""
    before = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(before)


def build_model(settings: ModelSettings, grid: int = GRID, *, reinforce: bool = False) -> OutlineModel:
    """Build the model with heads for all streams that its kind has.

    Args:
        settings: of the model.
        grid: cells on a side.
        reinforce: whether it learns from what it draws by chance.
    """
    streams: Sequence[Stream] = ("spatial", "temporal") if settings.kind == "semicoupled" else ()
    return OutlineModel(settings, grid, streams=streams, reinforce=reinforce)
