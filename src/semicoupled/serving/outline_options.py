"""What is asked of the worker about outlines. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from semicoupled.serving.outline_document import Piece, Place


@dataclass(frozen=True)
class DrawOptions:
    """Draw an outline, or what comes after a point of it.

    Args:
        how: ``begin`` at a point, ``go_on``, or ``move`` a point and draw the rest anew.
        piece: the outline as it is.
        point: where it begins, or where the point goes.
        index: of the point that is moved.
        end: the outline's last point, or None.
        second: the point after the first one, or None.
    """

    how: Literal["begin", "go_on", "move"]
    piece: Piece
    point: Place | None = None
    index: int = 0
    end: Place | None = None
    second: Place | None = None


@dataclass(frozen=True)
class LookOptions:
    """Where the next point is expected, or what each stream draws.

    Args:
        piece: the outline.
        index: the point behind which is looked; for the streams it does not matter.
    """

    piece: Piece
    index: int = 0


@dataclass(frozen=True)
class ViewOptions:
    """An image as a browser can show it.

    Args:
        longest: px of its longer side, at most.
    """

    longest: int = 2048


@dataclass(frozen=True)
class ReadOptions:
    """Annotations that belong to known images.

    Args:
        images: name, width and height of each.
    """

    images: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class WriteOptions:
    """Annotations to be written.

    Args:
        format: coco, labelme or cityscapes.
        images: name, width and height of each.
        things: of each image: objects, as `Thing.json` writes them.
    """

    format: str
    images: tuple[tuple[str, int, int], ...]
    things: tuple[tuple[dict[str, Any], ...], ...]


@dataclass(frozen=True)
class AskOptions:
    """Outlines for other programs.

    Args:
        boxes: x, y, width and height of each object, px; empty for the whole image.
        starts: a point on each outline, or None; as many as boxes.
        ends: its last point, or None; as many as boxes.
    """

    boxes: tuple[tuple[float, float, float, float], ...] = ()
    starts: tuple[Place | None, ...] = field(default=())
    ends: tuple[Place | None, ...] = field(default=())
