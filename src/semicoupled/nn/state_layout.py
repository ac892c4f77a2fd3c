"""A state as a flat list of tensors with names, for programs that know tensors alone, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semicoupled.errors import ShapeError
from semicoupled.nn.shapes import Tensor
from semicoupled.nn.streams import CellState, StackState


@dataclass(frozen=True)
class StateLayout:
    """Which tensors a stack's main stream remembers.

    Args:
        cells: the kind of each layer's state, in order.
    """

    cells: tuple[type[CellState], ...]

    @classmethod
    def of(cls, state: StackState) -> StateLayout:
        """The layout of a state.

        Raises:
            ShapeError: it is not of the main stream.
        """
        if state.main is None:
            raise ShapeError("state: expected one of the main stream, got none. Ask for streams=('main',).")
        return cls(tuple(type(cell) for cell in state.main))

    @property
    def names(self) -> tuple[str, ...]:
        """One name a tensor: the layer, from 1, and the field: `layer1_gate`."""
        return tuple(f"layer{index}_{field}" for index, cell in enumerate(self.cells, 1) for field in cell._fields)

    def flatten(self, state: StackState) -> tuple[Tensor, ...]:
        """The tensors of a state, in the order of `names`."""
        return tuple(tensor for cell in state.main or () for tensor in cell)

    def unflatten(self, tensors: Sequence[Tensor]) -> StackState:
        """The state of which these are the tensors.

        Raises:
            ShapeError: not as many as there are names.
        """
        if len(tensors) != len(self.names):
            raise ShapeError(
                f"state: expected {len(self.names)} tensors ({', '.join(self.names)}), got {len(tensors)}. Pass those "
                "that the last call returned, or those of the initial state."
            )
        left = iter(tensors)
        return StackState(tuple(cell(*(next(left) for _ in cell._fields)) for cell in self.cells), None)
