"""Samples: clips of videos, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from semicoupled.data.augment import NO_CHANGE, Size, draw_clip, place, recolor, to_gray
from semicoupled.data.flow import optical_flow
from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.tasks.action.listing.clip import Clip
from semicoupled.tasks.action.normalizing import Normalizer
from semicoupled.tasks.action.store import ClipStore
from semicoupled.training.sampling import SampleKey

WITH_FLOW = ("flow", "rgb_flow")
"""Colors with which the network sees how pixels move."""
FLOW_UNIT, FLOW_LIMIT = 2.0, 5.0
"""Pixels a frame that count as 1 where the network sees flow, and the most that it sees."""


class ActionBatch(NamedTuple):
    """A sample, or with a leading B a batch of them. The time axis comes first (second), so that all can be cut alike.

    Attributes:
        frames: T C H W, normalized; a clip that is too short stands still on its last frame.
        label: T, int64: the class, the same in every frame.
        valid: T, float32: 1 where there is a frame, 0 where the clip has ended: that counts in no answer.
        flow: T 2 H W, px per frame, since the frame before; T 0 where nobody learns it.
    """

    frames: Tensor
    label: Tensor
    valid: Tensor
    flow: Tensor


class ActionData(Dataset[ActionBatch]):
    """Clips of one split, each a pure function of its key."""

    def __init__(
        self,
        clips: Sequence[Clip],
        classes: Sequence[str],
        settings: DataSettings,
        *,
        seed: int = 0,
        with_flow: bool = False,
        store: ClipStore | None = None,
    ) -> None:
        """Say which clips.

        Args:
            clips: of the split.
            classes: names, whose positions are the labels.
            settings: what a clip is.
            seed: of what is drawn.
            with_flow: give the optical flow, too.
            store: decodes the clips; one of its own if None.
        """
        self.clips, self.classes, self.settings = clips, list(classes), settings
        self._seed, self._with_flow = seed, with_flow
        self.store = store or ClipStore(clips, settings)

    def __len__(self) -> int:
        """Give the number of clips."""
        return len(self.clips)

    def label(self, index: int) -> int:
        """Give a clip's class as a number."""
        return self.classes.index(self.clips[index].label)

    def __getitem__(self, key: SampleKey | int) -> ActionBatch:
        """Give a sample; in training it follows from the clip and the draw.

        Raises:
            DataError: the video cannot be read.
        """
        asked = key if isinstance(key, SampleKey) else SampleKey(key)
        settings, draw, offset = self.settings, NO_CHANGE, 0.5
        if asked.draw >= 0:
            numbers = np.array([self._seed, asked.draw], dtype=np.uint64)
            random = np.random.Generator(np.random.Philox(key=numbers))
            draw, offset = draw_clip(settings.augment, random), float(random.uniform())
        frames = self.store.frames(asked.index)
        taken = choose_frames(len(frames), settings.frames, settings.sampling, offset, draw.tempo)
        images = place(frames[taken], draw, Size(settings.height, settings.width))
        missing = settings.frames - len(taken)
        flow = torch.empty(settings.frames, 0)
        if self._with_flow:
            flow = torch.from_numpy(np.pad(flow_between(images), ((0, missing), (0, 0), (0, 0), (0, 0))))
        parts: list[np.ndarray] = []
        if settings.color != "flow":
            shown = Normalizer(settings.normalize).see(recolor(images, draw))
            parts.append(np.concatenate([shown, np.repeat(shown[-1:], missing, 0)]))
        if settings.color in WITH_FLOW:  # who stands still does not move
            parts.append(np.pad(flow_frames(images), ((0, missing), (0, 0), (0, 0), (0, 0))))
        seen = np.concatenate(parts, -1)
        return ActionBatch(
            torch.from_numpy(np.ascontiguousarray(seen.transpose(0, 3, 1, 2))),
            torch.full((settings.frames,), self.label(asked.index)),
            torch.cat([torch.ones(len(taken)), torch.zeros(missing)]),
            flow,
        )


def choose_frames(length: int, count: int, sampling: str, offset: float, tempo: float = 1.0) -> np.ndarray:
    """Choose frames of a video.

    Args:
        length: frames that there are.
        count: frames to take, at most.
        sampling: ``window`` or ``spread``.
        offset: from 0 to 1: where a window lies, or which frame of its part is taken.
        tempo: frames of the video that one step goes on; of frames that are spread, how much slower (above 1) the
            video begins than it ends: the share u of the steps lies at the share u^tempo of the video.

    Returns:
        Their positions, rising. Of a shorter video, a window has fewer than `count`, and ``spread`` some frames twice.
    """
    if sampling == "spread":
        shares = (np.arange(count) + offset) / count
        return np.minimum(length - 1, (shares**tempo * length).astype(int))
    steps = min(count, 1 + int((length - 1) / tempo + 1e-6))
    span = (steps - 1) * tempo
    begin = offset * (length - 1 - span)
    return np.clip(np.rint(begin + tempo * np.arange(steps)).astype(int), 0, length - 1)


def flow_frames(images: np.ndarray) -> np.ndarray:
    """Give the flow as what a network sees: T H W 2, in units of `FLOW_UNIT`, long ones cut."""
    flow = flow_between(images).transpose(0, 2, 3, 1) / FLOW_UNIT
    return np.clip(flow, -FLOW_LIMIT, FLOW_LIMIT).astype(np.float32)


def flow_between(images: np.ndarray) -> np.ndarray:
    """Estimate the flow that leads to each frame from the one before; zero at the first.

    Args:
        images: T H W C, uint8, after the crop and before any change of color.

    Returns:
        T 2 H W, float32, px per frame.
    """
    gray = to_gray(images.astype(np.float32) / 255)
    flow = np.zeros((len(gray), 2, *gray.shape[1:]), np.float32)
    for index in range(1, len(gray)):
        flow[index] = optical_flow(gray[index - 1], gray[index], "fast")
    return flow


def pieces(batch: ActionBatch, frames: slice) -> ActionBatch:
    """Give the part of a batch that lies in some of its frames."""
    return ActionBatch(*(tensor[:, frames] for tensor in batch))
