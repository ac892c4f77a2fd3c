"""Where the pixels of a radar field lie: a regular grid on a map projection, on longitude and latitude, or on a plane.

On a projection and on a plane of its own (files without a georeference) a grid counts in metres, else in degrees.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pyproj

KILOMETERS_PER_DEGREE = 111.32
LOCAL = (
    'ENGCRS["plane without a place on the globe",EDATUM["none"],CS[Cartesian,2],'
    'AXIS["(X)",east,ORDER[1]],AXIS["(Y)",north,ORDER[2]],LENGTHUNIT["metre",1]]'
)
"""The reference system of fields without a georeference, as WKT 2: metres east and north of the south-west corner."""


@dataclass(frozen=True)
class Grid:
    """A regular grid of pixel centers; the first row is the one stored first, as a rule the northernmost.

    Args:
        x_first: projected x of the first column's centers, m; or its longitude, degrees.
        x_step: from one column to the next, likewise, positive to the east.
        columns: number of columns.
        y_first: projected y of the first row's centers, m; or its latitude, degrees.
        y_step: from one row to the next; negative where the first row is the northernmost.
        rows: number of rows.
        wkt: the coordinate reference system, as WKT 2; `LOCAL` where it is not known.
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
        """Centers of the columns, m or degrees."""
        return self.x_first + self.x_step * np.arange(self.columns)

    @property
    def y(self) -> np.ndarray:
        """Centers of the rows, m or degrees."""
        return self.y_first + self.y_step * np.arange(self.rows)

    @property
    def crs(self) -> pyproj.CRS:
        """The coordinate reference system."""
        return _crs(self.wkt)

    @property
    def geographic(self) -> bool:
        """Whether the grid is regular in longitude and latitude, and counts in degrees."""
        return self.crs.is_geographic

    @property
    def local(self) -> bool:
        """Whether nobody knows where on the globe the grid lies."""
        return self.crs.is_engineering

    @property
    def projection(self) -> str:
        """Name of the reference system, or what kind of projection it is where it has no name."""
        name = self.crs.name
        if name.lower() in ("unknown", "undefined", "unnamed", "") and self.crs.coordinate_operation is not None:
            return self.crs.coordinate_operation.method_name.partition(" (")[0]
        return name

    @property
    def sides(self) -> tuple[float, float]:
        """Size of a pixel along x and along y, km; on longitude and latitude, in the middle of the grid."""
        if not self.geographic:
            return abs(self.x_step) / 1000, abs(self.y_step) / 1000
        middle = np.radians(self.y_first + self.y_step * (self.rows - 1) / 2)
        return (
            abs(self.x_step) * KILOMETERS_PER_DEGREE * float(np.cos(middle)),
            abs(self.y_step) * KILOMETERS_PER_DEGREE,
        )

    @property
    def kilometers(self) -> float:
        """Size of a pixel, km: the mean of both sides."""
        return sum(self.sides) / 2

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
            columns: indexes of columns, N of them; 0 is the first column's center, -0.5 the outer edge of the field.
            rows: indexes of rows, likewise.

        Returns:
            Longitude and latitude in degrees, on the projection's own datum; NaN where the place is not known.
        """
        if self.local:
            unknown = np.full(np.broadcast_shapes(np.shape(columns), np.shape(rows)), np.nan)
            return unknown, unknown.copy()
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
        if self.shape != other.shape or self.local != other.local:
            return False
        if self.local:
            return bool(np.allclose([self.x_step, self.y_step], [other.x_step, other.y_step], rtol=1e-3))
        corners = np.array([0, self.columns - 1, 0, self.columns - 1]), np.array([0, 0, self.rows - 1, self.rows - 1])
        ours, theirs = self.lon_lat(*corners), other.lon_lat(*corners)
        east = (ours[0] - theirs[0]) * KILOMETERS_PER_DEGREE * np.cos(np.radians(ours[1]))
        north = (ours[1] - theirs[1]) * KILOMETERS_PER_DEGREE
        return bool(np.max(np.hypot(east, north)) < 0.1 * self.kilometers)

    def __str__(self) -> str:
        scale, unit, digits = (1, "°", 2) if self.geographic else (1000, " km", 1)
        west, east = sorted((self.x_first / scale, (self.x_first + self.x_step * (self.columns - 1)) / scale))
        south, north = sorted((self.y_first / scale, (self.y_first + self.y_step * (self.rows - 1)) / scale))
        return (
            f"{self.rows} x {self.columns} pixels of {self.kilometers:.3g} km, x {west:.{digits}f} to "
            f"{east:.{digits}f}{unit}, y {south:.{digits}f} to {north:.{digits}f}{unit}, {self.projection}"
        )


def local_grid(rows: int, columns: int, kilometers: float) -> Grid:
    """Give the grid of a field without a georeference, whose first row is taken for the northernmost.

    Args:
        rows: number of rows.
        columns: number of columns.
        kilometers: size of a pixel.
    """
    size = 1000 * kilometers
    return Grid(size / 2, size, columns, size * (rows - 0.5), -size, rows, LOCAL)


@functools.lru_cache(maxsize=64)
def _crs(wkt: str) -> pyproj.CRS:
    return pyproj.CRS.from_wkt(wkt)


@functools.lru_cache(maxsize=64)
def _to_degrees(wkt: str) -> pyproj.Transformer:
    crs = _crs(wkt)
    return pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
