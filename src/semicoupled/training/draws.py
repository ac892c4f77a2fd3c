"""Random numbers that are a function of counters: the same on every process, after a resume, and in a recomputation.

A hash of (seed, purpose, counters) stands where a global generator would: splitmix64's finalizer
(Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014), folded over the counters one by one.
"""

from __future__ import annotations

from typing import Literal, overload

import torch

from semicoupled.nn.shapes import Float, Tensor

Purpose = Literal["switches", "order", "stride", "controller", "process"]

_PURPOSES: dict[Purpose, int] = {"switches": 1, "order": 2, "stride": 3, "controller": 4, "process": 5}
_WORD = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB


def hash_key(seed: int, purpose: Purpose, *counters: int) -> int:
    """Hash a seed, a purpose and any number of counters.

    Args:
        seed: any integer; its lowest 64 bits count.
        purpose: keeps streams of one seed apart.
        counters: integers; their order matters.

    Returns:
        64 bits as a non-negative integer, to be used as it is or as the key of `fold`.
    """
    key = fold(seed & _WORD, _PURPOSES[purpose])
    for counter in counters:
        key = fold(key, counter)
    return key


@overload
def fold(key: int, counter: int) -> int: ...
@overload
def fold(key: int | Tensor, counter: Tensor) -> Tensor: ...
@overload
def fold(key: Tensor, counter: int | Tensor) -> Tensor: ...
def fold(key: int | Tensor, counter: int | Tensor) -> int | Tensor:
    """Mix one more counter into a key; tensors (int64) broadcast, integers and tensors give the same bits.

    Args:
        key: what `hash_key` or `fold` returned.
        counter: an integer, or a tensor of them, of any shape.

    Returns:
        The new key: an integer for integers, else int64 (the same 64 bits, signed).
    """
    if isinstance(key, int) and isinstance(counter, int):
        word = ((key ^ (counter & _WORD)) + _GOLDEN) & _WORD
        word = ((word ^ (word >> 30)) * _FIRST) & _WORD
        word = ((word ^ (word >> 27)) * _SECOND) & _WORD
        return word ^ (word >> 31)
    left = key if isinstance(key, Tensor) else torch.tensor(_signed(key))
    right = counter if isinstance(counter, Tensor) else torch.tensor(_signed(counter))
    words = (left ^ right) + _signed(_GOLDEN)  # int64 wraps around, as the hash wants it
    words = (words ^ _shift(words, 30)) * _signed(_FIRST)
    words = (words ^ _shift(words, 27)) * _signed(_SECOND)
    return words ^ _shift(words, 31)


def uniform(keys: Tensor) -> Float[Tensor, "*shape"]:
    """Turn keys into numbers in [0, 1), float64: the upper 53 bits.

    Args:
        keys: int64, any shape.
    """
    return _shift(keys, 11).to(torch.float64) * 2.0**-53


def _signed(word: int) -> int:
    word &= _WORD
    return word - (1 << 64) if word >> 63 else word


def _shift(words: Tensor, bits: int) -> Tensor:
    return (words >> bits) & ((1 << (64 - bits)) - 1)  # torch's shift of int64 keeps the sign, the hash's does not
