from __future__ import annotations

from typing import Any

import numpy as np
import pyproj
import pytest

from semicoupled.serving.nowcast_view import graticule
from semicoupled.tasks.nowcasting.grid import LOCAL, Grid

KNMI = "+proj=stere +lat_0=90 +lon_0=0 +lat_ts=60 +a=6378137 +b=6356752 +x_0=0 +y_0=0 +units=m"
PACIFIC = "+proj=laea +lat_0=-20 +lon_0=179 +ellps=WGS84 +units=m"
POLE = "+proj=stere +lat_0=90 +lon_0=0 +ellps=WGS84 +units=m"


def grid_of(projection: str, x: float, y: float, columns: int = 700, rows: int = 765) -> Grid:
    """A grid of 1 km whose upper left pixel has its center at x, y."""
    return Grid(x, 1000.0, columns, y, -1000.0, rows, pyproj.CRS.from_proj4(projection).to_wkt())


@pytest.mark.parametrize(
    ("projection", "x", "y"), [(KNMI, 500.0, -3650500.0), (PACIFIC, -350000.0, 380000.0)], ids=["knmi", "180 degrees"]
)
def test_every_point_of_a_line_lies_where_its_label_says(projection: str, x: float, y: float) -> None:
    there = pyproj.Transformer.from_crs(pyproj.CRS.from_proj4(projection), 4326, always_xy=True)
    lines: Any = graticule(grid_of(projection, x, y))
    assert {line["label"][-1] for line in lines} >= {"E", "N" if projection == KNMI else "S"}
    for line in lines:
        number, side = line["label"][:-2], line["label"][-1]
        wanted = float(number) * (-1 if side in "WS" else 1)
        points = np.array(line["points"])
        assert (points >= 0).all()
        assert (points <= [700, 765]).all()
        # pixels count from the outer edge of the first one, whose center is at x, y
        longitude, latitude = there.transform(x + 1000 * (points[:, 0] - 0.5), y - 1000 * (points[:, 1] - 0.5))
        off = np.asarray(longitude if side in "EW" else latitude) - wanted
        kilometers = np.abs((off + 180) % 360 - 180) * 111.3
        assert kilometers.max() < 2.0, line["label"]


def test_lines_go_through_where_the_date_changes() -> None:
    names = [str(line["label"]) for line in graticule(grid_of(PACIFIC, -350000.0, 380000.0))]
    assert "178°E" in names
    assert any(name.endswith("W") for name in names)
    assert len(names) < 20


def test_around_a_pole_there_are_parallels_alone() -> None:
    lines: Any = graticule(grid_of(POLE, -350000.0, 380000.0))
    assert {line["label"][-1] for line in lines} == {"N"}


def test_a_plane_without_a_place_has_no_lines() -> None:
    assert graticule(Grid(0.0, 1000.0, 70, 0.0, -1000.0, 70, LOCAL)) == []
