"""One image of a project, which is drawn in together with a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from semicoupled.errors import DataError
from semicoupled.serving.client.drawing import Drawing, Part, Place, Shape, read_drawing, read_part, read_shape
from semicoupled.serving.client.points import Points

if TYPE_CHECKING:
    from semicoupled.serving.client.outlines import OutlineProject


class OutlineImage:
    """An image that is drawn in. Places are in px of the image; indices of points count from 0.

    Every change is on the server's disk when its method returns, or its last `Point` was read. A command that was
    given on a drawing that somebody else changed meanwhile does nothing and raises `StaleDrawingError`; `drawing` is
    then what there is.
    """

    def __init__(self, project: OutlineProject, number: int) -> None:
        """Take an image of a project; see `OutlineProject.image`."""
        self._project, self.number = project, number
        self.refresh()

    def refresh(self) -> Drawing:
        """Read again what is drawn, and give it."""
        found = self._project.ask("GET", f"/images/{self.number}")
        self.truth: tuple[Shape, ...] | None = (
            None if found["truth"] is None else tuple(read_shape(one) for one in found["truth"])
        )
        """The objects as they are known to be, where they are."""
        self.take(found)
        return self.drawing

    def take(self, answer: Mapping[str, Any]) -> None:
        """Take the server's answer; for `Points`."""
        self._drawing = read_drawing(answer["state"])
        self._score: Mapping[str, Any] | None = answer["score"]

    @property
    def drawing(self) -> Drawing:
        """All that is drawn."""
        self._project.settle()
        return self._drawing

    @property
    def score(self) -> Mapping[str, Any] | None:
        """`iou` and `clicks` of the object that is worked on, where the truth is known; else None."""
        self._project.settle()
        return self._score

    @property
    def shape(self) -> Shape:
        """The object that is worked on.

        Raises:
            DataError: there is none.
        """
        drawing = self.drawing
        for shape in drawing.objects:
            if shape.id == drawing.current:
                return shape
        raise DataError("no object is chosen; give a box, or choose an object")

    @property
    def part(self) -> Part:
        """The part that is worked on.

        Raises:
            DataError: there is none.
        """
        return self.shape.parts[self._drawing.part]

    def box(
        self, x: float, y: float, width: float, height: float, *, label: str | None = None, part: bool = False
    ) -> Drawing:
        """Begin an object, or with `part` one more part of the one that is worked on."""
        return self._do("box", x=x, y=y, width=width, height=height, label=label, part=part)

    def start(self, place: Place, *, end: Place | None = None, second: Place | None = None) -> Points:
        """Let the network draw an outline from a point.

        Args:
            place: where it begins.
            end: its last point, where it is known; it tells the direction.
            second: the point behind the first, in place of `end`.
        """
        x, y = place
        return self._draw("start", x=x, y=y, end=end, second=second)

    def draw(self) -> Points:
        """Let the network go on; it chooses where to begin, too."""
        return self._draw("draw")

    def move(self, index: int, place: Place) -> Points:
        """Put a point elsewhere, and let the network draw what comes after it anew; pinned points stay."""
        return self._draw("move", index=index, x=place[0], y=place[1])

    def preview(self, index: int, place: Place) -> Part:
        """Say what `move` would draw, and change nothing."""
        points = self._draw("move", index=index, x=place[0], y=place[1], preview=True)
        points.drain()
        return read_part(points.answer["piece"])

    def place(self, index: int, place: Place) -> Drawing:
        """Move a point alone."""
        return self._do("place", index=index, x=place[0], y=place[1])

    def insert(self, index: int, place: Place) -> Drawing:
        """Put a point behind another one."""
        return self._do("insert", index=index, x=place[0], y=place[1])

    def delete(self, index: int) -> Drawing:
        """Take a point away."""
        return self._do("delete", index=index)

    def pin(self, index: int, pinned: bool = True) -> Drawing:
        """Keep a point where it is when others are moved, or let it go again."""
        return self._do("pin", index=index, pinned=pinned)

    def end(self, index: int | None = None) -> Drawing:
        """Say that the outline is whole, up to a point if one is named."""
        return self._do("close", index=index)

    def clear(self) -> Drawing:
        """Take all points of the part away."""
        return self._do("clear")

    def choose(self, shape: int | None, part: int = 0) -> Drawing:
        """Work on an object, by its id, or on none."""
        return self._do("choose", thing=shape, piece=part)

    def label(self, label: str) -> Drawing:
        """Name the object."""
        return self._do("label", label=label)

    def accept(self, accepted: bool = True) -> Drawing:
        """Say that the object is done, or not; then no object is chosen."""
        return self._do("accept", accepted=accepted)

    def remove(self, *, part: bool = False) -> Drawing:
        """Take the object away, or its part."""
        return self._do("remove", part=part)

    def undo(self) -> Drawing:
        """Take the last step back."""
        return self._do("undo")

    def redo(self) -> Drawing:
        """Take the step that was taken back again."""
        return self._do("redo")

    def expected(self, index: int) -> np.ndarray:
        """Say where the network expects the point behind a point.

        Returns:
            grid x grid, 0 to 1, over the window of the part: the square root of the chance, 1 where it is likeliest.
        """
        found = self._project.ask("POST", f"/images/{self.number}/expected", json={"index": index})
        return np.array(found["cells"], np.float32).reshape(found["grid"], found["grid"]) / 255

    def streams(self) -> dict[str, list[Place]]:
        """Draw the outline by both branches, by space alone and by time alone, as far as they were trained."""
        found = self._project.ask("POST", f"/images/{self.number}/streams")["streams"]
        return {name: [(x, y) for x, y in points] for name, points in found.items()}

    def _do(self, what: str, **command: Any) -> Drawing:
        self._draw(what, **command).drain()
        return self._drawing

    def _draw(self, what: str, **command: Any) -> Points:
        told = {name: value for name, value in command.items() if value is not None}
        return self._project.order(self, {"do": what, "revision": self.drawing.revision, **told})
