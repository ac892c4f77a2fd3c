"""Samples of a data set as batches on a model's device, for what looks into a trained run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

BATCH = 16


def batches(model: nn.Module, data: Any, indices: Sequence[int]) -> Iterator[Any]:
    """Give samples in batches of at most `BATCH`, on the model's device.

    Args:
        model: whose device counts.
        data: a split.
        indices: which samples; those beyond the end are left out.
    """
    from torch.utils.data import default_collate

    from semicoupled.training.sampling import SampleKey

    device = next(model.parameters()).device
    there = [index for index in indices if index < len(data)]
    for start in range(0, len(there), BATCH):
        batch = default_collate([data[SampleKey(index)] for index in there[start : start + BATCH]])
        yield type(batch)(*(tensor.to(device) for tensor in batch))
