"""A convolution whose weight is laid out once, in blocks as oneDNN wants it, instead of in every call (CPU)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Literal, NamedTuple

import torch

from semicoupled.nn.shapes import Float, Tensor

Post = Literal["none", "relu", "tanh"]
"""What follows a convolution within the same call."""


@cache
def has_onednn(dtype: torch.dtype) -> bool:
    """Whether this build of torch has oneDNN's own convolutions, and this processor takes them in a precision."""
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported())


class Geometry(NamedTuple):
    """How a kernel goes over a map, (height, width) each; in the order in which oneDNN asks.

    Attributes:
        padding: zeros on each side.
        stride: at least 1.
        dilation: 1 is a dense kernel.
        groups: of channels, at least 1.
    """

    padding: Sequence[int]
    stride: Sequence[int]
    dilation: Sequence[int]
    groups: int


class OneDNNConvolution:
    """The weight in blocks, and the activation or a sum in the same pass over the map."""

    def __init__(
        self,
        weight: Float[Tensor, "D C k k2"],
        bias: Float[Tensor, "D"] | None,
        geometry: Geometry,
        entering: Sequence[int],
        post: Post = "none",
    ) -> None:
        """Lay out a weight, without gradient, in a precision that `has_onednn` knows.

        Args:
            weight: D C k k, C of one group.
            bias: of the same precision.
            geometry: of the convolution.
            entering: size of the maps that will come, (H, W); another size works, and is slower.
            post: the activation behind it.
        """
        self._bias = bias
        self._where = geometry
        self._weight = torch.ops.aten.mkldnn_reorder_conv2d_weight(
            weight.to_mkldnn(), *geometry, [1, weight.shape[1] * geometry.groups, *entering]
        )
        self._post: Post = post

    def __call__(self, rows: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D H2 W2"]:
        """Convolve channels-last rows."""
        return _operation()(rows, self._weight, self._bias, *self._where, self._post, [], "")

    def onto(self, rows: Float[Tensor, "N D H2 W2"], entering: Float[Tensor, "N C H W"]) -> Tensor:
        """Add the convolution of `entering` to rows, in place, and return them."""
        return _sum()(rows, entering, self._weight, self._bias, *self._where, "add", 1.0, None, [], "")


@cache
def _operation() -> Callable[..., Tensor]:
    return torch.ops.mkldnn._convolution_pointwise.default


@cache
def _sum() -> Callable[..., Tensor]:
    return torch.ops.mkldnn._convolution_pointwise_.binary
