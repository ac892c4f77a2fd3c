"""What the tests of outlines share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for outline_samples and outline_strategies

from outline_samples import make_root


@pytest.fixture(scope="session")
def outline_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures with outlines, train and val."""
    return make_root(tmp_path_factory.mktemp("outlines"))


@pytest.fixture(scope="session")
def camvid(real_data: Path) -> Path:
    """The real street scenes, or skip."""
    folder = real_data / "outline" / "camvid"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    return folder
