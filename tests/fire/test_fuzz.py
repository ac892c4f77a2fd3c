"""Every reader answers changed files with content or with one of our errors; `fuzz.py` tries more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fire_readers import Reader, readers
from fuzz import fuzz

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of processes as Linux does")
INPUTS = 12
READERS = readers()


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_changed_files_are_read_or_refused(reader: Reader, tmp_path: Path) -> None:
    tried = fuzz(reader, tmp_path, count=INPUTS, seed=1)
    assert tried.faults == []
    assert tried.read + tried.refused == INPUTS
