from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import Reading
from semicoupled.tasks.nowcasting.files.sequences import find_files, matches_glob, read_sequences

MakeFolder = Callable[..., Path]


def test_a_folder_becomes_one_sequence(make_folder: MakeFolder):
    folder = make_folder(frames=6)
    data = read_sequences(find_files(folder), folder)
    (sequence,) = data.sequences
    assert (len(sequence), sequence.event, sequence.step) == (6, "event", timedelta(minutes=5))
    assert sequence.dbz.shape == (6, 64, 48)
    assert sequence.dbz.dtype == np.float16
    assert np.isnan(sequence.dbz[:, 0]).all()
    assert sequence.dbz[~np.isnan(sequence.dbz)].min() == 0
    assert (data.gaps, data.skipped) == ((), ())


def test_a_gap_cuts_and_is_reported(make_folder: MakeFolder, caplog: pytest.LogCaptureFixture):
    folder = make_folder(frames=12, leave_out=(5, 6))
    with caplog.at_level(logging.WARNING):
        data = read_sequences(find_files(folder), folder)
    assert [len(sequence) for sequence in data.sequences] == [5, 5]
    assert str(data.gaps[0]) == "event: 2 fields missing between 2021-02-05 20:20 and 2021-02-05 20:35 UTC"
    assert "2 fields missing" in caplog.text


def test_sequences_that_are_too_short_are_left_out_and_none_left_is_an_error(make_folder: MakeFolder):
    folder = make_folder(frames=12, leave_out=(3,))
    assert [len(sequence) for sequence in read_sequences(find_files(folder), folder, at_least=5).sequences] == [8]
    with pytest.raises(
        DataError, match=r"longest sequence has 8 fields, with 1 gaps.*expected at least 10 without a gap"
    ):
        read_sequences(find_files(folder), folder, at_least=10)


def test_folders_are_events_of_their_own(make_folder: MakeFolder):
    root = make_folder("root/first", frames=3).parent
    make_folder("root/second", frames=4)
    (root / "README.md").write_text("beside the data")
    (root / ".hidden").write_text("as well")
    data = read_sequences(find_files(root), root)
    assert [(sequence.event, len(sequence)) for sequence in data.sequences] == [("first", 3), ("second", 4)]


def test_a_pattern_names_files_or_folders(make_folder: MakeFolder):
    root = make_folder("root/2021-02-05", frames=2).parent
    make_folder("root/2021-02-06", frames=1)
    assert len(find_files(root, "2021-02-05")) == 2
    assert len(find_files(root, "*-06/")) == 1
    assert len(find_files(root, "*/202102052000*")) == 2  # in either folder: both start at 20:00
    assert not matches_glob(root / "2021-02-05" / "f.h5", root, "02-05")
    with pytest.raises(DataError, match="holds no radar files that match 'nothing'"):
        find_files(root, "nothing")


def test_empty_and_absent_folders(tmp_path: Path):
    with pytest.raises(DataError, match=r"holds no radar files; expected at least one\. Check the folder"):
        find_files(tmp_path)
    with pytest.raises(DataError, match=r"absent: no such folder or file; expected radar files\. Check the name$"):
        find_files(tmp_path / "absent")
    with pytest.raises(DataError, match="no radar files were given"):
        read_sequences([])


def test_two_fields_of_one_time(make_folder: MakeFolder):
    folder = make_folder(frames=3)
    first = sorted(folder.iterdir())[0]
    (folder / "copy.h5").write_bytes(first.read_bytes())
    with pytest.raises(DataError, match=r"is valid at 2021-02-05 20:00 UTC, as is .*expected one field a time"):
        read_sequences(find_files(folder), folder)


def test_two_grids_in_one_folder(make_folder: MakeFolder, make_knmi: Callable[..., Path]):
    folder = make_folder(frames=3)
    sequence = read_sequences(find_files(folder), folder).sequences[0]
    make_knmi(folder / "other.h5", np.zeros((10, 10)), sequence.times[-1] + sequence.step)
    with pytest.raises(DataError, match=r"other\.h5: its grid is 10 x 10 pixels.*expected the folder's 64 x 48"):
        read_sequences(find_files(folder), folder)


def test_a_broken_file_fails_or_is_skipped_but_not_too_many(make_folder: MakeFolder):
    folder = make_folder(frames=4)
    broken = sorted(folder.iterdir())[-1]
    broken.write_bytes(b"no radar")
    with pytest.raises(DataError, match="no radar file that is known"):
        read_sequences(find_files(folder), folder)
    with pytest.raises(
        DataError, match=f"{folder.name}: 1 of 4 files cannot be used, more than the 1% .*no radar file"
    ):
        read_sequences(find_files(folder), folder, reading=Reading(on_error="skip"))


def test_one_broken_file_in_a_hundred_is_skipped_and_named(make_folder: MakeFolder, make_knmi: Callable[..., Path]):
    folder = make_folder(frames=1)
    first = read_sequences(find_files(folder), folder).sequences[0]
    for number in range(1, 100):
        make_knmi(folder / f"{number}.h5", np.zeros((64, 48)), first.times[0] + number * timedelta(minutes=5))
    (folder / "broken.h5").write_bytes(b"no radar")
    data = read_sequences(find_files(folder), folder, reading=Reading(on_error="skip"))
    assert len(data.sequences[0]) == 100
    assert "broken.h5" in data.skipped[0]


def test_the_grid_is_coarsened_with_the_fields(make_folder: MakeFolder):
    folder = make_folder(frames=2)
    sequence = read_sequences(find_files(folder), folder, reading=Reading(kilometers=2)).sequences[0]
    assert sequence.dbz.shape == (2, 32, 24) == (2, *sequence.grid.shape)
    assert sequence.grid.kilometers == pytest.approx(2, rel=1e-4)
