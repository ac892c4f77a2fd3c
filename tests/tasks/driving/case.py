"""Driving as a case of the contract test."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from semicoupled.steps import Sizes


def _tubs() -> ModuleType:
    """Import the makers of tubs that stand beside this file."""
    spec = importlib.util.spec_from_file_location("driving_tubs", Path(__file__).with_name("tubs.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def options(folder: Path) -> list[str]:
    """Give settings that train in a second, and make the data they need."""
    tubs = _tubs()
    _ = tubs.write_tub(folder / "tub", {name: tubs.course(14, seed) for seed, name in enumerate("abc")})
    return [
        f"--data.root={folder / 'tub'}",
        "--data.validation=last:1",
        "--data.frames=4",
        "--data.width=32",
        "--data.height=24",
        "--model.widths=[4,4]",
        "--model.strides=[2,2]",
        "--training.batch=2",
        "--training.learning_rate=0.02",
    ]


def inputs(folder: Path) -> list[Path]:
    """Make files to predict from."""
    tubs = _tubs()
    return [tubs.write_tub(folder / "now", {"one": tubs.course(9, 5)})]


def by_steps(runners: dict[str, Any], starts: dict[str, Any], batch: Any) -> Tensor:
    """Answer a batch frame by frame."""
    count, steps, _, height, width = batch.frames.shape
    state = starts["step"](Sizes(count, height, width))
    angles: list[Tensor] = []
    for index in range(steps):
        angle, *state = runners["step"]((batch.frames[:, index].contiguous(), *state))
        angles.append(angle)
    return torch.stack(angles, dim=1)


def limited(normalized: Tensor) -> Tensor:
    """Bring what the model gives onto the scale of `by_steps`: the angle, at most full lock."""
    return torch.logit(normalized.double()).float().clamp(-1, 1)


OUT = "angles.csv"
