"""Nowcasting as a case of the contract test."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


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
        "--data.coarsen=1",
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


OUT = "forecast.nc"
WHOLE = True  # its windows are not cut into segments
