"""The one part of a layer that must go step by step: c_t from sigma(c_{t-1}) (Eq. 5), with its own backward pass.

Everything else runs over all frames at once. The loop here keeps the gates alone; the gradient of the recurrent weight
is left to one batched convolution after the backward loop, which is what makes it several times faster than letting
autograd record each step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import nn

from semicoupled.nn.operators import apply_weight, autocast_like, input_gradient, weight_gradient
from semicoupled.nn.shapes import Float, Tensor


class Recurrence(NamedTuple):
    """c and sigma(c) of all frames, folded time-major.

    Attributes:
        map: c_t (Eq. 5), N C *size, or None where it was not asked for.
        gate: sigma(c_t), N C *size.
    """

    map: Tensor | None
    gate: Tensor


def recurrence(
    drive: Float[Tensor, "N C *size"],
    operator: nn.Module,
    initial_gate: Float[Tensor, "B C *size"],
    *,
    with_map: bool = True,
) -> Recurrence:
    """Run c_t = drive_t + Conv_c(sigma(c_{t-1})) over all frames (Eq. 5).

    Args:
        drive: Conv_u(u_t), normalized, folded time-major.
        operator: Conv_c: stride 1, no bias. `nn.Conv2d` and `nn.Linear` run with the fast backward pass.
        initial_gate: sigma(c_0).
        with_map: whether c is wanted beside the gate.

    Returns:
        c and sigma(c) for all frames.
    """
    if isinstance(operator, nn.Conv2d | nn.Linear):
        drive, weight, _ = autocast_like(drive, operator.weight, None)
        initial_gate = initial_gate.to(drive.dtype)
        outcome = _Recurrence.apply(drive, weight, initial_gate, with_map)
        gate, mapped = outcome if with_map else (outcome, None)  # pyright: ignore[reportGeneralTypeIssues]
        return Recurrence(mapped, gate)  # pyright: ignore[reportArgumentType]
    return loop(drive, operator, initial_gate)


def loop(drive: Float[Tensor, "N C *size"], operator: nn.Module, gate: Float[Tensor, "B C *size"]) -> Recurrence:
    """The same, step by step under autograd: for any operator."""
    maps: list[Tensor] = []
    gates: list[Tensor] = []
    for step in drive.split(gate.shape[0]):
        c = step + operator(gate)  # (5)
        gate = torch.sigmoid(c)
        maps.append(c)
        gates.append(gate)
    return Recurrence(torch.cat(maps), torch.cat(gates))


class _Recurrence(torch.autograd.Function):
    """Eq. 5 over time. Saves the gates; c is never needed backward: d sigma(c) = gate (1 - gate) dc."""

    @staticmethod
    def forward(ctx: Any, drive: Tensor, weight: Tensor, initial_gate: Tensor, with_map: bool) -> Any:
        batch = initial_gate.shape[0]
        # one buffer for sigma(c_0) ... sigma(c_T): frame t's input is row t, its output row t + 1
        gates = torch.empty((drive.shape[0] + batch, *drive.shape[1:]), dtype=drive.dtype, device=drive.device)
        if drive.dim() == 4:
            gates = torch.empty_like(gates, memory_format=torch.channels_last)
        gates[:batch] = initial_gate
        maps = torch.empty_like(drive) if with_map else None
        for start in range(0, drive.shape[0], batch):
            now, later = slice(start, start + batch), slice(start + batch, start + 2 * batch)
            c = apply_weight(gates[now], weight).add_(drive[now])  # (5)
            torch.sigmoid(c, out=gates[later])
            if maps is not None:
                maps[now] = c
        ctx.save_for_backward(gates, weight)
        ctx.batch = batch
        ctx.set_materialize_grads(False)
        later = gates[batch:]
        return (later, maps) if with_map else later

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        gates, weight = ctx.saved_tensors
        batch: int = ctx.batch
        of_gate = gradients[0]
        of_map = gradients[1] if len(gradients) > 1 else None
        of_drive = torch.empty_like(gates[batch:])
        carried: Tensor | None = None
        for start in reversed(range(0, of_drive.shape[0], batch)):
            now = slice(start, start + batch)
            gate = gates[start + batch : start + 2 * batch]
            arriving = carried if of_gate is None else of_gate[now] if carried is None else of_gate[now] + carried
            slope = torch.zeros_like(gate) if arriving is None else arriving * (gate * (1 - gate))
            of_drive[now] = slope if of_map is None else slope + of_map[now]
            if start or ctx.needs_input_grad[2]:
                carried = input_gradient(of_drive[now], gate, weight)
        of_weight, _ = weight_gradient(of_drive, gates[:-batch], weight) if ctx.needs_input_grad[1] else (None, None)
        return of_drive, of_weight, carried if ctx.needs_input_grad[2] else None, None
