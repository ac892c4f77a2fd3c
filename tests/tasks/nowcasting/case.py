"""Nowcasting as a case of the contract test."""

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
    """Import the makers of small radar files that stand in this folder's conftest."""
    spec = importlib.util.spec_from_file_location("nowcasting_makers", Path(__file__).with_name("conftest.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _event(folder: Path, frames: int, seed: int) -> Path:
    makers = _makers()
    for frame in range(frames):
        time = makers.START + frame * makers.STEP
        makers.write_knmi(folder / f"{time:%Y%m%d%H%M}.h5", makers.moving_rain(frame, seed=seed), time)
    return folder


def options(folder: Path) -> list[str]:
    """Give settings that train in a second, and make the data they need."""
    _event(folder / "root" / "one", 10, seed=0)
    _event(folder / "root" / "two", 8, seed=1)
    return [
        f"--data.root={folder / 'root'}",
        "--data.validation=two",
        "--data.input_frames=3",
        "--data.output_frames=2",
        "--data.kilometers=1",
        "--data.crop=32",
        "--model.layers=2",
        "--model.width=8",
        "--model.patch=2",
        "--model.scales=2",
        "--evaluation.leads=3",
        "--training.batch=2",
    ]


def inputs(folder: Path) -> list[Path]:
    """Make files to predict from."""
    return [_event(folder / "now", 4, seed=2)]


def by_steps(runners: dict[str, Any], starts: dict[str, Any], batch: Any) -> Tensor:
    """Forecast a batch image by image, dBZ."""
    frames = (60 * batch.frames).float()
    count, steps, _, height, width = frames.shape
    sizes = Sizes(count, height, width)
    points = [*starts["follow"](sizes)]
    for _ in range(max(steps, batch.future.shape[1])):
        points += runners["follow"]((batch.motion.float(), points[-1]))
    state = starts["encode"](sizes)
    for index in range(steps):
        state = runners["encode"]((frames[:, index].contiguous(), points[steps - 1 - index], *state))
    last = image = frames[:, -1].contiguous()
    newest = [frames[:, index].contiguous() for index in (-1, -2, -3)]
    state = [*runners["begin"]((*newest, points[1], points[2])), *state]
    forecasts: list[Tensor] = []
    for lead in range(batch.future.shape[1]):
        forecast, image, *state = runners["decode"]((last, points[lead + 1], image, *state))
        forecasts.append(forecast)
    return torch.stack(forecasts, dim=1)


def limited(images: Tensor) -> Tensor:
    """Bring what the model gives, dBZ / 60 without limits, onto the scale of `by_steps`."""
    return (60 * images).clamp(0, 60)


OUT = "forecast.nc"
WHOLE = True  # its windows are not cut into segments
