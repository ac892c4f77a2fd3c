from __future__ import annotations

import numpy as np
import pytest

from semicoupled.tasks.driving.checking.label_facts import doubt_unit, find_spikes, shares

WAVE = np.sin(np.arange(400) / 15)
WAVE /= np.abs(WAVE).max()


@pytest.mark.parametrize(
    ("angles", "unit", "words"),
    [
        (WAVE, "normalized", None),
        (
            3 * WAVE,
            "normalized",
            "angles reach 3, taken as normalized; expected at most 1.02; they look like radians or",
        ),
        (90 * WAVE, "normalized", "they look like degrees. Set --data.angle.unit"),
        (6 * WAVE, "radians", None),
        (90 * WAVE, "radians", "expected at most 15.8; they look like degrees"),
        (400 * WAVE, "degrees", None),
        (4000 * WAVE, "degrees", "expected at most 900; they look like tenths of a degree, or damage"),
        (WAVE, "degrees", "no angle is larger than 1, taken as degrees; they look normalized"),
        (0 * WAVE, "degrees", None),
        (np.nan * WAVE, "degrees", None),
    ],
)
def test_units_are_doubted(angles: np.ndarray, unit, words: str | None):
    said = doubt_unit(angles, unit)
    assert (said is None) == (words is None)
    assert words is None or words in str(said)


def test_spikes_are_found_and_turns_are_not():
    angles = WAVE.copy()
    assert len(find_spikes(angles)) == 0
    angles[[50, 200]] += 1.5, -1.0
    angles[300:] += 1.0  # a step is no spike
    assert find_spikes(angles).tolist() == [50, 200]
    angles[51] = np.nan
    assert find_spikes(angles).tolist() == [200]
    assert len(find_spikes(np.zeros(50))) == 0
    assert len(find_spikes(np.full(50, np.nan))) == 0
    assert len(find_spikes(np.array([0.0, 1.0, 0.0]))) == 0


def test_a_tap_of_a_joystick_is_a_spike_only_if_it_is_rare():
    rng = np.random.default_rng(0)
    taps = (rng.uniform(size=400) < 0.3).astype(float)
    assert len(find_spikes(taps)) == 0
    one = np.zeros(400)
    one[100] = 1
    assert find_spikes(one).tolist() == [100]


def test_shares():
    angles = np.array([0, 0, 1, -1, 0.5, np.nan, 0.995, 0])
    assert shares(angles, "normalized") == pytest.approx((3 / 7, 3 / 7))
    assert shares(30 * angles, "degrees") == pytest.approx((3 / 7, 3 / 7))
    assert np.isnan(shares(np.array([np.nan]), "degrees")).all()
    assert shares(np.zeros(3), "degrees") == (1, 0)
