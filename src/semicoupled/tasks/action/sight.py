"""What a network sees of a video as its images come: cut, normalized, or as flow; without augmentation."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from semicoupled.data.augment import NO_CHANGE, ClipDraw, Size, place, recolor
from semicoupled.tasks.action.data import WITH_FLOW, flow_frames
from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.tasks.action.normalizing import Normalizer


class Sight:
    """Follows one video; what it remembers does not grow."""

    def __init__(self, settings: DataSettings, draw: ClipDraw = NO_CHANGE) -> None:
        """Begin before the first image.

        Args:
            settings: size, colors, normalization.
            draw: where the crop lies.
        """
        self._settings, self._draw = settings, draw
        self._normalizer = Normalizer(settings.normalize)
        self._before: np.ndarray | None = None

    def see(self, images: np.ndarray) -> Tensor:
        """Bring the next images to what the network sees.

        Args:
            images: T H W C, uint8, at the size that crops are taken from.

        Returns:
            T C H W.
        """
        size = Size(self._settings.height, self._settings.width)
        parts: list[np.ndarray] = []
        if self._settings.color != "flow":
            parts.append(self._normalizer.see(recolor(place(images, self._draw, size), NO_CHANGE)))
        if self._settings.color in WITH_FLOW:
            together = images if self._before is None else np.concatenate([self._before[None], images])
            parts.append(flow_frames(place(together, self._draw, size))[len(together) - len(images) :])
            self._before = images[-1]
        seen = np.concatenate(parts, -1)
        return torch.from_numpy(np.ascontiguousarray(seen.transpose(0, 3, 1, 2)))
