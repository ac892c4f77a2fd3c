"""Makers of small videos and of lists in the official formats."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """The makers of `samples.py`."""
    spec = importlib.util.spec_from_file_location("action_samples", Path(__file__).with_name("samples.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def make_video(samples: ModuleType, tmp_path: Path) -> Callable[..., Path]:
    """Writes a video of a square that moves; see `samples.write_video`."""

    def make(name: str = "video.mp4", **looks: object) -> Path:
        return samples.write_video(tmp_path / name, **looks)

    return make
