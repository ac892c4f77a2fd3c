"""Which sample is drawn when: a function of (seed, counter), so that a resume goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Sampler

from semicoupled.errors import DataError, SettingsError
from semicoupled.training.draws import fold, hash_key

NO_AUGMENTATION = -1
"""The `draw` of a sample that must come as it is (validation)."""


class SampleKey(NamedTuple):
    """What a data set is asked with; its answer must be a function of this alone.

    Attributes:
        index: which sample, from 0 to the data set's length.
        draw: how many samples the run drew before this one, or `NO_AUGMENTATION`. Whatever is random about the sample
            follows from (index, draw).
    """

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]
    draw: int = NO_AUGMENTATION


def order(seed: int, epoch: int, size: int) -> Tensor:
    """Give a permutation of range(size) that follows from seed and epoch.

    Args:
        seed: any integer.
        epoch: how often all samples were seen before.
        size: number of samples.

    Returns:
        int64 indices.
    """
    keys = fold(hash_key(seed, "order", epoch), torch.arange(size))
    return torch.sort(keys, stable=True).indices


class SampleBatches(Sampler[list[SampleKey]]):
    """Batches of keys without end or up to one, from any counter on, each process its share.

    Every epoch sees every sample once; a batch may begin in one epoch and end in the next.
    """

    def __init__(
        self,
        size: int,
        batch: int,
        *,
        seed: int,
        first: int = 0,
        stop: int | None = None,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        """Say what to draw.

        Args:
            size: number of samples there are, at least 1.
            batch: samples of a batch over all processes together.
            seed: the order follows from it.
            first: number of batches to skip.
            stop: number of batches to stop before; None goes on forever.
            rank: which process this is.
            ranks: how many processes share a batch.

        Raises:
            DataError: there are no samples.
            SettingsError: a batch cannot be shared evenly.
        """
        if size < 1:
            raise DataError("the training split holds no samples; expected at least 1. Check the data's folder.")
        if batch % ranks:
            raise SettingsError(
                f"training.batch: {batch} samples cannot be shared evenly by {ranks} processes. Take a multiple."
            )
        self._size, self._batch, self._seed = size, batch, seed
        self._first, self._stop = first, stop
        self._rank, self._ranks = rank, ranks

    def __iter__(self) -> Iterator[list[SampleKey]]:
        """Give this process's share of batch after batch."""
        share = self._batch // self._ranks
        current, indices = -1, torch.empty(0, dtype=torch.int64)
        number = self._first
        while self._stop is None or number < self._stop:
            keys: list[SampleKey] = []
            begin = number * self._batch + self._rank * share
            for draw in range(begin, begin + share):
                epoch, position = divmod(draw, self._size)
                if epoch != current:
                    current, indices = epoch, order(self._seed, epoch, self._size)
                keys.append(SampleKey(int(indices[position]), draw))
            yield keys
            number += 1
