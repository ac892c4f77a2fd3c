"""The one part of a layer that must go step by step: c_t from sigma(c_{t-1}) (Eq. 5), with its own backward pass.

Everything else runs over all frames at once. The loop here keeps the gates alone; the gradient of the recurrent weight
is left to one convolution over all frames after the backward loop. The streams that use the same Conv_c go through the
loop side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from semicoupled.nn import fold
from semicoupled.nn.operators import autocast_like, is_plain, prepared, turned, weight_gradient
from semicoupled.nn.shapes import Float, Tensor


class Recurrence(NamedTuple):
    """c and sigma(c) of all frames of one stream, folded time-major.

    Attributes:
        map: c_t (Eq. 5), N C *size, or None where it was not asked for.
        gate: sigma(c_t), N C *size.
    """

    map: Tensor | None
    gate: Tensor


def recurrence(
    drives: Sequence[Float[Tensor, "N C *size"]],
    operator: nn.Module,
    initial_gates: Sequence[Float[Tensor, "B C *size"]],
    with_map: Sequence[bool],
) -> list[Recurrence]:
    """Run c_t = drive_t + Conv_c(sigma(c_{t-1})) over all frames (Eq. 5).

    Args:
        drives: for each stream Conv_u(u_t), normalized, folded time-major.
        operator: Conv_c: stride 1, no bias. `nn.Conv2d` and `nn.Linear` run with the fast backward pass.
        initial_gates: for each stream sigma(c_0).
        with_map: for each stream whether c is wanted beside the gate.

    Returns:
        c and sigma(c) for all frames, a stream each.
    """
    exporting = torch.compiler.is_exporting()  # an export knows no backward pass
    if exporting or not (isinstance(operator, nn.Conv2d | nn.Linear) and is_plain(operator)):
        return [loop(drive, operator, gate) for drive, gate in zip(drives, initial_gates, strict=True)]
    _, weight, _ = autocast_like(drives[0], operator.weight, None)
    rows = [drive.to(weight.dtype) for drive in drives]
    first = [gate.to(weight.dtype) for gate in initial_gates]
    outcome: tuple[Tensor | None, ...] = _Recurrence.apply(weight, tuple(with_map), *rows, *first)  # pyright: ignore[reportAssignmentType]
    count = len(rows)
    return [Recurrence(outcome[count + stream], _there(outcome[stream])) for stream in range(count)]


def loop(drive: Float[Tensor, "N C *size"], operator: nn.Module, gate: Float[Tensor, "B C *size"]) -> Recurrence:
    """The same for one stream, step by step under autograd: for any operator."""
    maps: list[Tensor] = []
    gates: list[Tensor] = []
    for step in fold.parts(drive, gate.shape[0]):
        c = step + operator(gate)  # (5)
        gate = torch.sigmoid(c)
        maps.append(c)
        gates.append(gate)
    return Recurrence(torch.cat(maps), torch.cat(gates))


class _Recurrence(torch.autograd.Function):
    """Eq. 5 over time. Saves the gates; c is never needed backward: d sigma(c) = gate (1 - gate) dc."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, with_map: tuple[bool, ...], *rows: Tensor) -> Any:
        count = len(with_map)
        drives, first = rows[:count], rows[count:]
        batch = first[0].shape[0]
        gates = [_timeline(initial, drive) for initial, drive in zip(first, drives, strict=True)]
        maps = [torch.empty_like(drive) if wanted else None for drive, wanted in zip(drives, with_map, strict=True)]
        conv = prepared(weight, first[0].shape[2:])
        for start in range(0, drives[0].shape[0], batch):
            now, later = slice(start, start + batch), slice(start + batch, start + 2 * batch)
            together = conv(_side_by_side([gate[now] for gate in gates]))
            for stream, c in enumerate(together.split(batch)):
                c += drives[stream][now]  # (5)
                torch.sigmoid(c, out=gates[stream][later])
                kept = maps[stream]
                if kept is not None:
                    kept[now] = c
        ctx.save_for_backward(weight, *gates)
        ctx.batch = batch
        ctx.set_materialize_grads(False)
        return (*(gate[batch:] for gate in gates), *maps)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        weight, *gates = ctx.saved_tensors
        batch: int = ctx.batch
        count = len(gates)
        of_gates, of_maps = gradients[:count], gradients[count:]
        of_drives = [torch.empty_like(gate[batch:]) for gate in gates]
        wants_first = any(ctx.needs_input_grad[2 + count :])
        carried: tuple[Tensor | None, ...] = (None,) * count
        back = prepared(turned(weight), gates[0].shape[2:])
        for start in reversed(range(0, of_drives[0].shape[0], batch)):
            now = slice(start, start + batch)
            for stream, gate in enumerate(gates):
                of_gate, of_map, later = of_gates[stream], of_maps[stream], carried[stream]
                after = gate[start + batch : start + 2 * batch]
                slope = of_drives[stream][now]
                arriving = _sum(of_gate, now, later)
                if arriving is None:
                    _ = slope.zero_()
                else:
                    torch.ops.aten.sigmoid_backward.grad_input(arriving, after, grad_input=slope)  # gate (1 - gate)
                if of_map is not None:
                    slope += of_map[now]
            if start or wants_first:
                carried = back(_side_by_side([of_drive[now] for of_drive in of_drives])).split(batch)
        of_weight = None
        if ctx.needs_input_grad[0]:
            parts = [
                weight_gradient(of_drive, gate[:-batch], weight)
                for of_drive, gate in zip(of_drives, gates, strict=True)
            ]
            of_weight = sum(parts[1:], parts[0])  # a stack of them would lose the layout
        return of_weight, None, *of_drives, *(carried if wants_first else (None,) * count)


def _sum(of_gate: Tensor | None, now: slice, later: Tensor | None) -> Tensor | None:
    """What arrives at a gate: from the layer above in this step, and from the next step."""
    if of_gate is None:
        return later
    return of_gate[now] if later is None else of_gate[now] + later


def _timeline(initial: Tensor, drive: Tensor) -> Tensor:
    """A buffer for sigma(c_0) ... sigma(c_T): what goes into frame t is row t, what comes out row t + 1."""
    shape = (drive.shape[0] + initial.shape[0], *drive.shape[1:])
    layout = torch.channels_last if drive.dim() == 4 else torch.contiguous_format
    gates = torch.empty(shape, dtype=drive.dtype, device=drive.device, memory_format=layout)
    gates[: initial.shape[0]] = initial
    return gates


def _side_by_side(steps: list[Tensor]) -> Tensor:
    """One time step of all streams as one batch."""
    return steps[0] if len(steps) == 1 else torch.cat(steps)


def _there(gate: Tensor | None) -> Tensor:
    assert gate is not None  # gates are always kept
    return gate
