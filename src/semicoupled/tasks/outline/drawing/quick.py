"""A model for one person who waits: the decoder packed for streaming on a CPU core (`semicoupled.nn.pack`)."""

from __future__ import annotations

import copy

import torch
from torch import nn

from semicoupled.devices import multiplies_bf16
from semicoupled.errors import ShapeError
from semicoupled.nn import SemiCoupledStack, StackState, pack
from semicoupled.nn.packed import PackedStack
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.tasks.outline.model import OutlineModel


class _Packed(nn.Module):
    """A packed decoder where a model has its own; gives what the heads take, in single precision."""

    def __init__(self, packed: PackedStack) -> None:
        super().__init__()
        self._packed = packed
        self.out_channels = packed.out_channels

    def step(
        self, frame: Float[Tensor, "B C g g"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B D g g"], StackState]:
        """See `SemiCoupledStack.step`."""
        hidden, after = self._packed.step(frame, state)
        return hidden.float(), after


def quicken(model: OutlineModel, dtype: torch.dtype = torch.float32) -> OutlineModel:
    """Give a model that draws the same outlines, point by point, in less time.

    Args:
        model: in eval mode; it is left as it is, and shares all but the decoder with what is given.
        dtype: of the decoder's weights and maps; bfloat16 rounds, so that a point may now and then come to lie in
            a neighboring cell.

    Returns:
        A model for `OutlineSession`: `encode` and `step` alone. The model itself where its decoder cannot be packed
        (rivals, other cells than ``rnn``, or on another device than the CPU).
    """
    network = model.network
    if not isinstance(network, SemiCoupledStack):
        return model
    try:
        packed = pack(network, (model.grid, model.grid), dtype=dtype)
    except ShapeError:
        return model
    quick = copy.copy(model)
    quick._modules = {**model._modules, "network": _Packed(packed)}  # pyright: ignore[reportPrivateUsage]
    return quick


def quickest() -> torch.dtype:
    """The precision in which this machine draws soonest: bfloat16 where the processor multiplies it by itself."""
    return torch.bfloat16 if multiplies_bf16(torch.device("cpu")) else torch.float32
