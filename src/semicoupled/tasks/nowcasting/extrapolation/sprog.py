"""S-PROG (Seed 2003) as pysteps has it, with the signature of a baseline: coarse rain lasts, fine rain fades.

pysteps is an extra: ``pip install "semicoupled[pysteps]"``. It refuses fields with too little rain to learn its scales
from, so that advection stands in there, and wherever pysteps has no value; the log says so.
"""

from __future__ import annotations

import logging

import numpy as np

from semicoupled.tasks.nowcasting.extrapolation.baselines import Forecaster, advect
from semicoupled.tasks.nowcasting.extrapolation.motion import estimate_motion
from semicoupled.tasks.nowcasting.extrapolation.pysteps_door import FAILURES, imported, quietly
from semicoupled.tasks.nowcasting.settings import SprogMotion
from semicoupled.tasks.nowcasting.units import HIGHEST_DBZ

log = logging.getLogger(__name__)

WET_DBZ = 0.5
"""What S-PROG takes for rain: all that is not dry. On Dutch rain its squared error is lower so than with 3 or 7 dBZ."""
LEAST_WET = 0.001
"""Share of wet pixels that each of its frames must have."""
CASCADE_LEVELS = 6
_INSTEAD = ", or set evaluation.sprog to off"


def make_sprog(motion: SprogMotion = "ours") -> Forecaster:
    """Give S-PROG as a baseline.

    Args:
        motion: ``ours`` moves the rain as the other baselines do, ``lucaskanade`` as pysteps estimates it.

    Raises:
        MissingExtraError: pysteps is not installed, or does not work.
    """
    forecast = imported("pysteps.nowcasts.sprog", _INSTEAD).forecast
    lucas_kanade = (
        imported("pysteps.motion.lucaskanade", _INSTEAD).dense_lucaskanade if motion == "lucaskanade" else None
    )

    def sprog(dbz: np.ndarray, leads: int, kilometers: float) -> np.ndarray:
        moving = estimate_motion(dbz, kilometers)
        carried = advect(dbz[-1], moving, leads)
        frames = np.asarray(dbz[-3:], np.float64)  # two steps: autoregression of order 2
        wet = [(frame >= WET_DBZ).sum() / max(1, (~np.isnan(frame)).sum()) for frame in frames]
        if min(wet) < LEAST_WET:
            log.info("S-PROG: rain on %.2g of the pixels is too little for it; advection stands in", min(wet))
            return carried
        try:
            if lucas_kanade is not None:
                moving = quietly(lucas_kanade, np.ma.masked_invalid(frames))
            given = quietly(
                forecast,
                frames,
                np.asarray(moving, np.float64),
                leads,
                precip_thr=WET_DBZ,
                n_cascade_levels=CASCADE_LEVELS,
                ar_order=len(frames) - 1,
            )
        except FAILURES as error:
            log.warning("S-PROG: pysteps failed (%s: %s); advection stands in", type(error).__name__, error)
            return carried
        given = np.clip(given, 0, HIGHEST_DBZ)
        return np.where(np.isnan(carried) | np.isnan(given), carried, given).astype(np.float32)

    return sprog
