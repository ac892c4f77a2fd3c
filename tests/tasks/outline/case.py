"""Outlines as a case of the contract test."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from semicoupled.steps import Sizes


def _makers() -> ModuleType:
    """Import the makers of small pictures of this folder."""
    spec = importlib.util.spec_from_file_location("outline_samples", Path(__file__).with_name("outline_samples.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def options(folder: Path) -> list[str]:
    """Give settings that train in a second, and make the data they need."""
    root = _makers().make_root(folder / "root")
    return [
        f"--data.root={root}",
        "--data.size=64",
        "--data.grid=16",
        "--data.points=12",
        "--model.features=8",
        "--model.widths=[8,8]",
        "--training.batch=2",
    ]


def inputs(folder: Path) -> list[Path]:
    """Make files to predict from."""
    picture = _makers().make_pictures(folder / "now", 1)[0]
    return [folder / "now" / picture.file]


def by_steps(runners: dict[str, Any], starts: dict[str, Any], batch: Any) -> Tensor:
    """Score a batch point by point."""
    count, steps, _, _, _ = batch.frames.shape
    features, _ = runners["look"]((batch.image.float() / 255,))
    used = int((batch.weight.amax(0) > 0).sum())
    state = starts["step"](Sizes(count, 64, 64))
    scores: list[Tensor] = []
    for index in range(used):
        answer, *state = runners["step"]((features, batch.frames[:, index].contiguous(), *state))
        scores.append(answer)
    scores += [torch.zeros_like(scores[0])] * (steps - used)  # behind all ends there is no answer
    return torch.stack(scores, dim=1)


def limited(scores: Tensor) -> Tensor:
    """Bring what the model gives onto the scale of `by_steps`."""
    return scores


OUT = "outlines.json"
