"""Which axis of a tensor is the batch, which the height or the width of the frames, found out by trying sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from semicoupled.errors import ShapeError
from semicoupled.steps import Sizes, Tensors

AxisName = Literal["batch", "height", "width"]

LARGEST_DIVISOR = 64


class Axis(NamedTuple):
    """A length that follows from the sizes: that of the batch or the frames, divided by a number and rounded up.

    Attributes:
        name: what it follows from.
        divided_by: at least 1.
    """

    name: AxisName
    divided_by: int = 1

    def length(self, sizes: Sizes) -> int:
        """The length at these sizes."""
        return -(-getattr(sizes, self.name) // self.divided_by)

    def __str__(self) -> str:
        """A name for the axis in a program: ``height/4``."""
        return self.name if self.divided_by == 1 else f"{self.name}/{self.divided_by}"


Shape = tuple[int | Axis, ...]


def find_shapes(give: Callable[[Sizes], Tensors], base: Sizes, dynamic: Sequence[AxisName]) -> list[Shape]:
    """Find how the shapes of some tensors follow from the sizes.

    Args:
        give: the tensors at given sizes.
        base: sizes to vary.
        dynamic: the sizes that may vary.

    Raises:
        ShapeError: an axis follows from the sizes in a way that is not known.
    """
    probes = [base]
    for name in dynamic:
        length: int = getattr(base, name)
        probes += [base._replace(**{name: other}) for other in (length + 1, length + 7, 2 * length + 1)]
    found = [[tuple(tensor.shape) for tensor in give(sizes)] for sizes in probes]
    return [
        tuple(_axis([shapes[at][axis] for shapes in found], probes, dynamic) for axis in range(len(shape)))
        for at, shape in enumerate(found[0])
    ]


def _axis(lengths: Sequence[int], probes: Sequence[Sizes], dynamic: Sequence[AxisName]) -> int | Axis:
    if len(set(lengths)) == 1:
        return lengths[0]
    for axis in (Axis(name, divisor) for name in dynamic for divisor in range(1, LARGEST_DIVISOR + 1)):
        if all(axis.length(sizes) == length for sizes, length in zip(probes, lengths, strict=True)):
            return axis
    raise ShapeError(
        f"an axis is {', '.join(map(str, lengths))} long for frames of "
        f"{', '.join(f'{sizes.height} x {sizes.width}' for sizes in probes)}; expected a length divided by a number"
    )
