"""Coarser grids: the mean rain of blocks of pixels, so that no water is lost.

A mean of dBZ would depend on what dry is called (0, -32 or minus infinity dBZ); the mean of rain does not, and it is
what a coarser gauge network would see. Between dBZ and rain stands Z = a R^b.
"""

from __future__ import annotations

import numpy as np

from semicoupled.errors import DataError, SettingsError
from semicoupled.tasks.nowcasting.data_settings import ZR
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.units import MARSHALL_PALMER, dbz_to_rain, rain_to_dbz

_AS_ASKED = 0.1


def factor_for(grid: Grid, kilometers: float | None, where: str) -> int:
    """Give how many pixels of a grid make one of the network's, on a side.

    Args:
        grid: of the files.
        kilometers: size of a pixel that is asked for; None for the files' own.
        where: the folder or the file, for the message.

    Returns:
        The nearest whole number, 1 or more.

    Raises:
        DataError: the pixels would differ by more than a tenth from what was asked for.
    """
    if kilometers is None:
        return 1
    factor = max(1, round(kilometers / grid.kilometers))
    given = factor * grid.kilometers
    if abs(given / kilometers - 1) > _AS_ASKED + 1e-9:
        raise DataError(
            f"{where}: pixels of {grid.kilometers:.3g} km make pixels of {given:.3g} km at best; expected "
            f"{kilometers:g} km within {_AS_ASKED:.0%}. Set data.kilometers to {given:.3g}, or to null for the "
            "files' own"
        )
    return factor


def coarsen(dbz: np.ndarray, factor: int, z_r: ZR = MARSHALL_PALMER) -> np.ndarray:
    """Take the mean rain of blocks; `Grid.coarsened` gives their places.

    Args:
        dbz: H W, dBZ from 0 to 60; NaN = missing.
        factor: pixels of a block's side, 1 or more.
        z_r: between dBZ and rain.

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
    rain = np.pad(dbz_to_rain(dbz, z_r), ((0, padding[0]), (0, padding[1])), constant_values=np.nan)
    blocks = rain.reshape(rows, factor, columns, factor).transpose(0, 2, 1, 3).reshape(rows, columns, -1)
    there = ~np.isnan(blocks)
    count = there.sum(-1)
    mean = np.where(there, blocks, 0).sum(-1) / np.maximum(count, 1)
    return np.where(2 * count >= factor * factor, rain_to_dbz(mean, z_r), np.nan).astype(np.float32)
