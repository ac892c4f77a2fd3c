"""Timing side by side: every repeat runs all candidates in turn, so that a slow minute hits them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch

Run = Callable[[], object]
"""Something that is timed."""


class Spread(NamedTuple):
    """A figure over the repeats.

    Attributes:
        median: of all repeats.
        low: smallest.
        high: largest.
        repeats: how many there were.
    """

    median: float
    low: float
    high: float
    repeats: int


def paired(runs: Mapping[str, Run], repeats: int, device: torch.device) -> dict[str, list[float]]:
    """Time several things, one after the other in each repeat, after one turn that does not count.

    Args:
        runs: what to time, by name.
        repeats: how often each is timed.
        device: what they run on; a GPU is waited for.

    Returns:
        Seconds of each repeat, by name.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(repeats + 1):
        for name, run in runs.items():
            elapsed = _time(run, device)
            if repeat:  # the first turn chooses kernels and fills caches
                seconds[name].append(elapsed)
    return seconds


def spread(values: Sequence[float]) -> Spread:
    """Give the median and the range of some repeats."""
    return Spread(statistics.median(values), min(values), max(values), len(values))


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Spread:
    """Give the ratio of two timings, taken within each repeat."""
    return spread([above / below for above, below in zip(numerators, denominators, strict=True)])


def _time(run: Run, device: torch.device) -> float:
    synchronize(device)
    start = time.perf_counter()
    _ = run()
    synchronize(device)
    return time.perf_counter() - start


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done what it was told; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
