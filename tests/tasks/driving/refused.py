"""What is said of drives that cannot be used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.formats.reading import read_drives


def refused(path: Path, settings: DataSettings, *words: str) -> None:
    """What is said names the place, and has these words in this order."""
    with pytest.raises(DataError, match=".*".join(map(re.escape, words))) as caught:
        read_drives(path, settings)
    assert str(path) in str(caught.value)
