from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.files.listing import base_folder, find_files, matches_glob
from semicoupled.tasks.nowcasting.files.sequences import read_sequences

MakeFolder = Callable[..., Path]


@pytest.fixture
def root(make_folder: MakeFolder) -> Path:
    make_folder("root/2021-01/one", frames=2)
    make_folder("root/2021-02/two", frames=3)
    return make_folder("root/2020-12/three", frames=1).parents[1]


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("2021*", 5), ("2021*/*", 5), ("2021*/*/*.h5", 5), ("**/*.h5", 6), ("2021-0[2-9]", 3), ("*/two/*2000.h5", 1)],
)
def test_a_pattern_stands_wherever_a_folder_does(root: Path, pattern: str, count: int):
    assert len(find_files(root / pattern)) == count


def test_events_of_a_pattern_are_named_from_before_the_first_wildcard(root: Path):
    pattern = root / "2021*/*/*.h5"
    assert base_folder(pattern) == root
    data = read_sequences(find_files(pattern), pattern)
    assert [sequence.event for sequence in data.sequences] == ["2021-01/one", "2021-02/two"]
    assert matches_glob(root / "2021-02/two/f.h5", pattern, "2021-02")


def test_a_pattern_that_names_nothing(root: Path):
    with pytest.raises(DataError, match=r"the pattern names no files; expected radar files. Check it, quotes included"):
        find_files(root / "1999*")


def test_a_folder_whose_name_has_brackets_is_a_folder(make_folder: MakeFolder):
    assert len(find_files(make_folder("a[1]", frames=2))) == 2


def test_a_zarr_store_is_one_file(tmp_path: Path, samples: ModuleType):
    samples.write_mlcast(tmp_path / "root/a.zarr", np.ones((3, 6, 5)), version=3)
    samples.write_mlcast(tmp_path / "root/b.zarr", np.ones((3, 6, 5)), version=2)
    assert [path.name for path in find_files(tmp_path / "root")] == ["a.zarr", "b.zarr"]
    assert find_files(tmp_path / "root/b.zarr") == [tmp_path / "root/b.zarr"]
    assert [path.name for path in find_files(tmp_path / "root/*.zarr")] == ["a.zarr", "b.zarr"]
