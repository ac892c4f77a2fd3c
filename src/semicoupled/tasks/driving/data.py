"""Samples for training: clips of a drive, each frame with its angle.

Everything random is a function of the seed and of the sample's key, so that a resumed training sees what an
uninterrupted one would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from semicoupled.data.flow import flip_flow
from semicoupled.errors import DataError
from semicoupled.nn.shapes import Float
from semicoupled.tasks.driving.angles import normalize
from semicoupled.tasks.driving.data_settings import AugmentSettings, DataSettings
from semicoupled.tasks.driving.images import Flows, SeenDrive
from semicoupled.tasks.driving.smoothing import smooth
from semicoupled.training.sampling import NO_AUGMENTATION, SampleKey


class DrivingBatch(NamedTuple):
    """A clip, or with a leading B a batch of them. The time axis comes first (second), so that all can be cut alike.

    Attributes:
        frames: T 3 H W, RGB (see `to_frames`).
        angle: T, the label between 0 and 1 (see `angles.normalize`).
        weight: T, how much each frame's answer counts: 0 where it is not asked for, or has no label.
        flow: T 2 h w, from the frame before, pixels of the frames; T 0 where nobody learns it.
    """

    frames: Float[Tensor, "B T 3 H W"]
    angle: Float[Tensor, "B T"]
    weight: Float[Tensor, "B T"]
    flow: Tensor


class _Clip(NamedTuple):
    """Arrays of a sample: T H W 3 uint8, T, T 2 h w or None."""

    images: np.ndarray
    angle: np.ndarray
    flow: np.ndarray | None


class DrivingData(Dataset[DrivingBatch]):
    """All clips of some drives."""

    def __init__(
        self,
        drives: Sequence[SeenDrive],
        settings: DataSettings,
        *,
        seed: int,
        warm_up: int | None,
        with_flow: bool,
        augmented: bool,
    ) -> None:
        """Say what to draw from.

        Args:
            drives: cut at gaps, with their images.
            settings: frames of a clip, how far apart clips begin, what the label is, how clips are varied.
            seed: everything random follows from it.
            warm_up: frames at the begin of a clip that do not count; None for all but the last.
            with_flow: give the optical flow, too.
            augmented: whether clips are varied where their key allows.

        Raises:
            DataError: no drive is as long as a clip.
        """
        self.drives, self.settings = list(drives), settings
        self._seed, self._augmented = seed, augmented
        self._first = settings.frames - 1 if warm_up is None else warm_up
        self._labels = [label_of(seen, settings) for seen in self.drives]
        self._flows = [Flows(seen) for seen in self.drives] if with_flow else None
        self._clips = [
            (number, start)
            for number, seen in enumerate(self.drives)
            for start in range(0, len(seen) - (settings.frames - 1) * seen.step, settings.stride)
        ]
        if not self._clips:
            longest = max((len(seen) for seen in self.drives), default=0)
            raise DataError(
                f"no drive is as long as a clip of {settings.frames} frames at {settings.rate or 'full'} frames a "
                f"second; the longest has {longest} frames. Lower data.frames, or raise data.rate"
            )

    def __len__(self) -> int:
        """Number of clips."""
        return len(self._clips)

    def __getitem__(self, key: SampleKey) -> DrivingBatch:
        """Give a clip: augmented, or, for draw -1, as it is."""
        number, start = self._clips[key.index]
        seen = self.drives[number]
        indices = start + seen.step * np.arange(self.settings.frames)
        clip = _Clip(
            seen.images[indices],
            self._labels[number][indices],
            None if self._flows is None else np.stack([self._flows[number].flow(int(index)) for index in indices]),
        )
        if clip.flow is not None:
            clip.flow[0] = 0  # nothing was seen before a clip
        if self._augmented and key.draw != NO_AUGMENTATION:
            rng = np.random.default_rng((self._seed, key.index, key.draw))
            clip = augment(clip, rng, self.settings.augment)
        return self._tensors(clip)

    def _tensors(self, clip: _Clip) -> DrivingBatch:
        count = len(clip.images)
        weight = (np.arange(count) >= self._first) & ~np.isnan(clip.angle)
        return DrivingBatch(
            frames=to_frames(clip.images, self.settings),
            angle=torch.from_numpy(np.nan_to_num(clip.angle, nan=0.5).astype(np.float32)),
            weight=torch.from_numpy(weight.astype(np.float32)),
            flow=torch.empty(count, 0) if clip.flow is None else torch.from_numpy(np.ascontiguousarray(clip.flow)),
        )


def label_of(seen: SeenDrive, settings: DataSettings) -> np.ndarray:
    """Give what is learned of a drive: its angles, smoothed if asked, between 0 and 1; NaN where there is none."""
    drive = seen.drive
    angles = smooth(drive.angles, drive.times, settings.angle.smooth_seconds)
    return normalize(angles, settings.scale(drive.unit))


def to_frames(images: np.ndarray, settings: DataSettings) -> Float[Tensor, "T 3 H W"]:
    """Give images, T H W 3 uint8, the form that the network takes: -.5 to .5, or standardized."""
    rows = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float().div_(255).sub_(0.5)
    return standardize(rows) if settings.standardize else rows


def standardize(rows: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N 3 H W"]:
    """Bring every frame to mean 0 and standard deviation 1; one of a single color becomes 0."""
    centered = rows - rows.mean((1, 2, 3), keepdim=True)
    return centered / (centered.square().mean((1, 2, 3), keepdim=True) + 1e-6).sqrt()


def augment(clip: _Clip, rng: np.random.Generator, how: AugmentSettings) -> _Clip:
    """Vary a clip at random, all its frames alike; angle and flow go with the images."""
    mirrored, erased = rng.random(2) < (how.mirror, how.erase)
    gain = 1.0 + rng.uniform(-how.contrast, how.contrast)
    lift = 255.0 * rng.uniform(-how.brightness, how.brightness)
    moved = round(rng.uniform(-how.shift, how.shift) * clip.images.shape[2])
    row, column = rng.random(2)
    table = np.clip(np.rint((np.arange(256) - 127.5) * gain + 127.5 + lift), 0, 255).astype(np.uint8)
    images, angle, flow = table[clip.images], clip.angle, clip.flow
    if moved:
        images = _moved(images, moved, axis=2)
        flow = None if flow is None else _moved(flow, round(moved * flow.shape[-1] / images.shape[2]), axis=3)
    if erased:
        height, width = images.shape[1:3]
        top, left = int(row * height * 0.7), int(column * width * 0.7)
        images[:, top : top + height * 3 // 10, left : left + width * 3 // 10] = 128
    if mirrored:
        images, angle = images[:, :, ::-1], 1.0 - angle  # the sigmoid of minus the angle
        flow = None if flow is None else flip_flow(flow, horizontal=True)
    return _Clip(images, angle, flow)


def _moved(field: np.ndarray, columns: int, axis: int) -> np.ndarray:
    """Move a field to the right (below 0: to the left); the edge is repeated."""
    width = field.shape[axis]
    return np.take(field, np.clip(np.arange(width) - columns, 0, width - 1), axis=axis)
