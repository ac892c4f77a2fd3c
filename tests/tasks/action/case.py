"""Action recognition as a case of the contract test."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from semicoupled.steps import Sizes


def _samples() -> ModuleType:
    spec = importlib.util.spec_from_file_location("action_case_samples", Path(__file__).with_name("samples.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def options(folder: Path) -> list[str]:
    """Give settings that train in a second, and make the data they need."""
    root = _samples().make_tree(folder / "root")
    return [
        f"--data.root={root}",
        "--data.validation=p1",
        "--data.height=24",
        "--data.width=32",
        "--data.frames=6",
        "--model.widths=[4,4]",
        "--model.strides=[2,2]",
        "--training.batch=2",
    ]


def inputs(folder: Path) -> list[Path]:
    """Make files to predict from."""
    return [_samples().write_video(folder / "clip.mp4")]


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


OUT = "answers.jsonl"
