"""Runs and drives for tests of driving in use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import semicoupled
from semicoupled.run_folder import LoadedRun


@pytest.fixture(scope="module")
def run(make_driving_run: Callable[..., Path]) -> Path:
    return make_driving_run()


@pytest.fixture(scope="module")
def loaded(run: Path) -> LoadedRun:
    return semicoupled.load(run, device="cpu")


@pytest.fixture
def tub(samples: ModuleType, tmp_path: Path) -> Path:
    return samples.write_tub(tmp_path / "tub", {"a": samples.make_drive(30), "b": samples.make_drive(12, seed=1)})
