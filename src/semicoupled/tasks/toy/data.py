"""The toys' samples: generated when asked for, each a pure function of (seed, index)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from semicoupled.data.shapes import SEEN, SHAPES, UNSEEN, ClipSettings, disordered, moving_shape
from semicoupled.data.star import NO_STAR, StarSettings, star_sequence
from semicoupled.errors import SettingsError, nearest
from semicoupled.tasks.toy.settings import DataSettings
from semicoupled.training.sampling import SampleKey

EPOCH = 4096
"""Samples until the training split says that it begins anew; it never does."""

# Families of samples: training takes FIRST_TRAINING + seed, so that no training ever sees a sample of another split.
# The clips of the tests, and their orders, were drawn anew (2 and 3 before) once toys, rates and steps had been fixed.
_VALIDATION, _STAR_TEST, _CLIP_TEST, _ORDER, _FIRST_TRAINING = 1, 2, 4, 5, 1000

TESTS: dict[str, tuple[str, ...]] = {
    "which_way": ("seen", "unseen_shapes"),
    "which_shape": ("seen", "shuffled_frames"),
    "star": ("seen",),
}
"""The tests of each question."""


class ToyBatch(NamedTuple):
    """A sample, or with a leading B a batch of them. The time axis comes first (second), so that all can be cut alike.

    Attributes:
        frames: T 1 H W.
        answer: T, int64: the right answer in every frame: direction, shape, or frames since the star (the last class:
            no star so far).
        shape: T, int64: what the frame shows: position in `SHAPES`; star: 1 on the star, 0 on a rhombus.
        direction: T, int64: where it moves: position in `DIRECTIONS`; star: 0, nothing moves.
        flow: T 2 H W, px per frame; T 0 where nobody learns it.
    """

    frames: Tensor
    answer: Tensor
    shape: Tensor
    direction: Tensor
    flow: Tensor


class ToyData(Dataset[ToyBatch]):
    """Samples of one split."""

    def __init__(self, settings: DataSettings, split: str, *, seed: int = 0, with_flow: bool = False) -> None:
        """Say which samples.

        Args:
            settings: question and looks.
            split: ``train``, ``validation``, or a test: ``seen``, ``unseen_shapes``, ``shuffled_frames``.
            seed: of the training split; the others are the same for all seeds.
            with_flow: give the optical flow, too.

        Raises:
            SettingsError: there is no such split of this question.
        """
        splits = ("train", "validation", *TESTS[settings.question])
        if split not in splits:
            raise SettingsError(f"question {settings.question} has no split {split!r}. {nearest(split, splits)}")
        self.settings, self.split, self.with_flow = settings, split, with_flow
        test = _STAR_TEST if settings.question == "star" else _CLIP_TEST
        self._family = {"train": _FIRST_TRAINING + seed, "validation": _VALIDATION}.get(split, test)
        self._shapes = UNSEEN if split == "unseen_shapes" else SEEN

    def __len__(self) -> int:
        """Give the number of samples."""
        return {"train": EPOCH, "validation": self.settings.validation}.get(self.split, self.settings.test)

    def __getitem__(self, key: SampleKey | int) -> ToyBatch:
        """Generate a sample; in training every draw gives a new one, until there are as many as `data.clips`."""
        asked = key if isinstance(key, SampleKey) else SampleKey(key)
        index = asked.draw if self.split == "train" and asked.draw >= 0 else asked.index
        if self.split == "train" and self.settings.clips is not None:
            index %= self.settings.clips
        return self._star(index) if self.settings.question == "star" else self._shape(index)

    def _shape(self, index: int) -> ToyBatch:
        settings = self.settings
        looks = ClipSettings(
            size=settings.side,
            frames=settings.length,
            radius=settings.radius,
            speed=settings.speed,
            noise=settings.noise,
            wrap=settings.wrap,
        )
        clip = moving_shape(self._family, index, self._shapes, looks)
        frames, flow = clip.frames, clip.flow
        if self.split == "shuffled_frames":
            frames, flow = disordered(frames, _ORDER, index), np.zeros_like(flow)
        answer = clip.direction if settings.question == "which_way" else clip.shape
        return ToyBatch(
            torch.from_numpy(frames),
            torch.full((settings.length,), answer),
            torch.full((settings.length,), clip.shape),
            torch.full((settings.length,), clip.direction),
            torch.from_numpy(flow) if self.with_flow else torch.empty(settings.length, 0),
        )

    def _star(self, index: int) -> ToyBatch:
        settings = self.settings
        early = settings.early if self.split == "train" else 1.0
        sequence = star_sequence(
            self._family, index, StarSettings(settings.side, settings.length, noise=settings.noise, early=early)
        )
        since = torch.from_numpy(sequence.since)
        return ToyBatch(
            torch.from_numpy(sequence.frames),
            torch.where(since == NO_STAR, settings.length, since),
            (since == 0).long(),
            torch.zeros(settings.length, dtype=torch.int64),
            torch.empty(settings.length, 0),
        )


def shape_classes(settings: DataSettings) -> int:
    """Give the number of values of `ToyBatch.shape`."""
    return 2 if settings.question == "star" else len(SHAPES)
