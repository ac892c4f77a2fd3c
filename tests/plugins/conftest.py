"""Sequences made of arrays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyproj
import pytest

from semicoupled.tasks.nowcasting.files.sequences import RadarSequence
from semicoupled.tasks.nowcasting.grid import Grid


@pytest.fixture
def make_sequence() -> Callable[[np.ndarray], RadarSequence]:
    def make(dbz: np.ndarray) -> RadarSequence:
        step, start = timedelta(minutes=5), datetime(2021, 2, 5, 20, tzinfo=UTC)
        _, height, width = dbz.shape
        grid = Grid(0.0, 2000.0, width, 0.0, -2000.0, height, pyproj.CRS.from_epsg(28992).to_wkt())
        times = tuple(start + index * step for index in range(len(dbz)))
        return RadarSequence("event", times, step, dbz.astype(np.float16), grid, (Path("a"),) * len(dbz), "product")

    return make
