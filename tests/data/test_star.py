"""Sequences of rhombi with at most one star."""

from __future__ import annotations

import numpy as np
import pytest

from semicoupled.data.star import NO_STAR, StarSettings, star_sequence
from semicoupled.errors import SettingsError


def test_the_same_key_gives_the_same_sequence() -> None:
    one, other = star_sequence(5, 6), star_sequence(5, 6)
    assert np.array_equal(one.frames, other.frames)
    assert np.array_equal(one.since, other.since)
    assert not np.array_equal(one.frames, star_sequence(5, 7).frames)


def test_the_distance_counts_from_the_star() -> None:
    positions = []
    for index in range(200):
        since = star_sequence(1, index).since
        assert since.shape == (60,)
        found = np.flatnonzero(since == 0)
        assert len(found) <= 1
        if len(found):
            at = int(found[0])
            positions.append(at)
            assert (since[:at] == NO_STAR).all()
            assert since[at:].tolist() == list(range(60 - at))
        else:
            assert (since == NO_STAR).all()
    assert 160 < len(positions) < 195  # nine tenths have a star
    assert min(positions) < 6
    assert max(positions) > 53


def test_the_star_looks_like_a_star() -> None:
    """A star covers less than a rhombus of its radius, so its frame is darker than all others."""
    looks = StarSettings(noise=0.0, radius=(6.0, 6.0), never=0.0)
    for index in range(20):
        sequence = star_sequence(2, index, looks)
        sums = sequence.frames.sum((1, 2, 3))
        star = int(np.flatnonzero(sequence.since == 0)[0])
        assert sums.argmin() == star
        others = np.delete(sums, star)
        assert others == pytest.approx(2 * 6 * 6 * 0.6, rel=0.05)  # a rhombus: half the product of its diagonals


def test_early_puts_the_star_earlier() -> None:
    def mean_position(early: float) -> float:
        looks = StarSettings(never=0.0, early=early)
        return float(np.mean([np.flatnonzero(star_sequence(3, i, looks).since == 0)[0] for i in range(300)]))

    assert mean_position(1.0) == pytest.approx(29.5, abs=3)
    assert mean_position(3.0) == pytest.approx(60 / 4 - 0.5, abs=3)


@pytest.mark.parametrize("wrong", [{"never": 1.5}, {"early": 0.0}, {"size": 4}, {"frames": 0}])
def test_refuses(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=r"expected never|needs size"):
        StarSettings(**wrong)
