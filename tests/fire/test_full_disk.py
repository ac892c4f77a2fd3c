"""A disk that fills up under a forecast or under the state of a watch: the new one is whole, or the old one stays."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyproj
import pytest
from fire_compare import hidden
from fire_disks import filled, small_disk

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.operating.output import Forecast
from semicoupled.tasks.nowcasting.operating.session import NowcastState
from semicoupled.tasks.nowcasting.operating.state_store import load_state, save_state
from semicoupled.tasks.nowcasting.operating.writers import find_targets, write_targets

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk")

PAGE = 4096
TIMES = tuple(datetime(2021, 2, 5, 20, minute, tzinfo=UTC) for minute in (0, 5))
CRS = pyproj.CRS.from_proj4("+proj=stere +lat_0=90 +lon_0=0 +lat_ts=60 +a=6378137 +b=6356752 +units=m").to_wkt()
GRID = Grid(500.0, 1000.0, 60, -3650.5e3, -1000.0, 60, CRS)


def made(seed: int) -> Forecast:
    dbz = np.random.default_rng(seed).uniform(0, 50, (3, 60, 60)).astype(np.float32)
    return Forecast(dbz, TIMES[1], timedelta(minutes=5), GRID, dbz[:2], "semicoupled", [Path("a.h5")])


def kept(seed: int) -> NowcastState:
    dbz = np.random.default_rng(seed).uniform(0, 50, (2, 60, 60)).astype(np.float32)
    return NowcastState(TIMES, tuple(dbz), (Path("a"), Path("b")), GRID, timedelta(minutes=5), "x")


def fill_up(path: Path, write: Callable[[int], object], full: type[Exception], words: str) -> int:
    """Write other content again and again, with less than it needs, as much, and more.

    Args:
        path: the file.
        write: writes what belongs to a number.
        full: what it raises where there is no room.
        words: in its message.

    Returns:
        The number of what stands there in the end.
    """
    disk = path.parent
    write(0)
    before = path.read_bytes()
    needed = len(before) // PAGE + 3
    last = refused = 0
    for part in range(6):
        with filled(disk, PAGE * (part * needed // 4)):
            said = None
            try:
                write(part + 1)
            except full as error:
                said = str(error)
            if said is None:
                assert path.read_bytes() != before
                before, last = path.read_bytes(), part + 1
            else:
                refused += 1
                assert words in said
                assert path.read_bytes() == before
        assert hidden(disk) == []
    assert 1 <= refused < 6
    return last


@pytest.mark.parametrize("name", ["f.nc", "f.tif", pytest.param("f.gif", marks=pytest.mark.slow)])
def test_a_forecast_is_whole_or_the_one_before_it_stays(name: str, tmp_path: Path) -> None:
    if name.endswith("tif"):
        _ = pytest.importorskip("rasterio", reason="the extra geotiff is not installed")
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        targets = find_targets([disk / name], {})
        fill_up(
            disk / name,
            lambda seed: list(write_targets(made(seed), targets)),
            DataError,
            "Is there room on the disk?",
        )


def test_the_state_of_a_watch_is_whole_or_the_one_before_it_stays(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        path = disk / "watch.safetensors"
        last = fill_up(path, lambda seed: save_state(path, kept(seed), "1"), OSError, "No space left")
        state = load_state(path, "1").state
    assert state is not None
    np.testing.assert_array_equal(state.dbz, kept(last).dbz)
