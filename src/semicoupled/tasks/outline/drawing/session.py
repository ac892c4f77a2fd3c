"""A person and a network draw an outline together: points appear, any of them can be moved, the rest follows.

From Python::

    session = OutlineSession(model, image, data)
    session.box(Box(40, 60, 120, 80))
    for point in session.start((52, 70)):           # or session.draw(), which also chooses where to begin
        print(point.x, point.y, point.confidence)
    for point in session.move(3, (95, 66)):         # points 0 to 2 stay, what comes after 3 is drawn anew
        ...

The network's state before every step is kept, so that a redraw begins where something changed. All that a session
holds is replaced, never changed, so that `undo` is a step back to what was. What can be gone back to has no states: a
redraw has dozens of them, megabytes each, and after `undo` the next redraw makes them again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from semicoupled.errors import SettingsError, ShapeError
from semicoupled.nn import StackState
from semicoupled.tasks.outline.crops import Box, cut_out, window_of
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.drawing.decoding import first_points
from semicoupled.tasks.outline.drawing.moments import Expectation, Moment, NextPoint, Outline, Vertex
from semicoupled.tasks.outline.drawing.outlines import look
from semicoupled.tasks.outline.drawing.refining import refine
from semicoupled.tasks.outline.formats.records import Instance, Part
from semicoupled.tasks.outline.geometry.polygons import Points, as_points, cells_of, centers, to_cells
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.network.choices import allowed, likeliest, neighborhood, one_hot

NEAR = 2
"""Cells: where the network comes so close to the next pinned point, it takes that point."""


@dataclass
class OutlineSession:
    """Draws the outlines of one object in one image.

    Args:
        model: in eval mode.
        image: height x width x 3.
        data: how the model was trained to see objects.
        now: all that is drawn so far.
        steps: of the network, so far.
    """

    model: OutlineModel
    image: NDArray[np.uint8]
    data: DataSettings
    now: Moment = field(default_factory=Moment)
    steps: int = 0
    _before: list[Moment] = field(default_factory=list[Moment], repr=False)
    _after: list[Moment] = field(default_factory=list[Moment], repr=False)

    def __post_init__(self) -> None:
        """Check the image."""
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ShapeError(
                f"image: expected height x width x 3 of uint8 (images.read_image), got {self.image.shape} of "
                f"{self.image.dtype}."
            )
        self.model.eval()

    def box(self, box: Box) -> None:
        """Say where the object is, or one more part of it, and look at it; points come with `start` or `draw`.

        Raises:
            DataError: it is no box.
        """
        window = window_of(box, self.data.crop)
        seen = look(self.model, [cut_out(self.image, window, self.data.size)])
        parts = (*self.now.parts, Outline(window, seen.features, fine=seen.fine))
        self._set(Moment(parts, len(parts) - 1))

    def start(self, point: tuple[float, float], end: tuple[float, float] | None = None) -> Iterator[NextPoint]:
        """Begin the outline at a point, and draw it.

        Args:
            point: px of the image.
            end: the outline's last point, which tells the direction.

        Returns:
            The points behind the first one, each as soon as it is drawn. Where the iterator is left early, `draw`
            goes on.
        """
        first = Vertex(*map(float, point), given=True, pinned=True)
        outline = self.outline
        self._change(Outline(outline.window, outline.features, (first,), end, fine=outline.fine))
        return self._drawing(())

    def draw(self) -> Iterator[NextPoint]:
        """Go on drawing; an outline without points begins where the network finds the likeliest one."""
        if self.outline.closed:
            return iter(())
        if not self.outline.vertices:
            outline = self.outline
            cell = cells_of([first_points(self.model, outline.features)[0][0]], self.model.grid)
            x, y = outline.window.to_image(centers(cell), self.model.grid)[0].tolist()
            self._change(replace(outline, vertices=(Vertex(x, y),)))
        return self._drawing(())

    def move(self, index: int, point: tuple[float, float]) -> Iterator[NextPoint]:
        """Move a point, and draw what comes after it anew; pinned points behind it stay.

        Args:
            index: of the point.
            point: where to, px.

        Returns:
            The points that are drawn anew, as they appear.

        Raises:
            SettingsError: there is no box yet, or no such point.
        """
        outline = self._with(index)
        later = tuple(one for one in outline.vertices[index + 1 :] if one.pinned)
        moved = Vertex(*map(float, point), given=True, pinned=True)
        kept = (*outline.vertices[:index], moved)
        self._change(
            replace(outline, vertices=kept, closed=False, states=outline.states[: index + 1] if index else (None,))
        )
        return self._drawing(later)

    def pin(self, index: int, pinned: bool = True) -> None:
        """Keep a point where it is when others are moved, or let it go again.

        Raises:
            SettingsError: there is no box yet, or no such point.
        """
        outline = self._with(index)
        vertices = list(outline.vertices)
        vertices[index] = replace(vertices[index], pinned=pinned)
        self._change(replace(outline, vertices=tuple(vertices)))

    def insert(self, index: int, point: tuple[float, float]) -> None:
        """Put a point behind another one; all others stay.

        Raises:
            SettingsError: there is no box yet, or no such point.
        """
        outline = self._with(index)
        vertices = outline.vertices
        new = Vertex(*map(float, point), given=True, pinned=True)
        self._change(
            replace(
                outline,
                vertices=(*vertices[: index + 1], new, *vertices[index + 1 :]),
                states=outline.states[: index + 2],
            )
        )

    def delete(self, index: int) -> None:
        """Take a point away; all others stay.

        Raises:
            SettingsError: there is no box yet, or no such point.
        """
        outline = self._with(index)
        vertices = (*outline.vertices[:index], *outline.vertices[index + 1 :])
        self._change(replace(outline, vertices=vertices, states=outline.states[: index + 1] if index else (None,)))

    def close(self, index: int | None = None) -> None:
        """Say that the outline is whole; what lies behind a point, if one is named, is dropped.

        Raises:
            SettingsError: there is no box yet, or no such point.
        """
        outline = self._with(len(self.vertices) - 1 if index is None else index)
        kept = outline.vertices if index is None else outline.vertices[: index + 1]
        self._change(replace(outline, vertices=kept, states=outline.states[: len(kept)], closed=True))

    def choose(self, part: int) -> None:
        """Go on with another part.

        Raises:
            SettingsError: there is none of this number.
        """
        if not 0 <= part < len(self.now.parts):
            raise SettingsError(f"there is no part {part}; expected 0 to {len(self.now.parts) - 1}")
        self._set(Moment(self.now.parts, part))

    def remove_part(self) -> None:
        """Take the part that is worked on away."""
        _ = self.outline
        parts = tuple(one for place, one in enumerate(self.now.parts) if place != self.now.current)
        self._set(Moment(parts, len(parts) - 1))

    def expect(self, index: int) -> Expectation:
        """Say where the network expects the point behind a point, whatever the person put there.

        Raises:
            SettingsError: there is no such point.
        """
        outline = self._with(index)
        found = self._next(replace(outline, vertices=outline.vertices[: index + 1]))
        return Expectation(found.distribution, found.chance)

    def undo(self) -> bool:
        """Go one step back; False where there is none."""
        if not self._before:
            return False
        self._after.append(self.now.without_states())
        self.now = self._before.pop()
        return True

    def redo(self) -> bool:
        """Take the last step back again; False where there is none."""
        if not self._after:
            return False
        self._before.append(self.now.without_states())
        self.now = self._after.pop()
        return True

    @property
    def outline(self) -> Outline:
        """The part that is worked on.

        Raises:
            SettingsError: there is none yet.
        """
        if self.now.current < 0:
            raise SettingsError("there is no box yet; call session.box(Box(x, y, width, height)) first")
        return self.now.parts[self.now.current]

    @property
    def vertices(self) -> tuple[Vertex, ...]:
        """The points of the part that is worked on."""
        return self.outline.vertices

    @property
    def refined(self) -> Points:
        """The part that is worked on as the model's graph network has it, px, twice as many points.

        Raises:
            SettingsError: the model has none.
        """
        outline = self.outline
        if self.model.graph is None or outline.fine is None:
            raise SettingsError("the model has no graph network; expected one that was trained with model.graph true")
        (found,) = refine(self.model, outline.fine, [outline.window.to_grid(outline.points, self.model.grid)])
        return outline.window.to_image(found, self.model.grid)

    def instance(self, label: str) -> Instance:
        """The object, with all parts of three points and more.

        Raises:
            SettingsError: there is no such part yet.
        """
        parts = tuple(
            Part(one.points, confidence=tuple(vertex.confidence for vertex in one.vertices))
            for one in self.now.parts
            if len(one.vertices) >= 3
        )
        if not parts:
            raise SettingsError("no part has three points yet; draw an outline first")
        return Instance(label, parts)

    def _drawing(self, pins: Sequence[Vertex]) -> Iterator[NextPoint]:
        """Draw until the outline is closed; each point is in the session before it is given out."""
        left = list(pins)
        since = 0
        while not self.outline.closed:
            outline = self.outline
            point = self._next(outline)
            drawing = not point.closed_now and len(outline.vertices) < self.data.points
            if left and (not drawing or _near(point.cell, self._cell(left[0])) or since > self.data.points // 4):
                vertex, since = left.pop(0), 0
            elif not drawing:
                self._replace(replace(outline, closed=True, states=point.states))
                return
            else:
                x, y = outline.window.to_image(centers(np.array([point.cell])), self.model.grid)[0].tolist()
                vertex, since = Vertex(x, y, point.confidence), since + 1
            at_end = not left and outline.end is not None and self._cell(vertex) == self._cell_of(outline.end)
            vertices = (*outline.vertices, vertex)
            full = len(vertices) >= self.data.points and not left
            self._replace(replace(outline, vertices=vertices, closed=at_end or full, states=point.states))
            yield NextPoint(len(vertices) - 1, vertex.x, vertex.y, vertex.confidence, point.distribution, point.chance)

    def _next(self, outline: Outline) -> _Predicted:
        """Ask the network for the point behind the last one."""
        cells = [self._cell(one) for one in outline.vertices]
        states = list(outline.states[: len(cells)])
        scores = None
        with torch.no_grad():
            for index in range(len(states) - 1, len(cells)):  # after an insertion some steps are taken again
                before = cells[index - 1] if index else None if outline.end is None else self._cell_of(outline.end)
                classes = [self._class(one) for one in (cells[0], before, cells[index])]
                positions = one_hot(classes, self.model.grid).to(outline.features.device)
                scores, after = self.model.step(outline.features, positions, states[index])
                states.append(after)
                self.steps += 1
        assert scores is not None  # the last step is never known before
        last = self._class(cells[-1])
        chances = allowed(scores.float().cpu(), last, len(cells)).softmax(-1)
        grid = self.model.grid
        best = likeliest(chances, grid)
        chosen = int(best)
        return _Predicted(
            cell=(chosen % grid, chosen // grid),
            closed_now=chosen == grid * grid or chosen == int(self._class(cells[0])),
            confidence=float(neighborhood(chances, best, grid)),
            distribution=chances[0, :-1].view(grid, grid).numpy(),
            chance=float(chances[0, -1]),
            states=tuple(states),
        )

    def _cell(self, vertex: Vertex) -> tuple[int, int]:
        return self._cell_of((vertex.x, vertex.y))

    def _cell_of(self, point: tuple[float, float]) -> tuple[int, int]:
        grid = self.model.grid
        x, y = to_cells(self.outline.window.to_grid(as_points([point]), grid), grid)[0].tolist()
        return x, y

    def _class(self, cell: tuple[int, int] | None) -> torch.Tensor:
        return torch.tensor([-1 if cell is None else cell[1] * self.model.grid + cell[0]])

    def _with(self, index: int) -> Outline:
        outline = self.outline
        if not 0 <= index < len(outline.vertices):
            raise SettingsError(f"there is no point {index}; the outline has {len(outline.vertices)}, counted from 0")
        return outline

    def _change(self, outline: Outline) -> None:
        """Replace the part that is worked on, one step for `undo`."""
        parts = (*self.now.parts[: self.now.current], outline, *self.now.parts[self.now.current + 1 :])
        self._set(Moment(parts, self.now.current))

    def _replace(self, outline: Outline) -> None:
        """Replace it within the step that is under way."""
        parts = (*self.now.parts[: self.now.current], outline, *self.now.parts[self.now.current + 1 :])
        self.now = Moment(parts, self.now.current)

    def _set(self, moment: Moment) -> None:
        self._before.append(self.now.without_states())
        self._after.clear()
        self.now = moment


class _Predicted(NamedTuple):
    """What the network says comes next."""

    cell: tuple[int, int]
    closed_now: bool
    confidence: float
    distribution: NDArray[np.float32]
    chance: float
    states: tuple[StackState | None, ...]


def _near(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return math.hypot(one[0] - other[0], one[1] - other[1]) <= NEAR
