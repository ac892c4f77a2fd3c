"""Trainings for two processes and for one, in double precision, that must come out alike. Run by torchrun, too.

As a script it trains every case of `CASES` into a folder of its own below its argument.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from fake_task import CLASSES, FakeSettings, FakeSplits, FakeTask, Model, Output
from torch import Tensor
from torch.utils.data import Dataset

from semicoupled.training.ltsc import Segment
from semicoupled.training.objective import Losses
from semicoupled.training.pooling import pooled_mean
from semicoupled.training.progress import Progress
from semicoupled.training.sampling import SampleKey
from semicoupled.training.settings import GoalWeights, SegmentSettings, SwitchSettings, TrainingSettings

BATCH = 4
STEPS = 4
LONG, SHORT = 11, 5
MIDDLE = 2.3
"""An initial loss with which q of Eq. 20 lies between its bounds, so that switches are drawn both ways."""


class MaskedClip(NamedTuple):
    """Frames, labels, and 1 where a frame is there."""

    frames: Tensor
    label: Tensor
    valid: Tensor


class Clips(Dataset[MaskedClip]):
    """Double precision noise. `unequal`: the second half of every batch is short; `padded`: with zeros, and a mask."""

    def __init__(self, size: int, settings: TogetherSettings) -> None:
        self.size, self.settings = size, settings

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, key: SampleKey) -> MaskedClip:
        lengths, frames = self.settings.lengths, self.settings.frames
        short = lengths != "equal" and key.draw % BATCH >= BATCH // 2
        generator = torch.Generator().manual_seed(1000 * key.index + key.draw + 1)
        label = torch.full((frames,), key.index % CLASSES)
        noise = torch.randn(frames, 1, 4, 4, generator=generator, dtype=torch.float64)
        images = 0.3 * noise + label[:, None, None, None].double()
        valid = torch.ones(frames, dtype=torch.float64)
        if short and lengths == "padded":
            valid[SHORT:] = 0
            images = images * valid[:, None, None, None]
        end = SHORT if short and lengths == "unequal" else frames
        return MaskedClip(images[:end], label[:end], valid[:end])


@dataclass(frozen=True)
class TogetherSettings(FakeSettings):
    """Settings of the fake task, with `lengths`: equal, padded or unequal."""

    lengths: str = "equal"


class TogetherTask(FakeTask):
    """The fake task in double precision."""

    def splits(self, settings: Any) -> Any:
        clips = Clips(settings.samples, settings)
        return FakeSplits(clips, clips, {"classes": CLASSES})  # pyright: ignore[reportArgumentType]

    def build(self, settings: Any, description: Any) -> Model:
        return super().build(settings, description).double()

    def goals(self, settings: Any) -> Any:
        def losses(output: Output, batch: MaskedClip) -> Losses:
            def loss(scores: Tensor | None) -> Tensor | None:
                if scores is None:
                    return None
                each = F.cross_entropy(scores.flatten(0, 1), batch.label.flatten(), reduction="none")
                return pooled_mean((each * batch.valid.flatten()).sum(), batch.valid.sum())

            main = loss(output.main)
            assert main is not None
            return Losses(main, loss(output.spatial), loss(output.temporal), output.main.softmax(-1))

        return losses

    def cut(self, batch: Any, segment: Segment) -> Any:
        return MaskedClip(*(tensor[:, segment.slice] for tensor in batch))

    def validate(self, settings: Any, model: Model, splits: Any, progress: Progress) -> dict[str, float]:
        return {"score": 0.0}


def _case(lengths: str = "equal", norm: str = "none", **changes: Any) -> TogetherSettings:
    training = TrainingSettings(
        steps=STEPS, batch=BATCH, accumulate=2, checkpoint_every=3, log_every=1, learning_rate=0.01, tensorboard=False
    )
    settings = TogetherSettings(lengths=lengths, frames=LONG, norm=norm, samples=10, training=training)
    return replace(settings, segments=SegmentSettings(4), goals=GoalWeights(overlap=2.0), **changes)


CASES: Mapping[str, TogetherSettings] = (
    {
        f"{method}-{scope}-{lengths}": _case(
            lengths, switches=SwitchSettings(method, scope=scope, initial_main_loss=MIDDLE)
        )
        for method in ("stsgd", "astsgd")
        for scope in ("batch", "sample")
        for lengths in ("equal", "padded", "unequal")
    }
    | {
        f"learned-{scope}-{lengths}": _case(
            lengths,
            switches=SwitchSettings("astsgd", scope=scope, controller="learned", controller_learning_rate=0.1),
        )
        for scope in ("batch", "sample")
        for lengths in ("equal", "unequal")
    }
    | {
        f"statistics-{lengths}": _case(lengths, norm="batch", switches=SwitchSettings("stsgd", scope="sample"))
        for lengths in ("equal", "unequal")
    }
)


if __name__ == "__main__":
    from semicoupled.training.loop import fit

    for case, chosen in CASES.items():
        fit(TogetherTask(), chosen, Path(sys.argv[1]) / case, device="cpu")
