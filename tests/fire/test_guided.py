"""What guided.py counts and keeps; it needs atheris, which is not among what the tests install."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fire_readers import readers
from guided import FITS, find_reader, guided, read_again

WITHOUT = "needs atheris: pip install atheris"


def test_what_is_tried_are_readers() -> None:
    assert set(FITS) <= {reader.name for reader in readers()}


@pytest.mark.skipif(sys.platform != "linux", reason="atheris is made for Linux")
@pytest.mark.slow
def test_inputs_are_counted_and_reach_further_than_whole_files(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason=WITHOUT)
    done = guided("clips csv", tmp_path / "files", tmp_path / "faults", 5, seed=1)
    assert done.fault == ""
    assert done.read > 0
    assert done.refused > 0
    assert 0 < done.begun < done.reached


@pytest.mark.skipif(sys.platform != "linux", reason="atheris is made for Linux")
@pytest.mark.slow
def test_an_input_that_a_reader_does_not_answer_is_kept(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason=WITHOUT)
    done = guided("slip", tmp_path / "files", tmp_path / "faults", 5, seed=1)
    assert "KeyError" in done.fault
    (kept,) = (tmp_path / "faults").iterdir()
    with pytest.raises(KeyError):
        _ = read_again(find_reader("slip"), tmp_path / "again", kept.read_bytes())
