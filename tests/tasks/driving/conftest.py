from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """The writers of small drives of `samples.py`."""
    spec = importlib.util.spec_from_file_location("driving_samples", Path(__file__).with_name("samples.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def real_drives(real_data: Path) -> Path:
    """The folder of real drives."""
    if not (real_data / "driving").is_dir():
        pytest.skip("the real data have no folder driving/ (docs/data.md)")
    return real_data / "driving"


@pytest.fixture(scope="module")
def made(samples: ModuleType) -> Any:
    """A drive of 12 frames (`samples.Made`)."""
    return samples.make_drive(12)
