"""Where the pixels of a radar field lie: a regular grid on a map projection, in metres."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pyproj


@dataclass(frozen=True)
class Grid:
    """A regular grid of pixel centers; the first row is the one stored first, as a rule the northernmost.

    Args:
        x_first: projected x of the first column's centers, m.
        x_step: distance from one column to the next, m, positive to the east.
        columns: number of columns.
        y_first: projected y of the first row's centers, m.
        y_step: distance from one row to the next, m; negative where the first row is the northernmost.
        rows: number of rows.
        wkt: the coordinate reference system, as WKT 2.
    """

    x_first: float
    x_step: float
    columns: int
    y_first: float
    y_step: float
    rows: int
    wkt: str

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.columns

    @property
    def x(self) -> np.ndarray:
        """Centers of the columns, m."""
        return self.x_first + self.x_step * np.arange(self.columns)

    @property
    def y(self) -> np.ndarray:
        """Centers of the rows, m."""
        return self.y_first + self.y_step * np.arange(self.rows)

    @property
    def crs(self) -> pyproj.CRS:
        """The coordinate reference system."""
        return _crs(self.wkt)

    @property
    def kilometers(self) -> float:
        """Size of a pixel, km: the mean of both sides."""
        return (abs(self.x_step) + abs(self.y_step)) / 2000

    def coarsened(self, factor: int) -> Grid:
        """Give the grid of blocks of `factor` x `factor` pixels; a block cut by the far edge keeps its full size."""
        middle = (factor - 1) / 2
        return Grid(
            x_first=self.x_first + middle * self.x_step,
            x_step=self.x_step * factor,
            columns=-(-self.columns // factor),
            y_first=self.y_first + middle * self.y_step,
            y_step=self.y_step * factor,
            rows=-(-self.rows // factor),
            wkt=self.wkt,
        )

    def lon_lat(self, columns: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give longitude and latitude of pixels.

        Args:
            columns: indexes of columns; 0 is the first column's center, -0.5 the outer edge of the field.
            rows: indexes of rows, likewise.

        Returns:
            Longitude and latitude in degrees, on the projection's own datum.
        """
        transformer = _to_degrees(self.wkt)
        longitude, latitude = transformer.transform(
            self.x_first + self.x_step * np.asarray(columns, float),
            self.y_first + self.y_step * np.asarray(rows, float),
        )
        return np.asarray(longitude), np.asarray(latitude)

    def agrees_with(self, other: Grid) -> bool:
        """Whether both grids have the same pixels: the same size, and corners within a tenth of a pixel.

        Corners are compared on the globe, since writers round projections and offsets differently from year to year.
        """
        if self == other:
            return True
        if self.shape != other.shape:
            return False
        corners = np.array([0, self.columns - 1, 0, self.columns - 1]), np.array([0, 0, self.rows - 1, self.rows - 1])
        ours, theirs = self.lon_lat(*corners), other.lon_lat(*corners)
        east = (ours[0] - theirs[0]) * 111.32 * np.cos(np.radians(ours[1]))
        north = (ours[1] - theirs[1]) * 111.32
        return bool(np.max(np.hypot(east, north)) < 0.1 * self.kilometers)

    def __str__(self) -> str:
        (west, east), (south, north) = (
            self.x_first / 1e3 + np.array([0, self.x_step * (self.columns - 1) / 1e3]),
            sorted((self.y_first / 1e3, self.y_first / 1e3 + self.y_step * (self.rows - 1) / 1e3)),
        )
        return (
            f"{self.rows} x {self.columns} pixels of {self.kilometers:.3g} km, x {west:.1f} to {east:.1f} km, "
            f"y {south:.1f} to {north:.1f} km, {self.crs.name}"
        )


@functools.lru_cache(maxsize=64)
def _crs(wkt: str) -> pyproj.CRS:
    return pyproj.CRS.from_wkt(wkt)


@functools.lru_cache(maxsize=64)
def _to_degrees(wkt: str) -> pyproj.Transformer:
    crs = _crs(wkt)
    return pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
