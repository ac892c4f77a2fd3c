from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from semicoupled.tasks.driving.checking.frame_facts import FrameFacts, look
from semicoupled.tasks.driving.checking.lag import Turning, estimate_lag
from semicoupled.tasks.driving.drives import Drive


class Pictures:
    """Frames of an array; a frame of None is broken."""

    def __init__(self, frames) -> None:
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def read(self, index: int) -> np.ndarray:
        return self._frames[index]

    def name(self, index: int) -> str:
        return f"frame {index}"


def drive_of(made, tmp_path) -> Drive:
    return Drive("a", "a", tmp_path, Pictures(made.frames), made.times, made.angles, "normalized")


def turning(
    count: int, lag: float, *, noise: float = 0.0, sign: float = 1.0, rate: float = 20.0, seed: int = 0
) -> Turning:
    rng = np.random.default_rng(seed)
    times = np.arange(count) / rate
    at = np.linspace(-20, count / rate + 20, 40 * count)
    walk = np.cumsum(rng.normal(size=len(at)))
    wave = np.convolve(walk - np.convolve(walk, np.ones(800) / 800, "same"), np.ones(40) / 40, "same")
    angles = np.interp(times, at, wave)
    middle = times - 0.5 / rate
    turns = sign * np.interp(middle - lag, at, wave) + noise * wave.std() * rng.normal(size=count)
    return Turning(times, angles, turns)


@pytest.mark.parametrize("lag", [-0.3, 0.0, 0.12, 0.6])
def test_a_known_lag_is_found(lag: float):
    found = estimate_lag([turning(2400, lag, noise=0.5)])
    assert found is not None
    assert found.told
    assert found.seconds == pytest.approx(lag, abs=0.02)
    assert found.interval[0] - 0.02 <= lag <= found.interval[1] + 0.02
    assert found.correlation > 0.8


def test_several_parts_and_missing_values():
    parts = [turning(900, 0.2, seed=seed) for seed in range(3)]
    rng = np.random.default_rng(0)
    for part in parts:
        part.turns[rng.uniform(size=900) < 0.2] = np.nan
        part.angles[100:160] = np.nan
    found = estimate_lag(parts)
    assert found is not None
    assert found.seconds == pytest.approx(0.2, abs=0.02)


def test_a_wrong_sign_is_a_correlation_below_0():
    found = estimate_lag([turning(2400, 0.2, sign=-1)])
    assert found is not None
    assert found.told
    assert found.correlation < -0.9
    assert found.seconds == pytest.approx(0.2, abs=0.02)


def test_noise_tells_nothing():
    rng = np.random.default_rng(0)
    one = turning(2400, 0.0)
    found = estimate_lag([Turning(one.times, one.angles, rng.normal(size=2400))])
    assert found is not None
    assert not found.told


def test_too_little_to_tell():
    assert estimate_lag([]) is None
    assert estimate_lag([turning(200, 0.0)]) is None
    one = turning(2400, 0.0)
    assert estimate_lag([Turning(one.times, one.angles, np.zeros(2400))]) is None
    assert estimate_lag([Turning(one.times, np.zeros(2400), one.turns)]) is None
    assert estimate_lag([Turning(one.times[:1], one.angles[:1], one.turns[:1])]) is None


@pytest.mark.parametrize("frames", [0, 4])
def test_the_lag_of_pictures(samples: ModuleType, tmp_path, frames: int):
    """Pictures of a camera that turns some frames after the angle: the lag comes out within half a frame."""
    made = samples.make_drive(450, lag=frames, turn=2.5, size=(24, 32))
    made = made._replace(times=2 * made.times)
    facts = look(drive_of(made, tmp_path), 0.5)
    found = estimate_lag([Turning(made.times, made.angles, facts.turns)])
    assert found is not None
    assert found.told
    # the picture of a frame shows what was turned until then, the middle of the step before
    assert found.seconds == pytest.approx(2 * (frames - 0.5) / samples.RATE, abs=0.05)
    assert found.correlation > 0.9


def test_facts_of_frames(samples: ModuleType, tmp_path):
    made = samples.make_drive(12, turn=4.0)
    frames = [*made.frames]
    frames[5] = frames[4]
    times = made.times + np.where(np.arange(12) >= 9, 5.0, 0.0)
    facts = look(drive_of(made._replace(frames=frames, times=times), tmp_path), 0.5)
    assert isinstance(facts, FrameFacts)
    assert dict(facts.sizes) == {samples.SIZE: 12}
    assert np.flatnonzero(facts.repeats).tolist() == [5]
    assert np.flatnonzero(np.isnan(facts.turns)).tolist() == [0, 9]
    # widths a second: 4 px a frame at the largest angle, 64 px wide, 20 frames a second
    expected = 4 * made.angles / samples.SIZE[1] * samples.RATE
    usual = [index for index in range(1, 12) if index not in (5, 6, 9)]
    np.testing.assert_allclose(facts.turns[usual], expected[usual], atol=0.05)
    assert facts.turns[5] == 0
