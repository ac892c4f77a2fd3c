"""The convolutions of a packed stack, in the fastest form that this build of torch has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast, runtime_checkable

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.nn.onednn import Geometry, OneDNNConvolution, Post, has_onednn
from semicoupled.nn.shapes import Float, Tensor


@runtime_checkable
class Convolution(Protocol):
    """A convolution with what follows it."""

    def __call__(self, rows: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D H2 W2"]:
        """Convolve channels-last rows."""
        ...

    def onto(self, rows: Float[Tensor, "N D H2 W2"], entering: Float[Tensor, "N C H W"]) -> Tensor:
        """Add the convolution of `entering` to rows, in place, and return them."""
        ...


class PlainConvolution:
    """The portable form."""

    def __init__(self, convolution: nn.Conv2d, post: Post, dtype: torch.dtype) -> None:
        """Take the weights in the precision asked for."""
        weight = convolution.weight.detach().to(dtype)
        self._weight = weight.contiguous(memory_format=torch.channels_last)
        self._bias = _bias(convolution, dtype)
        padding = cast("tuple[int, ...]", convolution.padding)
        self._where = (convolution.stride, padding, convolution.dilation, convolution.groups)
        self._post: Post = post

    def __call__(self, rows: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D H2 W2"]:
        """See `Convolution`."""
        mapped = F.conv2d(rows, self._weight, self._bias, *self._where)
        if self._post == "none":
            return mapped
        return mapped.relu_() if self._post == "relu" else mapped.tanh_()

    def onto(self, rows: Float[Tensor, "N D H2 W2"], entering: Float[Tensor, "N C H W"]) -> Tensor:
        """See `Convolution`."""
        return rows.add_(self(entering))


def packed_convolution(
    convolution: nn.Conv2d, entering: Sequence[int], post: Post = "none", dtype: torch.dtype = torch.float32
) -> Convolution:
    """The fastest form that this build of torch has for a precision.

    Args:
        convolution: must not change afterwards: some of its weights may be shared.
        entering: size of the maps that will come, (H, W).
        post: the activation behind it.
        dtype: precision of weights and maps.
    """
    if has_onednn(dtype):
        padding = cast("tuple[int, ...]", convolution.padding)
        geometry = Geometry(padding, convolution.stride, convolution.dilation, convolution.groups)
        weight = convolution.weight.detach().to(dtype)
        return OneDNNConvolution(weight, _bias(convolution, dtype), geometry, entering, post)
    return PlainConvolution(convolution, post, dtype)


def _bias(convolution: nn.Conv2d, dtype: torch.dtype) -> Tensor | None:
    return None if convolution.bias is None else convolution.bias.detach().to(dtype)
