"""What a layer may do to its input: a convolution (paper), a fully connected map, or any module of the caller's.

The paper: "we can replace Conv by other operators like fully connection". An operator is a function that builds a
module; the module maps rows (N C *size) to rows. For `nn.Conv2d` and `nn.Linear` the recurrence and the switches have a
fast backward pass, made of the three functions at the end of this file; any other module takes the plain way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.nn.fold import channels_last
from semicoupled.nn.onednn import Geometry, OneDNNConvolution, has_onednn
from semicoupled.nn.shapes import Tensor


@runtime_checkable
class Operator(Protocol):
    """Builds the module that maps in_channels to out_channels."""

    def __call__(self, in_channels: int, out_channels: int, *, kernel_size: int, stride: int, bias: bool) -> nn.Module:
        """Build the module; with stride 1 it must keep the spatial size."""
        ...


def conv2d(in_channels: int, out_channels: int, *, kernel_size: int, stride: int, bias: bool) -> nn.Module:
    """A two-dimensional convolution that keeps the size at stride 1 (the paper's operator).

    Raises:
        ShapeError: the kernel is even: it would shift the map by half a pixel.
    """
    if kernel_size % 2 == 0:
        raise ShapeError(f"kernel_size: expected an odd number, got {kernel_size}. Take {kernel_size + 1}.")
    module = nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=bias)
    _xavier(module.weight, module.bias)
    module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)
    return module


def linear(in_channels: int, out_channels: int, *, kernel_size: int, stride: int, bias: bool) -> nn.Module:
    """A fully connected map on frames that are vectors (B T C).

    Raises:
        ShapeError: a stride was asked for; vectors have no size.
    """
    del kernel_size  # a vector has no neighborhood
    if stride != 1:
        raise ShapeError(f"stride: expected 1 with the linear operator, got {stride}. Leave `strides` at 1.")
    module = nn.Linear(in_channels, out_channels, bias=bias)
    _xavier(module.weight, module.bias)
    return module


def _xavier(weight: Tensor, bias: Tensor | None) -> None:
    """Xavier's initialization, bias zero (Sec. 5.9)."""
    _ = nn.init.xavier_uniform_(weight)
    if bias is not None:
        _ = nn.init.zeros_(bias)


def is_plain(operator: nn.Module) -> bool:
    """Whether the functions below do what this module does: a convolution as `conv2d` builds it, or a linear map."""
    if type(operator) is nn.Linear:
        return True
    if type(operator) is not nn.Conv2d:
        return False
    height, width = operator.kernel_size
    half, stride = height // 2, operator.stride[0]
    return (
        height == width
        and operator.stride == (stride, stride)
        and operator.padding == (half, half)
        and operator.dilation == (1, 1)
        and operator.groups == 1
        and operator.padding_mode == "zeros"
    )


def autocast_like(rows: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Cast tensors of any shape as autocast would, which does not cover the backward pass of custom functions."""
    device = rows.device.type
    if not torch.is_autocast_enabled(device):
        return rows, weight, bias
    dtype = torch.get_autocast_dtype(device)
    return rows.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)


def apply_weight(rows: Tensor, weight: Tensor) -> Tensor:
    """The linear map of a stride-1 convolution (weight O C k k) or a fully connected layer (weight O C), no bias."""
    if weight.dim() == 2:
        return F.linear(rows, weight)
    return F.conv2d(rows, weight, padding=weight.shape[-1] // 2)


def prepared(weight: Tensor, size: Sequence[int]) -> Callable[[Tensor], Tensor]:
    """Give `apply_weight` with the weight laid out for the convolution library once, not in every call.

    For loops over time: with 512 channels at 4x4 px, the layout takes longer than the convolution.

    Args:
        weight: O C k k or O C, without gradient; an odd kernel.
        size: height and width of the maps that will come; another size works, and is slower.
    """
    if weight.dim() != 4 or weight.device.type != "cpu" or not has_onednn(weight.dtype):
        return partial(apply_weight, weight=weight)
    half = weight.shape[-1] // 2
    return OneDNNConvolution(weight, None, Geometry([half, half], [1, 1], [1, 1], 1), size)


def turned(weight: Tensor) -> Tensor:
    """Turn a weight, D C k k or D C, into that of the transposed map: from gradients of the output to those of rows."""
    return weight.t() if weight.dim() == 2 else channels_last(weight.flip(2, 3).transpose(0, 1))


def input_gradient(gradient: Tensor, rows: Tensor, weight: Tensor, stride: int = 1) -> Tensor:
    """The transpose of the map: the gradient of the rows, given the gradient of the output.

    Args:
        gradient: gradient of the output, N O h w or N O.
        rows: a tensor of the input's shape; its values don't matter.
        weight: O C k k or O C.
        stride: of the convolution.

    Returns:
        A tensor of the input's shape.
    """
    if weight.dim() == 2:
        return gradient @ weight
    down, _, _ = _convolution_backward(gradient, rows, weight, stride, (True, False, False))
    assert down is not None  # asked for by the mask
    return down


def weight_gradient(gradient: Tensor, rows: Tensor, weight: Tensor, stride: int = 1) -> Tensor:
    """The gradient of the weight (D C k k or D C), given that of the output (N D h w or N D), over all rows at once."""
    if weight.dim() == 2:
        return gradient.flatten(0, -2).t() @ rows.flatten(0, -2)
    if weight.shape[-1] == 1 and stride > 1:
        return _between_strides(gradient, rows, stride)
    _, kernel, _ = _convolution_backward(gradient, rows, weight, stride, (False, True, False))
    assert kernel is not None  # asked for by the mask
    return kernel


def _between_strides(gradient: Tensor, rows: Tensor, stride: int) -> Tensor:
    """The gradient of a strided 1x1 convolution's weight, as the product of two matrices.

    oneDNN's own writes beyond its memory on CPUs without AVX512 where there are fewer than 8 input channels, and ends
    the process (seen with torch 2.11 to 2.14).
    """
    seen = rows.permute(0, 2, 3, 1)[:, ::stride, ::stride].flatten(0, 2)  # N h w, C
    kernel = gradient.permute(0, 2, 3, 1).flatten(0, 2).t() @ seen
    return kernel[:, :, None, None]


def _convolution_backward(
    gradient: Tensor, rows: Tensor, weight: Tensor, stride: int, mask: tuple[bool, bool, bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    half = weight.shape[-1] // 2
    return torch.ops.aten.convolution_backward(
        gradient, rows, weight, [weight.shape[0]], [stride] * 2, [half] * 2, [1, 1], False, [0, 0], 1, list(mask)
    )
