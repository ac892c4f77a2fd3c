"""Reflectivity and rain: dBZ, mm/h, mm per interval, tied by Z = a R^b (200 and 1.6: Marshall and Palmer 1948).

The scale on which networks learn and scores are taken is clip(dBZ, 0, 60) with dry = 0. Every function passes NaN
(missing) through and never turns a number into NaN or infinity.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from semicoupled.errors import DataError, nearest
from semicoupled.tasks.nowcasting.data_settings import ZR, Quantity

MARSHALL_PALMER = ZR()
HIGHEST_DBZ = 60.0
"""Upper end of the scale; above it is hail, or a wind turbine."""


def rain_to_dbz(rain: np.ndarray, z_r: ZR = MARSHALL_PALMER) -> np.ndarray:
    """Turn rain into reflectivity, Z = a R^b.

    Args:
        rain: mm/h, in any shape; NaN = missing, below 0 counts as dry.
        z_r: a and b.

    Returns:
        dBZ, 0 to 60; 0 where dry, and where it rains less than the 0.036 mm/h that are 0 dBZ by Marshall and Palmer.
    """
    rain = np.asarray(rain, np.float32)
    with np.errstate(divide="ignore"):
        dbz = 10 * np.log10(z_r.a) + 10 * z_r.b * np.log10(np.maximum(rain, 0))
    return np.clip(dbz, 0, HIGHEST_DBZ).astype(np.float32)


def dbz_to_rain(dbz: np.ndarray, z_r: ZR = MARSHALL_PALMER) -> np.ndarray:
    """Turn reflectivity into rain, R = (Z / a)^(1 / b).

    Args:
        dbz: dBZ, in any shape; NaN = missing.
        z_r: a and b.

    Returns:
        mm/h; exactly 0 at 0 dBZ and below, which is dry.
    """
    dbz = np.asarray(dbz, np.float32)
    rain = (10 ** (np.clip(dbz, 0, HIGHEST_DBZ) / 10) / z_r.a) ** (1 / z_r.b)
    return np.where(dbz <= 0, 0, rain).astype(np.float32)


def to_dbz(
    values: np.ndarray, quantity: Quantity, interval: timedelta | None = None, z_r: ZR = MARSHALL_PALMER
) -> np.ndarray:
    """Bring a field of any known quantity onto clip(dBZ, 0, 60) with dry = 0.

    Args:
        values: the field, H W or T H W; NaN = missing, infinity is refused.
        quantity: what `values` are.
        interval: how long the rain was gathered, for ``"mm"``.
        z_r: between rain and reflectivity.

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
        return rain_to_dbz(values, z_r)
    if quantity == "mm":
        if interval is None or interval <= timedelta(0):
            raise DataError(
                f"mm: a sum of rain needs the time it was gathered in, got {interval}; give a positive interval"
            )
        return rain_to_dbz(values * (timedelta(hours=1) / interval), z_r)
    raise DataError(f"{quantity!r} is no quantity of a radar field. {nearest(str(quantity), ('dBZ', 'mm/h', 'mm'))}")
