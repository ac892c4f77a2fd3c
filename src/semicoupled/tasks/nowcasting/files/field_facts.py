"""What a check keeps of a field once its pixels are gone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from semicoupled.tasks.nowcasting.data_settings import ZR
from semicoupled.tasks.nowcasting.files.frame import RadarFrame
from semicoupled.tasks.nowcasting.files.sequences import About

RAIN_DBZ = (7.0, 15.0, 30.0)
_MOST_DBZ = 80.0
_MOST_RAIN = 500.0
_LEAST_PIXELS = 32
_FULL, _SPARSE = 0.8, 0.3


@dataclass(frozen=True)
class FieldFacts:
    """A field without its pixels.

    Args:
        about: what it is.
        digest: of its pixels: equal for equal fields.
        missing: share of its pixels that are missing.
        rain: shares of those that are there which have at least `RAIN_DBZ`; 0 where nothing is there.
        highest: dBZ, not clipped for reflectivity; NaN where nothing is there.
        beyond: pixels with values that no rain has: above 80 dBZ, above 500 mm/h, or negative rain.
        stripes: rows and columns that look like a fault and not like rain, such as ``"row 12"``.
    """

    about: About
    digest: bytes
    missing: float
    rain: tuple[float, ...]
    highest: float
    beyond: int
    stripes: tuple[str, ...]

    @property
    def wet(self) -> bool:
        """Whether any pixel has rain to speak of."""
        return self.highest >= RAIN_DBZ[0]


def facts_of(frame: RadarFrame, z_r: ZR) -> FieldFacts:
    """Look at a field.

    Args:
        frame: the field.
        z_r: between rain and reflectivity.
    """
    dbz = frame.dbz(z_r)
    there = ~np.isnan(dbz)
    count = int(there.sum())
    highest = np.nan
    if count:
        highest = float(np.nanmax(frame.values if frame.quantity == "dBZ" else dbz))
    return FieldFacts(
        about=About.of(frame),
        digest=hashlib.blake2b(np.ascontiguousarray(frame.values).tobytes(), digest_size=16).digest(),
        missing=1 - count / dbz.size,
        rain=tuple(float((dbz >= threshold).sum()) / max(count, 1) for threshold in RAIN_DBZ),
        highest=highest,
        beyond=_beyond(frame),
        stripes=(*_stripes(dbz, there, "row"), *_stripes(dbz.T, there.T, "column")),
    )


def _beyond(frame: RadarFrame) -> int:
    if frame.quantity == "dBZ":
        return int((frame.values > _MOST_DBZ).sum())
    hours = (frame.interval or timedelta(hours=1)) / timedelta(hours=1) if frame.quantity == "mm" else 1.0
    return int(((frame.values > _MOST_RAIN * hours) | (frame.values < 0)).sum())


def _stripes(dbz: np.ndarray, there: np.ndarray, name: str) -> list[str]:
    """Find lines that are full of echo, or empty of data, between neighbors that are not."""
    if len(dbz) < 3 or dbz.shape[1] < _LEAST_PIXELS:
        return []
    known = there.sum(1)
    wet = (np.where(there, dbz, 0) > RAIN_DBZ[0]).sum(1) / np.maximum(known, 1)
    full = (wet[1:-1] >= _FULL) & (known[1:-1] >= _LEAST_PIXELS) & (np.maximum(wet[:-2], wet[2:]) < _SPARSE)
    half = dbz.shape[1] / 2
    empty = (known[1:-1] == 0) & (np.minimum(known[:-2], known[2:]) >= half)
    return [f"{name} {index + 1}" for index in np.flatnonzero(full | empty)]
