from __future__ import annotations

import numpy as np
import pytest

from semicoupled.tasks.nowcasting.scores.metrics import Truth
from semicoupled.tasks.nowcasting.scores.spectrum import BandPower, band_power, radial_spectrum, taper

BANDS = (4.0, 8.0, 16.0, 32.0, 64.0)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(20, 5, shape)


def ratio(forecast: np.ndarray, observed: np.ndarray, counts: np.ndarray, kilometers: float = 2.0) -> np.ndarray:
    truth = Truth(observed, counts, (15.0,), power=BandPower(kilometers, BANDS))
    return truth.count(forecast).pooled().blur()["spectrum_ratio"]


@pytest.mark.parametrize("side", [40, 45])
def test_the_spectrum_is_that_of_pysteps(side: int):
    oracle = pytest.importorskip("pysteps.utils.spectral")
    fields = noise(2, side, side)
    expected = np.stack([oracle.rapsd(field, np.fft) for field in fields])
    np.testing.assert_allclose(radial_spectrum(fields, side), expected, rtol=1e-12, atol=1e-12)


def test_a_field_that_is_no_square_is_filled_up_with_zeros():
    oracle = pytest.importorskip("pysteps.utils.spectral")
    field = noise(1, 30, 37)
    square = np.zeros((40, 40))
    square[:30, :37] = field[0]
    np.testing.assert_allclose(radial_spectrum(field, 40)[0], oracle.rapsd(square, np.fft), rtol=1e-12)


def test_a_wave_has_its_power_in_its_band():
    x = np.arange(200)
    wave = np.broadcast_to(np.sin(2 * np.pi * x * 2 / 12), (1, 200, 200))  # 12 km at 2 km
    counts = np.ones((200, 200), bool)
    power = band_power(wave, counts, taper(counts, 2.0), 2.0, BANDS)[0]
    assert power.argmax() == 1
    assert power[1] > 200 * np.delete(power, 1).max()


def test_half_the_amplitude_is_a_quarter_of_the_power_also_where_much_is_missing():
    observed = noise(2, 100, 120)
    counts = np.ones(observed.shape, bool)
    counts[:, :, :37] = False
    np.testing.assert_allclose(ratio(observed / 2 + 7, observed, counts), 0.25, rtol=1e-10)


def test_what_does_not_count_has_no_part_in_it():
    observed, forecast = noise(2, 1, 90, 90)
    counts = np.ones(observed.shape, bool)
    counts[:, :30], counts[:, 60, 60] = False, False
    plain = ratio(forecast, observed, counts)
    forecast[~counts], observed[~counts] = 1e4, np.nan
    np.testing.assert_allclose(ratio(forecast, observed, counts), plain, rtol=1e-12)


def test_weights_fall_off_toward_what_is_missing_but_not_toward_single_pixels():
    counts = np.ones((100, 100), bool)
    counts[:, :20], counts[50, 60] = False, False
    weight = taper(counts, 2.0)  # 12 pixels wide
    assert (weight[:, :20] == 0).all()
    assert np.all(np.diff(weight[50, 19:32]) > 0)
    assert (weight[20:80, 33:80] == 1).all()
    assert weight[0, 60] < 0.05


def test_blur_loses_short_waves_first():
    cv2 = pytest.importorskip("cv2")
    observed = noise(1, 200, 200)
    found = ratio(cv2.GaussianBlur(observed[0], (0, 0), 1.5)[None], observed, np.ones(observed.shape, bool))
    assert np.all(np.diff(found) > 0)
    assert found[0] < 0.05
    assert found[-1] > 0.8


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (17, 23)])
@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_empty_and_odd_fields_are_undefined(shape: tuple[int, int], fill: float):
    field = np.full((2, *shape), fill)
    assert np.isnan(ratio(field, field, np.ones(field.shape, bool))).all()


def test_waves_that_the_grid_cannot_hold_are_undefined():
    field = noise(1, 60, 60)
    counts = np.ones(field.shape, bool)
    assert np.isnan(ratio(field, field, counts, 8.0)).tolist() == [True, True, False, False]
    assert np.isnan(ratio(field, field, counts, 0.5)).tolist() == [False, False, False, True]
