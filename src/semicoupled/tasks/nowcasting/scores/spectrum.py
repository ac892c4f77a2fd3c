"""How much a field varies at each scale: the radially averaged power spectrum, in bands of wavelength.

A forecast that fades what it is not sure of has less power at short waves than what came to be; the ratio of both says
where it is blurred. What would pretend to be short waves is kept out: a field is taken as its deviation from its mean,
and it fades to 0 over `TAPER_KM` toward missing pixels and toward its edge, the same way for forecast and observation.
Holes of a pixel or two do not count as missing for that; they hold the mean.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

TAPER_KM = 24.0
_HOLE = 5
_PRIMES = (2, 3, 5)


class BandPower:
    """Gives the power of fields in bands of wavelength; see `band_power`.

    Args:
        kilometers: size of a pixel.
        bands_km: B + 1 rising edges, km.
    """

    def __init__(self, kilometers: float, bands_km: Sequence[float]) -> None:
        self._kilometers, self._bands_km = kilometers, bands_km
        self._last: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(self, fields: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Give K B from fields and from which of their pixels count, both K H W."""
        powers = [
            band_power(field[None], there, self._taper(there), self._kilometers, self._bands_km)
            for field, there in zip(fields, counts, strict=True)
        ]
        return np.concatenate(powers) if powers else np.empty((0, len(self._bands_km) - 1))

    def _taper(self, counts: np.ndarray) -> np.ndarray:
        if self._last is None or not np.array_equal(self._last[0], counts):  # as a rule the same for hours
            self._last = counts, taper(counts, self._kilometers)
        return self._last[1]


def band_power(
    fields: np.ndarray, counts: np.ndarray, weight: np.ndarray, kilometers: float, bands_km: Sequence[float]
) -> np.ndarray:
    """Give the power of fields in bands of wavelength.

    Args:
        fields: K H W; anything where pixels do not count.
        counts: H W, whether a pixel counts.
        weight: H W, from 0 to 1; as `taper` gives it for `counts`.
        kilometers: size of a pixel.
        bands_km: B + 1 rising edges, km.

    Returns:
        K B, the mean of the radially averaged power over the waves from one edge up to the next; NaN where the grid has
        no such waves: they are shorter than two pixels, or longer than the field.
    """
    weight = np.asarray(weight * counts, np.float64)
    total = weight.sum()
    if not total:
        return np.full((len(fields), len(bands_km) - 1), np.nan)
    fields = np.where(counts, fields, 0).astype(np.float64)
    mean = (fields * weight).sum((1, 2), keepdims=True) / total
    side = _fast_length(max(weight.shape))
    spectrum = radial_spectrum((fields - mean) * weight, side)
    with np.errstate(divide="ignore"):
        wavelength = side * kilometers / np.arange(spectrum.shape[1])
    wavelength[wavelength > max(weight.shape) * kilometers] = np.inf
    power = np.full((len(fields), len(bands_km) - 1), np.nan)
    for band, (low, high) in enumerate(pairwise(bands_km)):
        chosen = (low <= wavelength) & (wavelength < high)
        if chosen.any():
            power[:, band] = spectrum[:, chosen].mean(1)
    return power


def radial_spectrum(fields: np.ndarray, side: int) -> np.ndarray:
    """Give the power by wave number, averaged over all directions.

    Args:
        fields: K H W without NaN; they are filled up with zeros to squares.
        side: of the squares, pixels, at least H and W.

    Returns:
        K R, |F|^2 / side^2 at wave numbers 0, 1, ... cycles a side, up to but not including two pixels a wave for an
        even side, as pysteps counts them.
    """
    transformed = np.fft.rfft2(np.asarray(fields, np.float64), s=(side, side), axes=(1, 2))
    power = (transformed.real**2 + transformed.imag**2) / side**2
    ring, times, share = _rings(side)
    count = side // 2 + side % 2
    sums = [np.bincount(ring, weights=(one * times).ravel(), minlength=count)[:count] for one in power]
    return np.stack(sums) * share[:count]


def taper(counts: np.ndarray, kilometers: float) -> np.ndarray:
    """Give weights that fall to 0 toward missing pixels and toward the edge, as a squared sine.

    Args:
        counts: H W, whether a pixel counts.
        kilometers: size of a pixel.

    Returns:
        H W, 0 to 1; 1 from `TAPER_KM` inside on, or from where the field is widest if that is nowhere so wide.
    """
    closed = cv2.morphologyEx(
        np.pad(counts, _HOLE).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((_HOLE, _HOLE), np.uint8)
    )
    distance = cv2.distanceTransform(closed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[_HOLE:-_HOLE, _HOLE:-_HOLE]
    width = min(TAPER_KM / kilometers, float(distance.max()))
    if not width:
        return np.zeros(counts.shape)
    return np.sin(np.pi / 2 * np.minimum(distance / width, 1.0)) ** 2


@functools.lru_cache(maxsize=8)
def _rings(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the ring of each coefficient of rfft2, how often a column stands in the whole, and 1 / the rings' sizes."""
    down, across = np.fft.fftfreq(side, 1 / side), np.fft.rfftfreq(side, 1 / side)
    ring = np.rint(np.hypot(down[:, None], across)).astype(np.intp)
    times = np.full(len(across), 2.0)
    times[0] = 1
    if side % 2 == 0:
        times[-1] = 1
    size = np.bincount(ring.ravel(), weights=np.broadcast_to(times, ring.shape).ravel())
    return ring.ravel(), times, 1 / size


def _fast_length(least: int) -> int:
    """Give the next number with small prime factors, for which transforms are fast."""
    for length in range(least, 2 * least + 1):
        rest = length
        for prime in _PRIMES:
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
    raise AssertionError("there is a power of two between a number and its double")
