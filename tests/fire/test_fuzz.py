"""Every reader answers changed files with content or with one of our errors; `fuzz.py` tries more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fire_readers import readers, wrong_readers
from fuzz import fuzz

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of processes as Linux does")


@pytest.mark.parametrize("inputs", [4, pytest.param(150, marks=pytest.mark.slow)])
def test_changed_files_are_read_or_refused(inputs: int, tmp_path: Path) -> None:
    tried = fuzz(readers(), tmp_path, count=inputs, seed=1)
    assert {each.name: each.faults for each in tried if each.faults} == {}
    assert all(each.read + each.refused == inputs for each in tried)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("crash", "died of SIGABRT"),
        ("flood", "MemoryError at fire_readers.py"),
        ("slip", "KeyError at fire_readers.py"),
        pytest.param("hang", "hangs", marks=pytest.mark.slow),
    ],
)
def test_what_a_reader_may_not_do_is_seen(name: str, words: str, tmp_path: Path) -> None:
    (reader,) = (each for each in wrong_readers() if each.name == name)
    (tried,) = fuzz([reader], tmp_path, count=2)
    assert len(tried.faults) == 2
    assert all(words in fault.what for fault in tried.faults)
