"""The smallest task that uses every part of the loop: a counting net on noise, for tests alone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import Dataset

from semicoupled.nn.stack import SemiCoupledStack
from semicoupled.nn.streams import Stream
from semicoupled.nn.switch import Switching
from semicoupled.training.ltsc import Segment
from semicoupled.training.objective import Losses
from semicoupled.training.progress import Progress
from semicoupled.training.sampling import NO_AUGMENTATION, SampleKey
from semicoupled.training.settings import GoalWeights, SegmentSettings, SwitchSettings, TrainingSettings

CLASSES = 3


class Clip(NamedTuple):
    frames: Tensor
    label: Tensor


class Noise(Dataset[Clip]):
    """Clips whose brightness grows with their label; the noise on them is a function of (index, draw)."""

    def __init__(self, size: int, frames: int) -> None:
        self.size, self.frames = size, frames
        self.asked: list[SampleKey] = []

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, key: SampleKey) -> Clip:
        self.asked.append(key)
        generator = torch.Generator().manual_seed(1000 * key.index + key.draw + 1)
        label = torch.full((self.frames,), key.index % CLASSES)
        noise = torch.randn(self.frames, 1, 4, 4, generator=generator)
        return Clip(0.3 * noise + label[:, None, None, None].float(), label)


@dataclass(frozen=True)
class FakeSettings:
    seed: int = 0
    frames: int = 7
    samples: int = 10
    dropout: float = 0.0
    norm: str = "batch"
    pause: float = 0.0
    training: TrainingSettings = field(
        default_factory=lambda: TrainingSettings(steps=8, batch=2, checkpoint_every=3, log_every=2, tensorboard=False)
    )
    switches: SwitchSettings = field(default_factory=SwitchSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    goals: GoalWeights = field(default_factory=GoalWeights)


class Output(NamedTuple):
    main: Tensor
    spatial: Tensor | None
    temporal: Tensor | None
    state: Any
    state_at: Any


class Model(nn.Module):
    def __init__(self, settings: FakeSettings) -> None:
        super().__init__()
        self.network = SemiCoupledStack(1, [4, 4, 4], norm=settings.norm)  # pyright: ignore[reportArgumentType]
        self.dropout = nn.Dropout(settings.dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(4, CLASSES) for name in ("main", "spatial", "temporal")})

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        yield from self.network.recurrent_parameters()

    def forward(
        self,
        batch: Clip,
        state: Any = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
    ) -> Output:
        out = self.network(batch.frames, state, streams=streams, switch=switch, state_at=state_at)

        def head(name: str, features: Tensor | None) -> Tensor | None:
            return None if features is None else self.heads[name](self.dropout(features.mean((3, 4))))

        main = head("main", out.main)
        assert main is not None
        return Output(main, head("spatial", out.spatial), head("temporal", out.temporal), out.state, out.state_at)


class FakeSplits(NamedTuple):
    train: Noise
    validation: Noise
    description: dict[str, Any]


class FakeTask:
    name = "fake"
    start = None

    def __init__(self) -> None:
        self.cuts: list[Segment] = []

    def splits(self, settings: FakeSettings) -> FakeSplits:
        train = Noise(settings.samples, settings.frames)
        return FakeSplits(train, Noise(6, settings.frames), {"classes": CLASSES, "size": (4, 4)})

    def build(self, settings: FakeSettings, description: Any) -> Model:
        assert description["classes"] == CLASSES
        return Model(settings)

    def goals(self, settings: FakeSettings) -> Any:
        def losses(output: Output, batch: Clip) -> Losses:
            if settings.pause:
                time.sleep(settings.pause)

            def loss(scores: Tensor | None) -> Tensor | None:
                return None if scores is None else F.cross_entropy(scores.flatten(0, 1), batch.label.flatten())

            main = loss(output.main)
            assert main is not None
            return Losses(main, loss(output.spatial), loss(output.temporal), output.main.softmax(-1))

        return losses

    def cut(self, batch: Clip, segment: Segment) -> Clip:
        self.cuts.append(segment)
        return Clip(batch.frames[:, segment.slice], batch.label[:, segment.slice])

    def validate(
        self, settings: FakeSettings, model: Model, splits: FakeSplits, progress: Progress
    ) -> dict[str, float]:
        assert not model.training
        clips = [splits.validation[SampleKey(index, NO_AUGMENTATION)] for index in range(len(splits.validation))]
        batch = Clip(torch.stack([clip.frames for clip in clips]), torch.stack([clip.label for clip in clips]))
        scores = model(batch).main
        return {"score": -F.cross_entropy(scores.flatten(0, 1), batch.label.flatten()).item()}
