"""Batch norms folded into their convolutions: in eval() a norm is a scale and a shift, which a convolution has anyway.

norm(Conv(u)) = scale (W u + b - mean) + shift = (scale W) u + (scale (b - mean) + shift), with scale = weight /
sqrt(variance + epsilon). The running statistics are one stream's, so a folded network runs that stream alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Protocol, TypeVar, runtime_checkable

import torch
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.nn.cells import RNNCell
from semicoupled.nn.layer import SemiCoupledLayer
from semicoupled.nn.norm import StreamNorm
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import Stream, check_streams

_Network = TypeVar("_Network", bound=nn.Module)


@runtime_checkable
class Normed(Protocol):
    """A module that knows which of its norms stands behind which operator."""

    def normed(self) -> Iterator[tuple[nn.Module, StreamNorm]]:
        """Every operator with the norm of its output."""
        ...


def fold_norms(network: _Network, stream: Stream = "main") -> _Network:
    """Fold every batch norm into the convolution or linear map in front of it; what is left has the norm `none`.

    The new network equals the given one in eval() up to rounding: outputs, state, `forward` and `step`. `joint`
    normalizes Conv_u(u) + Conv_c(gate) as a whole (Eq. 5), so it scales both. The weights of the result fit a network
    that was built with norm="none".

    Args:
        network: a `SemiCoupledStack`, a rival, or any module that holds some, in eval(). It is left as it is.
        stream: whose running statistics to fold; another stream is refused by the result, unless the streams share
            their statistics. The first layer is every stream's.

    Returns:
        A new network of the same type, in eval().

    Raises:
        ShapeError: the network is in training, or has a group norm, whose statistics are each frame's own, or an
            operator other than a convolution or a linear map.
    """
    check_streams((stream,))
    if any(module.training for module in network.modules()):
        raise ShapeError(
            "fold_norms: expected a network in eval(), got one in training, where batch norm follows the batch and not "
            "the running statistics. Call network.eval() first."
        )
    folded = copy.deepcopy(network)
    for module in list(folded.modules()):
        if isinstance(module, SemiCoupledLayer):
            _fold_layer(module, stream)
        elif isinstance(module, Normed):
            for operator, norm in module.normed():
                _ = _fold(operator, norm, stream)
    for parent in list(folded.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, StreamNorm) and child.kind != "none":
                parent.add_module(name, _without(child, stream))
    return folded


def _fold_layer(layer: SemiCoupledLayer, stream: Stream) -> None:
    """Fold the norms of both branches."""
    _ = _fold(layer.spatial, layer.spatial_norm, stream)
    scale = _fold(layer.drive, layer.temporal_norm, stream)
    if scale is not None and layer.temporal_norm.kind == "joint" and isinstance(layer.cell, RNNCell):
        _ = _scale(layer.cell.recurrent, scale)  # norm(Conv_u(u) + Conv_c(gate)): the scale is for both


def _fold(operator: nn.Module, norm: StreamNorm, stream: Stream) -> Tensor | None:
    """Fold one norm in place; return its scale, or None where this stream has nothing to fold."""
    if norm.kind == "none":
        return None
    if norm.kind == "group":
        raise ShapeError(
            "fold_norms: norm='group' takes its statistics from each frame, so no fixed weight can stand for it. "
            "Only 'batch' and 'joint' can be folded; run this network as it is."
        )
    if not norm.one_for_all and stream not in norm.streams:
        return None  # a branch that this stream does not use
    slot = 0 if norm.one_for_all else norm.slot(stream)
    with torch.no_grad():
        scale = norm.weight * torch.rsqrt(norm.running_variance[slot] + norm.epsilon)
        shift = norm.bias - norm.running_mean[slot] * scale
        scaled = _scale(operator, scale)
        bias = shift if scaled.bias is None else scaled.bias * scale + shift
        scaled.bias = nn.Parameter(bias, requires_grad=scaled.weight.requires_grad)
    return scale


def _scale(operator: nn.Module, scale: Float[Tensor, "C"]) -> nn.Conv2d | nn.Linear:
    """Multiply each output channel's weight in place, whatever its layout in memory."""
    if not isinstance(operator, nn.Conv2d | nn.Linear):
        raise ShapeError(
            f"fold_norms: expected convolutions or linear maps in front of the norms, got {type(operator).__name__}. "
            "Use the network as it is, or build it with norm='none'."
        )
    with torch.no_grad():
        operator.weight.mul_(scale.reshape(-1, *[1] * (operator.weight.dim() - 1)))
    return operator


def _without(norm: StreamNorm, stream: Stream) -> StreamNorm:
    """What stands in the place of a folded norm: the identity, for the streams whose statistics it was."""
    identity = StreamNorm(norm.channels, "none", norm.streams).eval()
    identity.only = None if norm.one_for_all else stream
    return identity
