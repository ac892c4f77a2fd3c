"""Eq. 4-12 and 17 as the paper reads: frame by frame, layer by layer. Slow, and the measure of everything else.

It takes the weights of a `SemiCoupledStack` and shares no code with it. In training mode it knows the norms `joint`,
`group` and `none`: the statistics of batch norm over all frames of a clip cannot be had frame by frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from semicoupled.errors import ShapeError

Memory = dict[str, Tensor]
"""What one layer remembers: c and what is fed back."""

Passing = Callable[[str, int, int], float]
"""gamma of Eq. 17 for (branch, layer, frame): the factor of the gradient that passes."""


class ReferenceOutputs(NamedTuple):
    """Features of the last layer by stream (B T C *size), and what each layer remembers, by stream.

    Attributes:
        features: by stream.
        memory: by stream, one entry a layer.
    """

    features: dict[str, Tensor]
    memory: dict[str, list[Memory]]


def run(
    stack: Any,
    frames: Tensor,
    memory: dict[str, list[Memory]] | None = None,
    *,
    streams: Sequence[str] = ("main",),
    passing: Passing | None = None,
) -> ReferenceOutputs:
    """Run a clip through the equations.

    Args:
        stack: a `SemiCoupledStack`; its weights, running statistics and mode are used and left as they are.
        frames: B T C H W, or B T C where the operators are fully connected.
        memory: what the layers remember from before the first frame.
        streams: `main` (T), `spatial` (T^1), `temporal` (T^2).
        passing: the switches of the main stream; layers count from 0, the first one is not asked for.

    Returns:
        The features of the streams, and the memory after the last frame.

    Raises:
        ShapeError: batch norm in training, whose statistics are of all frames at once.
    """
    features: dict[str, Tensor] = {}
    after: dict[str, list[Memory]] = {}
    for stream in streams:
        remembered: list[Memory] = [dict(layer) for layer in memory[stream]] if memory else [{} for _ in stack.layers]
        outputs = [
            _network(stack, frames[:, t], remembered, stream, t, passing if stream == "main" else None)
            for t in range(frames.shape[1])
        ]
        features[stream] = torch.stack(outputs, dim=1)  # (8), (10), (12)
        after[stream] = remembered
    return ReferenceOutputs(features, after)


def _network(stack: Any, x: Tensor, remembered: list[Memory], stream: str, t: int, passing: Passing | None) -> Tensor:
    """u_t^n of one frame (Eq. 3); `remembered` moves on by one step."""
    u = x
    entered: dict[int, Tensor] = {}
    for index, layer in enumerate(stack.layers):
        entered[index] = u
        to_spatial = to_temporal = u
        if passing is not None and index > 0:
            to_spatial = _switch(u, passing("spatial", index, t))  # (17)
            to_temporal = _switch(u, passing("temporal", index, t))
        u = _layer(layer, to_spatial, to_temporal, remembered[index], stream, index == 0, stack.activation)
        for start, shortcut in stack.shortcuts.by_start.items():
            if int(start) + shortcut.span - 1 == index:
                u = u + _shortcut(shortcut, entered[int(start)], stream)
        if index == 0 and stack.pool_first:
            u = F.max_pool2d(u, 3, 2, 1)
    return u


def _layer(
    layer: Any, to_spatial: Tensor, to_temporal: Tensor, memory: Memory, stream: str, shared: bool, activation: str
) -> Tensor:
    """u_t^l of one stream from u_t^{l-1}."""
    name = "shared" if shared else stream
    nonlinear = torch.relu if activation == "relu" else torch.tanh
    if stream == "spatial":
        return nonlinear(_norm(layer.spatial_norm, _operate(layer.spatial, to_spatial), name))  # (4), (9)
    c = _temporal(layer, to_temporal, memory, name)  # (5)
    if stream == "temporal":
        return torch.relu(c)  # (11)
    s = _norm(layer.spatial_norm, _operate(layer.spatial, to_spatial), name)  # (4)
    return nonlinear(s) * torch.sigmoid(c)  # (6)


def _temporal(layer: Any, u: Tensor, memory: Memory, name: str) -> Tensor:
    """c_t (Eq. 5), and the gated forms that may stand in its place."""
    cell, drive = layer.cell, _operate(layer.drive, u)
    kind = type(cell).__name__
    if layer.temporal_norm.kind != "joint":
        drive = _norm(layer.temporal_norm, drive, name)
    channels = layer.out_channels
    zero = torch.zeros_like(drive[:, :channels])
    if kind == "LSTMCell":
        hidden, cell_before = memory.get("hidden", zero), memory.get("cell", zero)
        pre = drive + _operate(cell.recurrent, hidden)
        i, f, o, g = (pre[:, k * channels : (k + 1) * channels] for k in range(4))
        c = torch.sigmoid(f) * cell_before + torch.sigmoid(i) * torch.tanh(g)
        memory["cell"], memory["hidden"] = c, torch.sigmoid(o) * torch.tanh(c)
        return c
    if kind == "LinearCell":
        z = torch.sigmoid(drive[:, :channels])
        c = z * memory.get("map", zero) + (1 - z) * drive[:, channels:]
        memory["map"] = c
        return c
    fed_back = memory.get("gate", torch.full_like(zero, cell.initial_gate))
    if kind == "GRUCell":
        pre = drive[:, : 2 * channels] + _operate(cell.recurrent, fed_back)
        z, r = torch.sigmoid(pre[:, :channels]), torch.sigmoid(pre[:, channels:])
        candidate = drive[:, 2 * channels :] + _operate(cell.candidate, r * fed_back)
        c = (1 - z) * memory.get("map", zero) + z * candidate
        memory["map"] = c
    else:
        c = drive + _operate(cell.recurrent, fed_back)
        if layer.temporal_norm.kind == "joint":
            c = _norm(layer.temporal_norm, c, name)
    memory["gate"] = torch.sigmoid(c)
    return c


def _shortcut(shortcut: Any, u: Tensor, stream: str) -> Tensor:
    if not shortcut.projects:
        return u
    return _norm(shortcut.norm, _operate(shortcut.projection, u), stream)


def _operate(operator: Any, u: Tensor) -> Tensor:
    """Conv of Eq. 4 and 5, or another operator."""
    if isinstance(operator, torch.nn.Conv2d):
        return F.conv2d(u, operator.weight, operator.bias, operator.stride, operator.weight.shape[-1] // 2)
    return operator(u)


def _norm(norm: Any, u: Tensor, name: str) -> Tensor:
    """Normalization of one frame."""
    if norm.kind == "none":
        return u
    spatial = tuple(range(2, u.dim()))
    shape = (1, -1, *[1] * len(spatial))
    if norm.kind == "group":
        grouped = u.reshape(u.shape[0], norm.groups, -1)
        mean, variance = grouped.mean(2, keepdim=True), grouped.var(2, unbiased=False, keepdim=True)
        normal = ((grouped - mean) / torch.sqrt(variance + norm.epsilon)).reshape(u.shape)
    elif norm.training:
        if norm.kind == "batch":
            raise ShapeError("reference: batch norm in training takes statistics over all frames; use norm='joint'.")
        mean = u.mean((0, *spatial)).reshape(shape)
        variance = u.var((0, *spatial), unbiased=False).reshape(shape)
        normal = (u - mean) / torch.sqrt(variance + norm.epsilon)
    else:
        slot = norm.slot(name)
        mean, variance = norm.running_mean[slot].reshape(shape), norm.running_variance[slot].reshape(shape)
        normal = (u - mean) / torch.sqrt(variance + norm.epsilon)
    return normal * norm.weight.reshape(shape) + norm.bias.reshape(shape)


def _switch(u: Tensor, factor: float) -> Tensor:
    """The same value, the gradient times a factor."""
    return u * factor + (u - u * factor).detach()
