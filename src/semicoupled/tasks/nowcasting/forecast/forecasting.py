"""A network's forecast of one whole field, however large, with what it says about time and space."""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np
import torch

from semicoupled.tasks.nowcasting.data import NowcastingBatch, forecast_batch
from semicoupled.tasks.nowcasting.extrapolation.baselines import Forecaster, advect
from semicoupled.tasks.nowcasting.extrapolation.motion import estimate_motion
from semicoupled.tasks.nowcasting.forecast.matching import match_distribution
from semicoupled.tasks.nowcasting.forecast.share import Answers, stream_answers, temporal_share
from semicoupled.tasks.nowcasting.forecast.tiles import BLEND, cut_tiles
from semicoupled.tasks.nowcasting.model import NowcastingModel
from semicoupled.tasks.nowcasting.settings import PredictSettings
from semicoupled.tasks.nowcasting.units import HIGHEST_DBZ

log = logging.getLogger(__name__)

REACH = 96
"""Pixels around a tile that are computed with it, besides those from where its rain comes: farther away a network sees
only through many steps, and hardly. Measured: tests/tasks/nowcasting/forecast/test_forecasting.py."""


class Fields(NamedTuple):
    """What a network gives.

    Attributes:
        dbz: K H W, NaN = missing.
        share: K H W, see `share`, or None where it was not asked for.
    """

    dbz: np.ndarray
    share: np.ndarray | None


def forecaster(model: NowcastingModel, device: torch.device, settings: PredictSettings) -> Forecaster:
    """Give a network the signature of a baseline.

    Args:
        model: in eval mode.
        device: where it lies.
        settings: what is made of what the network gives.
    """

    def forecast(dbz: np.ndarray, leads: int, kilometers: float) -> np.ndarray:
        return forecast_fields(model, device, settings, dbz, leads, kilometers).dbz

    return forecast


def forecast_fields(
    model: NowcastingModel,
    device: torch.device,
    settings: PredictSettings,
    dbz: np.ndarray,
    leads: int,
    kilometers: float,
    *,
    motion: np.ndarray | None = None,
    with_share: bool = False,
) -> Fields:
    """Forecast a field.

    Args:
        model: in eval mode.
        device: where it lies.
        settings: what is made of what the network gives, and the size of tiles.
        dbz: T H W, at least two frames one time step apart; dBZ, NaN = missing.
        leads: number of time steps K.
        kilometers: size of a pixel.
        motion: 2 H W, pixels per time step; estimated from the frames if None.
        with_share: whether to ask how much came from time; costs about as much again.
    """
    motion = estimate_motion(dbz, kilometers) if motion is None else np.asarray(motion, np.float32)
    given, answers = _network(model, device, settings.tile, dbz, motion, leads, with_share)
    np.clip(given, 0, HIGHEST_DBZ, out=given)
    share = None if answers is None else temporal_share(given, *answers)
    if settings.trust == 1 and settings.match == 0:
        return Fields(given, share)
    guess = advect(dbz[-1], motion, leads)
    for lead in range(leads):  # one at a time: a large field has room for little more than the result
        mixed = guess[lead] + np.float32(settings.trust) * (given[lead] - guess[lead])
        given[lead] = match_distribution(mixed[None], guess[lead : lead + 1], settings.match)[0]
    return Fields(given, share)


def _network(
    model: NowcastingModel,
    device: torch.device,
    side: int,
    dbz: np.ndarray,
    motion: np.ndarray,
    leads: int,
    with_share: bool,
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray] | None]:
    """Run the network, tile by tile: K H W in dBZ, and what both streams say more than that."""
    shape = (leads, *dbz.shape[-2:])
    whole = np.zeros(shape, np.float32)
    more = (np.zeros(shape, np.float32), np.zeros(shape, np.float32)) if with_share else None
    halo = _halo(motion, max(leads, len(dbz) - 1), side)
    tiles = cut_tiles(shape[1:], side, halo, model.patch)
    if len(tiles) > 1:
        log.info("a field of %d x %d pixels: forecast in %d tiles", *shape[1:], len(tiles))
    for tile in tiles:
        batch = forecast_batch(dbz[:, *tile.computed], motion[:, *tile.computed])
        batch = NowcastingBatch(*(tensor.to(device) for tensor in batch))
        with torch.no_grad():
            output = model(batch, leads=leads, streams=("main", "spatial", "temporal") if with_share else ("main",))
            parts = [HIGHEST_DBZ * output.main[0, :, 0]]
            if with_share:
                answers: Answers = stream_answers(output, batch.frames[:, -1], batch.motion, model.form)
                parts += answers
        for target, part in zip((whole, *(more or ())), parts, strict=True):
            content = part.float().cpu().numpy()[:, *tile.inside]
            target[:, *tile.used] += tile.weight * np.nan_to_num(content, nan=0.0)
    whole[:, np.isnan(dbz[-1])] = np.nan
    return whole, more


def _halo(motion: np.ndarray, steps: int, side: int) -> int:
    """Pixels around a tile on which its result depends, but no more than a tile: memory stays bounded."""
    fastest = float(np.abs(motion).max(initial=0.0)) * steps
    wanted = REACH + int(np.ceil(fastest))
    most = max(side - BLEND, REACH)
    if wanted > most and max(motion.shape[-2:]) > side:
        log.warning(
            "the rain moves up to %.0f pixels over the forecast, farther than tiles of %d see: it may differ there "
            "from a forecast in one piece. Raise predict.tile",
            fastest,
            side,
        )
    return min(wanted, most)
