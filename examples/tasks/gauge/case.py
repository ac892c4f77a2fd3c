"""What the contract test (`tests/tasks/test_contract.py`) must know of this task: small data, and where to look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from semicoupled.steps import Sizes

OUT = "values.json"


def make_clips(folder: Path, names: list[str]) -> Path:
    """Write clips of a light that glows up and fades: the value of a frame is how bright the frame before was."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names):
        random = np.random.default_rng(seed)
        glow = (0.5 + 0.4 * np.sin(random.uniform(0, 6) + 0.7 * np.arange(16))).astype(np.float32)
        frames = np.full((16, 12, 16), 20, np.uint8)
        frames[:, 3:9, 4:12] = (255 * glow)[:, None, None]
        np.savez(folder / name, frames=frames, value=np.concatenate([glow[:1], glow[:-1]]))
    return folder


def options(folder: Path) -> list[str]:
    """Give settings that train in a second, and make the data they need."""
    return [f"--data.root={make_clips(folder / 'clips', ['a', 'b', 'c', 'held_d', 'held_e'])}", "--training.batch=2"]


def inputs(folder: Path) -> list[Path]:
    """Make files to predict from."""
    return [make_clips(folder / "now", ["one"])]


def by_steps(runners: dict[str, Any], starts: dict[str, Any], batch: Any) -> Tensor:
    """Answer a batch frame by frame with the exported program."""
    count, frames, _, height, width = batch.frames.shape
    state = starts["step"](Sizes(count, height, width))
    said: list[Tensor] = []
    for index in range(frames):
        answer, *state = runners["step"]((batch.frames[:, index].contiguous(), *state))
        said.append(answer)
    return torch.stack(said, dim=1)


def limited(value: Tensor) -> Tensor:
    """Bring what the model gives onto the scale of `by_steps`."""
    return value
