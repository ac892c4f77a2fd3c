"""One radar field as it was measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import ZR, Quantity
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.units import MARSHALL_PALMER, to_dbz


@dataclass(frozen=True, eq=False)
class RadarFrame:
    """A field, what it measures, and when and where.

    Args:
        values: H W, float32 in units of `quantity`; NaN = missing (outside the radars' reach, or not delivered).
            No echo is a number, not NaN.
        quantity: ``"dBZ"``, ``"mm/h"`` or ``"mm"`` (gathered over `interval`).
        valid: the time it is valid at, UTC; the end of `interval` for sums.
        interval: how long the rain was gathered, None for a snapshot.
        grid: where the pixels lie.
        source: the file.
        product: the product's name in the file, for messages and for the output's history.
    """

    values: np.ndarray
    quantity: Quantity
    valid: datetime
    interval: timedelta | None
    grid: Grid
    source: Path
    product: str

    def dbz(self, z_r: ZR = MARSHALL_PALMER) -> np.ndarray:
        """Give the field as clip(dBZ, 0, 60), dry = 0, NaN = missing; rain by Z = a R^b.

        Args:
            z_r: a and b.

        Returns:
            H W, float32.

        Raises:
            DataError: a sum of rain over no time, or infinite values; it names the file.
        """
        try:
            return to_dbz(self.values, self.quantity, self.interval, z_r)
        except DataError as error:
            raise DataError(f"{self.source}: {error}") from error
