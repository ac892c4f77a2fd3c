"""The toys as a case of the contract test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from semicoupled.data.shapes import moving_shape
from semicoupled.steps import Sizes


def options(folder: Path) -> list[str]:
    """Give settings that train in a second."""
    del folder
    return [
        "--data.validation=8",
        "--data.test=8",
        "--model.widths=[4,4]",
        "--model.strides=[2,2]",
        "--training.batch=2",
    ]


def inputs(folder: Path) -> list[Path]:
    """Make files to predict from."""
    np.save(folder / "clip.npy", moving_shape(0, 0).frames[:, 0])
    return [folder / "clip.npy"]


def by_steps(runners: dict[str, Any], starts: dict[str, Any], batch: Any) -> Tensor:
    """Answer a batch frame by frame."""
    count, steps, _, height, width = batch.frames.shape
    state = starts["step"](Sizes(count, height, width))
    scores: list[Tensor] = []
    for index in range(steps):
        answer, *state = runners["step"]((batch.frames[:, index].contiguous(), *state))
        scores.append(answer)
    return torch.stack(scores, dim=1)


def limited(scores: Tensor) -> Tensor:
    """Bring what the model gives onto the scale of `by_steps`."""
    return scores


OUT = "answers.json"
