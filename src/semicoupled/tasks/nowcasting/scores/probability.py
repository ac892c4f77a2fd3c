"""How likely it rains at least so hard: from one deterministic forecast to probabilities that keep what they say.

In three steps, for a threshold t (dBZ) and a lead of m minutes:

    s = clip((dBZ - t) / (2 w) + 1/2, 0, 1)         a soft step: near misses in strength count in part
    f = Gaussian mean of s, deviation r0 + r1 m km    near misses in place do, more so farther ahead (Theis et al. 2005)
    P = 1 / (1 + exp(-(a + b logit f)))               what such an f has meant, with a and b > 0 by threshold and lead

The logit of f is rounded to `STEP` and limited to `LIMIT`: a probability takes few values, so that counts of each say
all that calibration and scores must know (see `calibrating`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import cv2
import numpy as np

from semicoupled.description import Json
from semicoupled.errors import DataError, ShapeError

FORMAT = 1
STEP = 1 / 16
"""Between two values of the logit of the neighborhood's share."""
LIMIT = 7.0
"""The largest logit: shares below 0.0009 are one."""
LEVELS = np.linspace(-LIMIT, LIMIT, round(2 * LIMIT / STEP) + 1)
"""All values that the logit takes."""


@dataclass(frozen=True)
class Neighborhood:
    """How far a forecast may miss and still count.

    Args:
        width_km: deviation of the Gaussian weights at the time of the forecast, km.
        growth_km: what is added to it each minute ahead, km.
        softness_dbz: half of the width of the soft step, dBZ.
    """

    width_km: float = 1.0
    growth_km: float = 0.15
    softness_dbz: float = 5.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.width_km < 0 or self.growth_km < 0 or not self.softness_dbz > 0:
            raise DataError(
                f"{self}: expected width_km and growth_km of at least 0 and softness_dbz above 0. Calibrate anew"
            )


@dataclass(frozen=True)
class Calibration:
    """What the share of rain around a pixel has meant, by threshold and lead.

    Args:
        thresholds: Q thresholds, dBZ, rising.
        lead_minutes: K leads that it was fitted at, rising; between them parameters are interpolated, beyond them they
            stay, while the neighborhood grows on.
        intercept: Q x K, a of the module's formula.
        slope: Q x K, b, above 0: more rain around is never less likely rain.
        neighborhood: how shares are made.
    """

    thresholds: tuple[float, ...]
    lead_minutes: tuple[float, ...]
    intercept: tuple[tuple[float, ...], ...]
    slope: tuple[tuple[float, ...], ...]
    neighborhood: Neighborhood = Neighborhood()

    def __post_init__(self) -> None:
        """Check what must hold of the numbers."""
        expected = (len(self.thresholds), len(self.lead_minutes))
        for name in ("intercept", "slope"):
            rows = getattr(self, name)
            found = len(rows), *sorted({len(row) for row in rows})
            if 0 in expected or found != expected:
                raise DataError(
                    f"calibration: {name} has the shape {found}; expected {expected[0]} thresholds x {expected[1]} "
                    "leads, at least one of each. Calibrate anew"
                )
            if not np.isfinite(rows).all():
                raise DataError(f"calibration: {name} holds {rows}; expected finite numbers. Calibrate anew")
        if not (np.array(self.slope) > 0).all():
            raise DataError(f"calibration: slope holds {self.slope}; expected numbers above 0. Calibrate anew")
        for name in ("thresholds", "lead_minutes"):
            if not (np.diff(getattr(self, name)) > 0).all():
                raise DataError(
                    f"calibration: {name} are {getattr(self, name)}; expected rising numbers. Calibrate anew"
                )

    def to_json(self) -> dict[str, Json]:
        """Give it as plain numbers; see `from_json`."""
        return {"format": FORMAT, **cast("dict[str, Json]", asdict(self))}

    @classmethod
    def from_json(cls, document: Json) -> Calibration:
        """Read what `to_json` gave.

        Raises:
            DataError: another format, or a part is missing or wrong.
        """
        if not isinstance(document, Mapping) or document.get("format") != FORMAT:
            found = document.get("format") if isinstance(document, Mapping) else type(document).__name__
            raise DataError(f"calibration: is of format {found!r}; expected format {FORMAT}. Calibrate anew")
        try:
            content = cast("Mapping[str, Any]", document)
            return cls(
                thresholds=_floats(content["thresholds"]),
                lead_minutes=_floats(content["lead_minutes"]),
                intercept=tuple(_floats(row) for row in content["intercept"]),
                slope=tuple(_floats(row) for row in content["slope"]),
                neighborhood=Neighborhood(**{name: float(value) for name, value in content["neighborhood"].items()}),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"calibration: a part is missing or wrong: {error!r}. Calibrate anew") from error

    def at(self, lead_minutes: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """Give intercept and slope at some leads, Q K each."""
        intercept, slope = (
            np.stack([np.interp(lead_minutes, self.lead_minutes, row) for row in rows])
            for rows in (self.intercept, self.slope)
        )
        return intercept, slope


def exceedance(dbz: np.ndarray, calibration: Calibration, kilometers: float, step_minutes: float) -> np.ndarray:
    """Give the probability that it rains at least as hard as each threshold.

    Args:
        dbz: K H W, a forecast of 1..K time steps ahead; dBZ, NaN = missing.
        calibration: its thresholds are those of the result.
        kilometers: size of a pixel.
        step_minutes: from one lead to the next.

    Returns:
        Q K H W, float32, 0 to 1; NaN where `dbz` is.

    Raises:
        ShapeError: `dbz` is not K H W.
    """
    minutes = [step_minutes * (lead + 1) for lead in range(len(dbz))]
    intercept, slope = calibration.at(minutes)
    levels = share_levels(dbz, calibration.thresholds, calibration.neighborhood, kilometers, minutes)
    table = probabilities(intercept, slope).astype(np.float32)  # Q K levels
    result = np.empty(levels.shape, np.float32)
    for threshold in range(levels.shape[0]):
        for lead in range(levels.shape[1]):
            result[threshold, lead] = table[threshold, lead][levels[threshold, lead]]
    return np.where(np.isnan(dbz), np.float32(np.nan), result)


def probabilities(intercept: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Give the probability at each of `LEVELS`, ... x levels.

    Args:
        intercept: of any shape.
        slope: of the same shape.
    """
    return 1 / (1 + np.exp(-(np.asarray(intercept)[..., None] + np.asarray(slope)[..., None] * LEVELS)))


def share_levels(
    dbz: np.ndarray,
    thresholds: Sequence[float],
    neighborhood: Neighborhood,
    kilometers: float,
    lead_minutes: Sequence[float],
) -> np.ndarray:
    """Give the share of rain around each pixel as the index of its logit in `LEVELS`.

    Args:
        dbz: K H W; NaN = missing, has no part in the shares.
        thresholds: Q thresholds, dBZ.
        neighborhood: how shares are made.
        kilometers: size of a pixel.
        lead_minutes: of each of the K fields.

    Returns:
        Q K H W, uint8; without meaning where `dbz` is NaN.

    Raises:
        ShapeError: `dbz` is not K H W with a lead each.
    """
    if dbz.ndim != 3 or len(dbz) != len(lead_minutes):
        raise ShapeError(f"share_levels: expected K H W with {len(lead_minutes)} leads, got shape {dbz.shape}")
    levels = np.empty((len(thresholds), *dbz.shape), np.uint8)
    for lead, (field, minutes) in enumerate(zip(dbz, lead_minutes, strict=True)):
        there = ~np.isnan(field)
        sigma = (neighborhood.width_km + neighborhood.growth_km * minutes) / kilometers
        weight = np.maximum(_blur(there.astype(np.float32), sigma), 1e-6)
        value = np.where(there, field, -np.inf).astype(np.float32)
        for index, threshold in enumerate(thresholds):
            step = np.clip((value - threshold) / (2 * neighborhood.softness_dbz) + 0.5, 0, 1, dtype=np.float32)
            levels[index, lead] = _levels(_blur(step, sigma) / weight)
    return levels


def _levels(share: np.ndarray) -> np.ndarray:
    smallest = 1 / (1 + np.exp(LIMIT))
    share = np.clip(share.astype(np.float64), smallest, 1 - smallest)
    return np.rint((np.log(share / (1 - share)) + LIMIT) / STEP).astype(np.uint8)


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    return image if sigma < 0.1 else cv2.GaussianBlur(image, (0, 0), sigma)


def _floats(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
