"""What a session of drawing holds: points, an object's parts as far as they are drawn, and what can be gone back to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from semicoupled.nn import StackState
from semicoupled.tasks.outline.geometry.polygons import Points, as_points
from semicoupled.tasks.outline.geometry.window import Window


@dataclass(frozen=True)
class Vertex:
    """A point of an outline.

    Args:
        x: px of the image.
        y: px of the image.
        confidence: that the network gave it (see `decoding.Drawn`); 1 where a person did.
        given: whether a person put it there.
        pinned: whether a redraw leaves it where it is.
    """

    x: float
    y: float
    confidence: float = 1.0
    given: bool = False
    pinned: bool = False


class NextPoint(NamedTuple):
    """A point as it appears.

    Attributes:
        index: of the point in its outline.
        x: px of the image.
        y: px of the image.
        confidence: of the network; 1 where it is a pinned one.
        distribution: grid x grid, how likely the network thought each cell.
        closed: how likely it thought that the outline is closed.
    """

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]
    x: float
    y: float
    confidence: float
    distribution: NDArray[np.float32]
    closed: float


class Expectation(NamedTuple):
    """Where the network expects the next point.

    Attributes:
        distribution: grid x grid, how likely each cell is.
        closed: how likely it is that the outline ends here.
    """

    distribution: NDArray[np.float32]
    closed: float


@dataclass(frozen=True, eq=False)
class Outline:
    """One part of an object, as far as it is drawn.

    Args:
        window: what the network sees of the image.
        features: of it, 1 F grid grid.
        fine: of it, 1 D and four times as many cells a side; None where the model has none.
        vertices: in order.
        end: the last point, px, where it is known; it tells the direction.
        closed: whether it is whole.
        states: the network's state before each step, as far as they are known; the first one is None.
    """

    window: Window
    features: torch.Tensor
    vertices: tuple[Vertex, ...] = ()
    end: tuple[float, float] | None = None
    closed: bool = False
    states: tuple[StackState | None, ...] = (None,)
    fine: torch.Tensor | None = None

    @property
    def points(self) -> Points:
        """N x 2, px."""
        return as_points([(one.x, one.y) for one in self.vertices]) if self.vertices else np.empty((0, 2))


@dataclass(frozen=True, eq=False)
class Moment:
    """Everything that `undo` brings back.

    Args:
        parts: all outlines.
        current: which of them is worked on.
    """

    parts: tuple[Outline, ...] = ()
    current: int = -1

    def without_states(self) -> Moment:
        """Give the same without the network's states, which can be made again."""
        return Moment(tuple(replace(part, states=(None,)) for part in self.parts), self.current)
