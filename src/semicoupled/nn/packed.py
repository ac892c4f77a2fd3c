"""A stack made ready for streaming on a CPU: norms folded, weights laid out once, one call for each convolution.

`SemiCoupledStack.step` runs a clip of one frame, and the convolution library lays the weights out anew in every call.
Here they are laid out when the network is packed, the activation and the sum of Eq. 5 happen within the convolutions,
and nothing is checked layer by layer. Where torch was built without oneDNN the same runs on plain convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.nn import fold
from semicoupled.nn.cells import RNNCell
from semicoupled.nn.folding import fold_norms
from semicoupled.nn.layer import SemiCoupledLayer
from semicoupled.nn.packed_convolution import Convolution, packed_convolution
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.shortcut import Shortcut
from semicoupled.nn.size import strided
from semicoupled.nn.stack import SemiCoupledStack
from semicoupled.nn.streams import RNNState, StackState


class _Layer(NamedTuple):
    """One layer's convolutions, and the shortcut that ends behind it."""

    spatial: Convolution  # act(Conv_s(u))
    drive: Convolution
    recurrent: Convolution
    first_gate: float
    leaves: bool  # a shortcut starts in front of this layer
    lands: bool  # it ends behind this layer
    projection: Convolution | None


class PackedStack:
    """A `SemiCoupledStack` that runs the main stream one frame at a time and learns no more; see `pack`."""

    def __init__(self, stack: SemiCoupledStack, size: Sequence[int], dtype: torch.dtype) -> None:
        """Lay out the weights of a stack without norms; use `pack`."""
        self.in_channels = stack.in_channels
        self.out_channels = stack.out_channels
        self.size = tuple(size)
        self.dtype = dtype
        self._pool_first = stack.pool_first
        self._shapes = [tuple(state[0].shape[1:]) for state in stack.initial_state(1, size).main or ()]
        self._layers = _layers(stack, self.size, dtype)

    @torch.no_grad()
    def step(
        self, frame: Float[Tensor, "B C H W"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B D H2 W2"], StackState]:
        """Run one frame; see `SemiCoupledStack.step`. States may come from there and go there.

        Args:
            frame: one frame of the size that the stack was packed for.
            state: the state that the last call returned; None before the first frame.

        Returns:
            Features of the last layer, and the new state, which shares no memory with the old one.

        Raises:
            ShapeError: the frame or the state does not fit.
        """
        gates = self._gates(frame, state)
        u = before = fold.channels_last(frame.to(self.dtype))
        after: list[RNNState] = []
        for index, layer in enumerate(self._layers):
            if layer.leaves:
                before = u
            s = layer.spatial(u)  # (4)
            gate = layer.recurrent.onto(layer.drive(u), gates[index]).sigmoid_()  # (5)
            after.append(RNNState(gate))
            if layer.lands:
                u = torch.addcmul(before if layer.projection is None else layer.projection(before), s, gate)
            else:
                u = s.mul_(gate)  # (6)
            if index == 0 and self._pool_first:
                u = F.max_pool2d(u, 3, 2, 1)
        return u, StackState(tuple(after), None)

    def initial_state(self, batch: int) -> StackState:
        """The state before the first frame (c_0 = 0), the same as passing None."""
        first = (
            torch.empty((batch, *shape), dtype=self.dtype, memory_format=torch.channels_last).fill_(layer.first_gate)
            for shape, layer in zip(self._shapes, self._layers, strict=True)
        )
        return StackState(tuple(RNNState(gate) for gate in first), None)

    def _gates(self, frame: Tensor, state: StackState | None) -> list[Tensor]:
        """sigma(c_{t-1}) of all layers, after a look at whether everything fits."""
        expected = (self.in_channels, *self.size)
        if frame.dim() != 4 or frame.shape[1:] != expected or frame.device.type != "cpu":
            raise ShapeError(
                f"frame: expected B C H W with (C, H, W) = {expected} on the CPU, got {tuple(frame.shape)} on "
                f"{frame.device}. A stack is packed for one size; pack it again for another."
            )
        before = self.initial_state(frame.shape[0]) if state is None else state
        gates = [cell.gate for cell in before.main or () if isinstance(cell, RNNState)]
        shapes = [(frame.shape[0], *shape) for shape in self._shapes]
        if [gate.shape for gate in gates] != shapes:
            raise ShapeError(
                f"state: expected gates of {shapes[0]} and {len(shapes) - 1} more layers, got "
                f"{[tuple(gate.shape) for gate in gates]}. A state belongs to one batch and one frame size; start "
                "with state=None."
            )
        return [fold.channels_last(gate.to(self.dtype)) for gate in gates]


def pack(stack: SemiCoupledStack, size: Sequence[int], *, dtype: torch.dtype = torch.float32) -> PackedStack:
    """Make a trained stack ready for streaming on a CPU core.

    Args:
        stack: a stack of convolutions with the `rnn` cell, on the CPU, in eval(); it is left as it is. Batch norms
            are folded with the main stream's statistics.
        size: spatial size of the frames, (H, W).
        dtype: float32, or bfloat16 where the processor has instructions for it; float64 to compare.

    Returns:
        The same network up to rounding, to be run with `step`. Its weights are copies.

    Raises:
        ShapeError: a network that cannot be packed, see above, or whose norms cannot be folded.
    """
    kinds = {type(layer.cell).__name__ for layer in _inside(stack)}
    if kinds != {"RNNCell"}:
        raise ShapeError(f"pack: expected the cell 'rnn', got {', '.join(sorted(kinds))}. Use the stack's step().")
    operators = {type(operator).__name__ for layer in _inside(stack) for operator in (layer.spatial, layer.drive)}
    if operators != {"Conv2d"}:
        raise ShapeError(
            f"pack: expected convolutions, got {', '.join(sorted(operators))}. Use the stack's own step()."
        )
    paddings = {module.padding_mode for module in stack.modules() if isinstance(module, nn.Conv2d)}
    if paddings != {"zeros"}:
        raise ShapeError(
            f"pack: expected convolutions that pad with zeros, got {', '.join(sorted(paddings))}. Use the stack's own "
            "step()."
        )
    if next(stack.parameters()).device.type != "cpu":
        raise ShapeError("pack: expected a stack on the CPU. Call stack.cpu() first; other devices have no need of it.")
    return PackedStack(fold_norms(stack), size, dtype)


def _inside(stack: SemiCoupledStack) -> list[SemiCoupledLayer]:
    return [layer for layer in stack.layers if isinstance(layer, SemiCoupledLayer)]


def _layers(stack: SemiCoupledStack, size: tuple[int, ...], dtype: torch.dtype) -> list[_Layer]:
    layers: list[_Layer] = []
    entering = left_at = size
    flying: Shortcut | None = None
    landing = -1
    for index, layer in enumerate(_inside(stack)):
        starting = stack.shortcuts.starting(index)
        if starting is not None:
            flying, landing, left_at = starting, index + starting.span - 1, entering
        inside = strided(entering, stack.strides[index])
        cell = cast("RNNCell", layer.cell)
        projects = flying is not None and index == landing and flying.projects
        layers.append(
            _Layer(
                spatial=packed_convolution(cast("nn.Conv2d", layer.spatial), entering, stack.activation, dtype),
                drive=packed_convolution(cast("nn.Conv2d", layer.drive), entering, dtype=dtype),
                recurrent=packed_convolution(cast("nn.Conv2d", cell.recurrent), inside, dtype=dtype),
                first_gate=cell.initial_gate,
                leaves=starting is not None,
                lands=index == landing,
                projection=packed_convolution(cast("nn.Conv2d", flying.projection), left_at, dtype=dtype)
                if flying is not None and projects
                else None,
            )
        )
        pooled = index == 0 and stack.pool_first
        entering = strided(inside, 2) if pooled else inside
    return layers
