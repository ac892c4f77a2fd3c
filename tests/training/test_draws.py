from __future__ import annotations

import itertools

import pytest
import torch

from semicoupled.training.draws import fold, hash_key, uniform


def splitmix(word: int) -> int:
    """Write splitmix64's step as its authors do, apart from the code under test."""
    mask = 2**64 - 1
    word = (word + 0x9E3779B97F4A7C15) & mask
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & mask
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & mask
    return word ^ (word >> 31)


def test_the_hash_is_splitmix64_folded_over_the_counters() -> None:
    assert splitmix(0) == 0xE220A8397B1DCDAF  # the generator's published first output for seed 0
    expected = splitmix(splitmix(splitmix(7 ^ 1) ^ 3) ^ 4)
    assert hash_key(7, "switches", 3, 4) == expected


def test_golden_values() -> None:
    """A run that was begun with an older version must go on with the same draws."""
    assert hash_key(0, "switches") == 0x910A2DEC89025CC1
    assert hash_key(0, "order", 5) == 0x953DEB0D47B9380A
    keys = fold(hash_key(1, "switches", 2, 3), torch.arange(4))
    golden = [0.5713044189261619, 0.7011931752737867, 0.23359852510971513, 0.07032652807754225]
    torch.testing.assert_close(uniform(keys), torch.tensor(golden, dtype=torch.float64), rtol=0, atol=0)


def test_tensors_and_integers_give_the_same_bits() -> None:
    key = hash_key(-3, "stride", 1)
    counters = torch.tensor([0, 1, 2**40, -1])
    by_tensor = fold(key, counters)
    for position, counter in enumerate(counters.tolist()):
        assert int(by_tensor[position]) & (2**64 - 1) == fold(key, counter)
    assert int(fold(by_tensor, 5)[2]) & (2**64 - 1) == fold(fold(key, 2**40), 5)


def test_no_two_counters_share_their_numbers() -> None:
    keys = {hash_key(seed, "switches", *at) for seed in range(3) for at in itertools.product(range(8), repeat=3)}
    assert len(keys) == 3 * 8**3
    assert hash_key(0, "switches", 1, 0) != hash_key(0, "switches", 0, 1)
    assert hash_key(0, "switches", 1) != hash_key(0, "order", 1)


@pytest.mark.parametrize("axis", ["step", "frame"])
def test_numbers_are_uniform_and_neighbors_independent(axis: str) -> None:
    count = 1 << 16
    if axis == "frame":
        numbers = uniform(fold(hash_key(5, "switches", 9), torch.arange(count)))
    else:
        numbers = uniform(fold(fold(torch.arange(count), hash_key(5, "switches")), 3))
    assert 0.0 <= float(numbers.min()) < float(numbers.max()) < 1.0
    observed = torch.histc(numbers, 64, 0.0, 1.0)
    chi_square = float(((observed - count / 64) ** 2 / (count / 64)).sum())
    assert 25 < chi_square < 120  # 63 degrees of freedom: outside with probability 1e-5
    centered = numbers - 0.5
    for lag in (1, 2, 15):
        correlation = float((centered[:-lag] * centered[lag:]).mean() * 12)
        assert abs(correlation) < 5 / count**0.5
