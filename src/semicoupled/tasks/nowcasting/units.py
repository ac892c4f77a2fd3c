"""Reflectivity and rain: dBZ, mm/h, mm per interval, tied by Z = 200 R^1.6 (Marshall and Palmer 1948).

The scale on which networks learn and scores are taken is clip(dBZ, 0, 60) with dry = 0. Every function passes NaN
(missing) through and never turns a number into NaN or infinity.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import numpy as np

from semicoupled.errors import DataError, nearest

Quantity = Literal["dBZ", "mm/h", "mm"]

A = 200.0
B = 1.6
HIGHEST_DBZ = 60.0
"""Upper end of the scale; above it is hail, or a wind turbine."""


def rain_to_dbz(rain: np.ndarray) -> np.ndarray:
    """Turn rain into reflectivity, Z = 200 R^1.6.

    Args:
        rain: mm/h; NaN = missing, below 0 counts as dry.

    Returns:
        dBZ, 0 to 60; 0 where dry, and where it rains less than the 0.036 mm/h that are 0 dBZ.
    """
    rain = np.asarray(rain, np.float32)
    with np.errstate(divide="ignore"):
        dbz = 10 * np.log10(A) + 10 * B * np.log10(np.maximum(rain, 0))
    return np.clip(dbz, 0, HIGHEST_DBZ).astype(np.float32)


def dbz_to_rain(dbz: np.ndarray) -> np.ndarray:
    """Turn reflectivity into rain, R = (Z / 200)^(1 / 1.6).

    Args:
        dbz: dBZ; NaN = missing.

    Returns:
        mm/h; exactly 0 at 0 dBZ and below, which is dry.
    """
    dbz = np.asarray(dbz, np.float32)
    rain = (10 ** (np.clip(dbz, 0, HIGHEST_DBZ) / 10) / A) ** (1 / B)
    return np.where(dbz <= 0, 0, rain).astype(np.float32)


def to_dbz(values: np.ndarray, quantity: Quantity, interval: timedelta | None = None) -> np.ndarray:
    """Bring a field of any known quantity onto clip(dBZ, 0, 60) with dry = 0.

    Args:
        values: the field; NaN = missing, infinity is refused.
        quantity: what `values` are.
        interval: how long the rain was gathered, for ``"mm"``.

    Returns:
        dBZ, 0 to 60, NaN where `values` are.

    Raises:
        DataError: a quantity that is not known, a sum of rain without its interval, or infinite values.
    """
    values = np.asarray(values, np.float32)
    if np.isinf(values).any():
        raise DataError(
            f"{quantity}: expected finite values or NaN (missing), got infinity in {np.isinf(values).sum()} pixels"
        )
    if quantity == "dBZ":
        return np.clip(values, 0, HIGHEST_DBZ)
    if quantity == "mm/h":
        return rain_to_dbz(values)
    if quantity == "mm":
        if interval is None or interval <= timedelta(0):
            raise DataError(
                f"mm: a sum of rain needs the time it was gathered in, got {interval}; give a positive interval"
            )
        return rain_to_dbz(values * (timedelta(hours=1) / interval))
    raise DataError(f"{quantity!r} is no quantity of a radar field. {nearest(str(quantity), ('dBZ', 'mm/h', 'mm'))}")
