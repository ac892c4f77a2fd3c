"""What is drawn in an image, as a client reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Place = tuple[float, float]


@dataclass(frozen=True)
class Point:
    """A point that the network has just drawn.

    Args:
        index: in the outline, from 0.
        x: px of the image.
        y: px of the image.
        confidence: 0 to 1.
    """

    index: int
    x: float
    y: float
    confidence: float


class Corner(NamedTuple):
    """A point of an outline.

    Attributes:
        x: px of the image.
        y: px of the image.
        confidence: of the network, 0 to 1; 1 where a person put it there.
        given: whether a person did.
        pinned: whether it stays where others are drawn anew.
    """

    x: float
    y: float
    confidence: float
    given: bool
    pinned: bool


class Part(NamedTuple):
    """A part of an object.

    Attributes:
        box: x, y, width, height, px.
        corners: of its outline, in order.
        end: the last point, where it was told.
        closed: whether it is whole.
    """

    box: tuple[float, float, float, float]
    corners: tuple[Corner, ...]
    end: Place | None
    closed: bool

    @property
    def points(self) -> list[Place]:
        """The corners' places alone."""
        return [(corner.x, corner.y) for corner in self.corners]


class Shape(NamedTuple):
    """An object.

    Attributes:
        id: in its image.
        label: its class.
        parts: at least one.
        accepted: whether somebody is done with it.
        clicks: corrections that it took.
    """

    id: int
    label: str
    parts: tuple[Part, ...]
    accepted: bool
    clicks: int


class Drawing(NamedTuple):
    """All objects of an image.

    Attributes:
        objects: in the order in which they were drawn.
        current: id of the one that is worked on, or None.
        part: number of its part that is worked on.
        revision: counts every change.
        undo: steps that can be taken back.
        redo: steps that were taken back.
    """

    objects: tuple[Shape, ...]
    current: int | None
    part: int
    revision: int
    undo: int
    redo: int


def read_drawing(state: Mapping[str, Any]) -> Drawing:
    """Read what the server calls a state."""
    return Drawing(
        tuple(read_shape(one) for one in state["things"]),
        state["current"],
        int(state["piece"]),
        int(state["revision"]),
        int(state["undo"]),
        int(state["redo"]),
    )


def read_shape(thing: Mapping[str, Any]) -> Shape:
    """Read what the server calls a thing."""
    parts = tuple(map(read_part, thing["pieces"]))
    return Shape(int(thing["id"]), str(thing["label"]), parts, bool(thing["accepted"]), int(thing["clicks"]))


def read_part(piece: Mapping[str, Any]) -> Part:
    """Read what the server calls a piece."""
    x, y, width, height = piece["box"]
    end = piece["end"]
    corners = tuple(map(_corner, piece["corners"]))
    return Part((x, y, width, height), corners, None if end is None else (end[0], end[1]), bool(piece["closed"]))


def _corner(values: Sequence[float]) -> Corner:
    x, y, confidence, flags = values
    return Corner(float(x), float(y), float(confidence), bool(int(flags) & 1), bool(int(flags) & 2))
