"""Conv_s and Conv_u over all frames at once, with a backward pass of their own.

Two things make it cheaper than autograd's. A frame whose switch is closed gets no input gradient, so that the
convolution for it is never run (Eq. 17 saves time, not only gradients). And the gradient of the bias is a sum over the
rows, where the convolution library's own takes a fifth of the weight's time in float32.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.nn.operators import autocast_like, input_gradient, is_plain, weight_gradient
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.switch import gated

SHORTEST_RUN = 2
"""Rows that must be open side by side for a convolution of their own; a frame has as many rows as there are clips."""


def convolve(operator: nn.Module, rows: Float[Tensor, "N C *size"], factor: Float[Tensor, "N"] | None = None) -> Tensor:
    """Apply an operator to all rows, and multiply what flows back through it into each row by a factor.

    Args:
        operator: any row-wise module; a plain `nn.Conv2d` goes the fast way.
        rows: folded features.
        factor: one a row: 0 where the switch is closed, else the scale of what passes; None for no switches.

    Returns:
        operator(rows), whatever the factor.
    """
    if isinstance(operator, nn.Conv2d) and is_plain(operator):
        if not torch.is_grad_enabled():
            return operator(rows)
        rows, weight, bias = autocast_like(rows, operator.weight, operator.bias)
        return _Convolution.apply(rows, weight, bias, factor, operator.stride[0])  # pyright: ignore[reportReturnType]
    return operator(rows if factor is None else gated(rows, factor))


class _Convolution(torch.autograd.Function):
    """A convolution; the input's gradient for the open rows only, the bias's by a sum."""

    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        factor: Tensor | None,
        stride: int,
    ) -> Tensor:
        ctx.save_for_backward(rows, weight, factor)
        ctx.stride = stride
        return F.conv2d(rows, weight, bias, stride=stride, padding=weight.shape[-1] // 2)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        rows, weight, factor = ctx.saved_tensors
        gradient = gradients[0].contiguous(memory_format=torch.channels_last)
        wants_rows, wants_weight, wants_bias = ctx.needs_input_grad[:3]
        down = None
        if wants_rows:
            down = (
                input_gradient(gradient, rows, weight, ctx.stride)
                if factor is None
                else through_open(gradient, rows, weight, factor, ctx.stride)
            )
        of_weight = weight_gradient(gradient, rows, weight, ctx.stride) if wants_weight else None
        of_bias = gradient.sum((0, 2, 3)) if wants_bias else None
        return down, of_weight, of_bias, None, None


def through_open(gradient: Tensor, rows: Tensor, weight: Tensor, factor: Tensor, stride: int) -> Tensor:
    """The rows' gradient, computed where the factor is not 0, and 0 elsewhere.

    Args:
        gradient: of the output, N D h w.
        rows: of the input, N C H W.
        weight: D C k k.
        factor: of each row, N; 0 where it is cut off.
        stride: of the convolution.

    Returns:
        N C H W.
    """
    runs = _runs(factor.tolist())
    if any(value != 0 and last - first < SHORTEST_RUN for first, last, value in runs):
        return gathered(gradient, rows, weight, factor, stride)
    down = torch.empty_like(rows, memory_format=torch.channels_last)
    for first, last, value in runs:
        here = down[first:last]
        if value == 0:
            _ = here.zero_()
        else:
            passed = input_gradient(gradient[first:last], rows[first:last], weight, stride)
            _ = here.copy_(passed) if value == 1 else torch.mul(passed, value, out=here)
    return down


def _runs(factors: list[float]) -> list[tuple[int, int, float]]:
    """Stretches of rows with the same factor: first row, one past the last, factor."""
    starts = [index for index, factor in enumerate(factors) if index == 0 or factor != factors[index - 1]]
    return [(start, stop, factors[start]) for start, stop in pairwise([*starts, len(factors)])]


def gathered(gradient: Tensor, rows: Tensor, weight: Tensor, factor: Tensor, stride: int) -> Tensor:
    """The same with all open rows as one batch, for switches that differ from sample to sample; see `through_open`."""
    down = torch.zeros_like(rows, memory_format=torch.channels_last)
    chosen = factor.nonzero().squeeze(1)
    passing = _images(_vectors(gradient).index_select(0, chosen), gradient)
    passed = input_gradient(passing, rows[: len(chosen)], weight, stride)
    passed *= factor[chosen].to(passed.dtype).reshape(-1, 1, 1, 1)
    _ = _vectors(down).index_copy_(0, chosen, _vectors(passed))
    return down


def _vectors(images: Tensor) -> Tensor:
    """A view of channels-last images, one vector an image: whole rows move at once."""
    return images.permute(0, 2, 3, 1).flatten(1)


def _images(vectors: Tensor, like: Tensor) -> Tensor:
    """The inverse of `_vectors`, at the size of other images; still channels last."""
    _, channels, height, width = like.shape
    return vectors.unflatten(1, (height, width, channels)).permute(0, 3, 1, 2)
