"""Coarser grids: the mean rain of blocks of pixels, so that no water is lost.

A mean of dBZ would depend on what dry is called (0, -32 or minus infinity dBZ); the mean of rain does not, and it is
what a coarser gauge network would see. Between dBZ and rain stands Z = 200 R^1.6.
"""

from __future__ import annotations

import numpy as np

from semicoupled.errors import SettingsError
from semicoupled.tasks.nowcasting.units import dbz_to_rain, rain_to_dbz


def coarsen(dbz: np.ndarray, factor: int) -> np.ndarray:
    """Take the mean rain of blocks; `Grid.coarsened` gives their places.

    Args:
        dbz: H W, dBZ from 0 to 60; NaN = missing.
        factor: pixels of a block's side, 1 or more.

    Returns:
        dBZ, ceil(H / factor) x ceil(W / factor). A block is missing where more than half of its pixels are missing or
        lie outside the field.

    Raises:
        SettingsError: the factor is below 1.
    """
    if factor < 1:
        raise SettingsError(f"coarsen: expected a whole number of pixels from 1, got {factor}")
    if factor == 1:
        return np.asarray(dbz, np.float32)
    rows, columns = (-(-size // factor) for size in dbz.shape)
    padding = rows * factor - dbz.shape[0], columns * factor - dbz.shape[1]
    rain = np.pad(dbz_to_rain(dbz), ((0, padding[0]), (0, padding[1])), constant_values=np.nan)
    blocks = rain.reshape(rows, factor, columns, factor).transpose(0, 2, 1, 3).reshape(rows, columns, -1)
    there = ~np.isnan(blocks)
    count = there.sum(-1)
    mean = np.where(there, blocks, 0).sum(-1) / np.maximum(count, 1)
    return np.where(2 * count >= factor * factor, rain_to_dbz(mean), np.nan).astype(np.float32)
