"""Means over what counts in a batch, where several processes share the batch.

A mean over the pixels, frames or videos that are there is a sum over their number, and each process knows only its own
number. The mean over processes of such means is not that of the batch: one pixel of an image that is nearly empty would
weigh as much as a thousand of another. `pooled_mean` divides by the number of all processes instead.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

Reduce = Callable[[Tensor], Tensor]
"""Gives the mean of a tensor over all processes; all of them must call it. It may write into the tensor."""

_reduce: ContextVar[Reduce | None] = ContextVar("_reduce", default=None)


def pooled_mean(total: Tensor, count: Tensor) -> Tensor:
    """Give a sum over how many it is of; 0 where that is none.

    While processes train together the number is its mean over them, so that the mean of what all get (which the loop
    takes) is the sum of their totals over the sum of their numbers: what one process has of the whole batch.

    Args:
        total: the sum, a scalar.
        count: of how many, or the sum of their weights, at least 0; a scalar without a gradient.
    """
    reduce = _reduce.get()
    if reduce is not None:
        count = reduce(count.to(torch.float64, copy=True))  # processes write the mean into what they are given
    return total / torch.where(count > 0, count, 1).to(total.dtype)


@contextmanager
def pooling(reduce: Reduce | None) -> Generator[None]:
    """Within this context `pooled_mean` counts over all processes, which must then call it equally often.

    Args:
        reduce: gives the mean of a tensor over them; None leaves each process its own counts.
    """
    token = _reduce.set(reduce)
    try:
        yield
    finally:
        _reduce.reset(token)
