"""What all tests share."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest
import torch

DATA = "SEMICOUPLED_DATA"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Give the folder of real data, or skip: it does not come with the repository, docs/data.md says where it does."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ[DATA]) if DATA in os.environ else beside
    if not folder.is_dir():
        pytest.skip(f"no real data: set {DATA} to a folder that holds radar/ (docs/data.md)")
    return folder


@pytest.fixture(autouse=True)
def same_random_numbers() -> None:
    """Begin every test with the same random numbers, whichever tests ran before it."""
    torch.manual_seed(0)


@pytest.fixture
def brightness_task(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put the smallest task of all beside the package's own tasks, and give its name."""
    tasks = importlib.import_module("semicoupled.tasks")
    folder = Path(__file__).parent / "tasks_for_tests"
    monkeypatch.setattr(tasks, "__path__", [*tasks.__path__, str(folder)])
    return "brightness"
