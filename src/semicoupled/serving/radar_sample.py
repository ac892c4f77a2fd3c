"""Generated rain for those who have no radar files at hand: made by code, a pure function of its name.

A field is many waves, the long ones higher than the short ones, as in rain. All move on together, and each turns its
phase at random, the shorter the faster, so that small showers live for minutes and wide rain for hours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semicoupled.errors import DataError, nearest

SIZE = 192
FRAMES = 30
_WAVES = 700
_SHORTEST_KM, _LONGEST_KM = 6.0, 260.0


@dataclass(frozen=True)
class Rain:
    """What generated rain looks like.

    Args:
        title: for people.
        seed: of its waves.
        speed_kmh: eastward and southward.
        threshold: deviations from the mean above which it rains.
        gain: dBZ a deviation above it.
        band_km: half the width of the band that it rains in; 0 for everywhere.
    """

    title: str
    seed: int
    speed_kmh: tuple[float, float]
    threshold: float
    gain: float
    band_km: float = 0.0


SAMPLES: dict[str, Rain] = {
    "showers": Rain("Showers that move to the east (generated)", 4, (46.0, 14.0), 0.55, 24.0),
    "front": Rain("A front that moves to the south-east (generated)", 11, (30.0, 34.0), -0.4, 9.5, 80.0),
}


def find_sample(name: str) -> Rain:
    """Give a sample by name.

    Raises:
        DataError: there is none of this name.
    """
    if name not in SAMPLES:
        raise DataError(f"there is no sample {name[:100]!r}. {nearest(name[:100], SAMPLES)}")
    return SAMPLES[name]


def rain_fields(rain: Rain, frames: int, kilometers: float, step_minutes: float, size: int = SIZE) -> np.ndarray:
    """Generate fields.

    Args:
        rain: what it looks like.
        frames: how many.
        kilometers: size of a pixel.
        step_minutes: from one to the next.
        size: height and width in pixels.

    Returns:
        T H W, float32, dBZ from 0 to 60; NaN beyond the reach of the imagined radar.
    """
    random = np.random.default_rng(rain.seed)
    length = np.exp(random.uniform(np.log(_SHORTEST_KM), np.log(_LONGEST_KM), _WAVES))
    angle = random.uniform(0, 2 * np.pi, _WAVES)
    phase = random.uniform(0, 2 * np.pi, _WAVES)
    # tried by eye: steeper is too smooth, flatter has no showers
    amplitude = length**0.55
    amplitude /= np.sqrt((amplitude**2).sum() / 2)
    turning = random.normal(0, 1, _WAVES) * 0.9 / (length / 8) ** 0.8  # radians in 10 minutes
    kx, ky = (2 * np.pi / length * part for part in (np.cos(angle), np.sin(angle)))
    place = (np.arange(size) - (size - 1) / 2) * kilometers
    y, x = np.meshgrid(place, place, indexing="ij")
    outside = np.hypot(x, y) > 0.49 * size * kilometers
    fields = np.empty((frames, size, size), np.float32)
    for frame in range(frames):
        minutes = frame * step_minutes
        east, south = (speed * minutes / 60 for speed in rain.speed_kmh)
        along = amplitude * np.exp(1j * (phase + turning * minutes / 10))
        columns = np.exp(1j * np.outer(kx, place - east))  # waves W
        rows = np.exp(1j * np.outer(ky, place - south))  # waves H
        noise = np.real((rows.T * along) @ columns)
        if rain.band_km:
            across = (x - east + y - south + 0.5 * size * kilometers) / np.sqrt(2)
            noise = noise + 1.1 - 1.9 * (across / rain.band_km) ** 2
        dbz = 12 + rain.gain * (noise - rain.threshold)
        fields[frame] = np.where(dbz < 7, 0, np.clip(dbz, 0, 56))
        fields[frame][outside] = np.nan
    return fields
