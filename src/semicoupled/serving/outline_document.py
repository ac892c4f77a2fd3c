"""What a person has drawn in one image, as it is kept on disk and sent to the page. Imports no torch.

All of it is replaced, never changed, so that undo is a step back to what was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semicoupled.errors import DataError

Place = tuple[float, float]


@dataclass(frozen=True)
class Corner:
    """A point of an outline.

    Args:
        x: px of the image.
        y: px of the image.
        confidence: of the network; 1 where a person put it there.
        given: whether a person did.
        pinned: whether a redraw leaves it where it is.
    """

    x: float
    y: float
    confidence: float = 1.0
    given: bool = False
    pinned: bool = False

    def json(self) -> list[float | int]:
        """Write it as ``[x, y, confidence, given + 2 pinned]``."""
        return [round(self.x, 2), round(self.y, 2), round(self.confidence, 3), self.given + 2 * self.pinned]

    @classmethod
    def of(cls, values: Sequence[float]) -> Corner:
        """Read it."""
        x, y, confidence, flags = values
        return cls(float(x), float(y), float(confidence), bool(int(flags) & 1), bool(int(flags) & 2))


@dataclass(frozen=True)
class Piece:
    """One part of an object.

    Args:
        box: x, y, width, height, px.
        corners: in order.
        end: the last point, where it is known.
        closed: whether it is whole.
        holes: polygons inside that do not belong to it; they come from files and go into files.
    """

    box: tuple[float, float, float, float]
    corners: tuple[Corner, ...] = ()
    end: Place | None = None
    closed: bool = False
    holes: tuple[tuple[Place, ...], ...] = ()

    def json(self) -> dict[str, Any]:
        """Write it."""
        return {
            "box": [round(value, 2) for value in self.box],
            "corners": [corner.json() for corner in self.corners],
            "end": None if self.end is None else list(self.end),
            "closed": self.closed,
            "holes": [[list(point) for point in hole] for hole in self.holes],
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Piece:
        """Read it."""
        x, y, width, height = content["box"]
        end = content["end"]
        return cls(
            (x, y, width, height),
            tuple(Corner.of(values) for values in content["corners"]),
            None if end is None else (end[0], end[1]),
            bool(content["closed"]),
            tuple(tuple((x, y) for x, y in hole) for hole in content["holes"]),
        )

    def corner(self, index: int) -> Corner:
        """Give a corner.

        Raises:
            DataError: there is none of this number.
        """
        if not 0 <= index < len(self.corners):
            raise DataError(f"there is no point {index}; the outline has {len(self.corners)}, counted from 0")
        return self.corners[index]

    def inserted(self, index: int, place: Place) -> Piece:
        """Put a point behind another one; all others stay."""
        self.corner(index)
        new = Corner(*place, given=True, pinned=True)
        return replace(self, corners=(*self.corners[: index + 1], new, *self.corners[index + 1 :]))

    def deleted(self, index: int) -> Piece:
        """Take a point away; all others stay."""
        self.corner(index)
        return replace(self, corners=(*self.corners[:index], *self.corners[index + 1 :]))

    def pinned(self, index: int, pinned: bool) -> Piece:
        """Keep a point where it is when others are moved, or let it go again."""
        return self._with(index, replace(self.corner(index), pinned=pinned))

    def placed(self, index: int, place: Place) -> Piece:
        """Move a point alone; nothing is drawn anew."""
        self.corner(index)
        return self._with(index, Corner(*place, given=True, pinned=True))

    def ended(self, index: int | None) -> Piece:
        """Say that the outline is whole; what lies behind a point, if one is named, is dropped."""
        if index is not None:
            self.corner(index)
        kept = self.corners if index is None else self.corners[: index + 1]
        return replace(self, corners=kept, closed=True)

    def _with(self, index: int, corner: Corner) -> Piece:
        return replace(self, corners=(*self.corners[:index], corner, *self.corners[index + 1 :]))


@dataclass(frozen=True)
class Thing:
    """An object.

    Args:
        id: in its image.
        label: its class.
        pieces: its parts.
        accepted: whether the person is done with it.
        clicks: corrections that it took: points that were moved, put in or taken away.
    """

    id: int
    label: str
    pieces: tuple[Piece, ...]
    accepted: bool = False
    clicks: int = 0

    def json(self) -> dict[str, Any]:
        """Write it."""
        return {
            "id": self.id,
            "label": self.label,
            "accepted": self.accepted,
            "clicks": self.clicks,
            "pieces": [piece.json() for piece in self.pieces],
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Thing:
        """Read it."""
        pieces = tuple(Piece.of(one) for one in content["pieces"])
        return cls(int(content["id"]), str(content["label"]), pieces, content["accepted"], content["clicks"])


@dataclass(frozen=True)
class Drawing:
    """All objects of an image, and which one is worked on.

    Args:
        things: in the order in which they were drawn.
        current: id of the object that is worked on, or None.
        piece: number of its part that is worked on.
    """

    things: tuple[Thing, ...] = ()
    current: int | None = None
    piece: int = 0

    def json(self) -> dict[str, Any]:
        """Write it."""
        return {"things": [thing.json() for thing in self.things], "current": self.current, "piece": self.piece}

    @property
    def thing(self) -> Thing:
        """The object that is worked on.

        Raises:
            DataError: there is none.
        """
        for thing in self.things:
            if thing.id == self.current:
                return thing
        raise DataError("no object is chosen; draw a box, or choose an object")

    @property
    def outline(self) -> Piece:
        """The part that is worked on.

        Raises:
            DataError: there is none.
        """
        return self.thing.pieces[self.piece]

    def chosen(self, thing: int | None, piece: int = 0) -> Drawing:
        """Work on another object, or on none.

        Raises:
            DataError: there is no such object or part.
        """
        if thing is None:
            return replace(self, current=None, piece=0)
        found = replace(self, current=thing)
        if not 0 <= piece < len(found.thing.pieces):
            raise DataError(f"the object has no part {piece}; it has {len(found.thing.pieces)}, counted from 0")
        return replace(found, piece=piece)

    def begun(self, box: tuple[float, float, float, float], label: str, *, part: bool) -> Drawing:
        """Begin an object, or one more part of the one that is worked on."""
        if part:
            thing = self.thing
            found = self.changed(replace(thing, pieces=(*thing.pieces, Piece(box)), accepted=False))
            return replace(found, piece=len(thing.pieces))
        number = 1 + max((thing.id for thing in self.things), default=0)
        return Drawing((*self.things, Thing(number, label, (Piece(box),))), number, 0)

    def changed(self, thing: Thing) -> Drawing:
        """Replace the object of the same id."""
        return replace(self, things=tuple(thing if one.id == thing.id else one for one in self.things))

    def outlined(self, piece: Piece, clicks: int = 0) -> Drawing:
        """Replace the part that is worked on.

        Args:
            piece: what it becomes.
            clicks: corrections that this took.
        """
        thing = self.thing
        pieces = (*thing.pieces[: self.piece], piece, *thing.pieces[self.piece + 1 :])
        return self.changed(replace(thing, pieces=pieces, accepted=False, clicks=thing.clicks + clicks))

    def without(self, *, part: bool) -> Drawing:
        """Take the object that is worked on away, or its part."""
        thing = self.thing
        if part and len(thing.pieces) > 1:
            pieces = (*thing.pieces[: self.piece], *thing.pieces[self.piece + 1 :])
            return replace(self.changed(replace(thing, pieces=pieces)), piece=min(self.piece, len(pieces) - 1))
        return Drawing(tuple(one for one in self.things if one.id != thing.id))

    def added(self, things: Sequence[Thing]) -> Drawing:
        """Add objects; they get ids of their own."""
        number = max((thing.id for thing in self.things), default=0)
        new = tuple(replace(thing, id=number + place) for place, thing in enumerate(things, 1))
        return replace(self, things=(*self.things, *new))


MOST_STEPS = 60
"""Steps that can be undone."""


@dataclass(frozen=True)
class Sheet:
    """An image's drawing with what was before it and, after an undo, behind it.

    Args:
        now: as it is.
        revision: counts every change.
        before: older ones, oldest first.
        after: newer ones, oldest first.
    """

    now: Drawing = Drawing()
    revision: int = 0
    before: tuple[Drawing, ...] = ()
    after: tuple[Drawing, ...] = ()

    def stepped(self, drawing: Drawing) -> Sheet:
        """Take a step that can be undone."""
        return Sheet(drawing, self.revision + 1, (*self.before, self.now)[-MOST_STEPS:])

    def moved(self, drawing: Drawing) -> Sheet:
        """Change what needs no undo: what is chosen."""
        return replace(self, now=drawing, revision=self.revision + 1)

    def undone(self) -> Sheet:
        """Go one step back, if there is one."""
        if not self.before:
            return self
        return Sheet(self.before[-1], self.revision + 1, self.before[:-1], (self.now, *self.after))

    def redone(self) -> Sheet:
        """Take the last step back again, if there is one."""
        if not self.after:
            return self
        return Sheet(self.after[0], self.revision + 1, (*self.before, self.now), self.after[1:])

    def json(self) -> dict[str, Any]:
        """Write it; an object that many steps share is written once."""
        table: dict[int, int] = {}
        things: list[Thing] = []

        def step(drawing: Drawing) -> dict[str, Any]:
            for thing in drawing.things:
                if id(thing) not in table:
                    table[id(thing)] = len(things)
                    things.append(thing)
            chosen = {"current": drawing.current, "piece": drawing.piece}
            return {"things": [table[id(thing)] for thing in drawing.things], **chosen}

        steps = {"now": step(self.now), "before": [*map(step, self.before)], "after": [*map(step, self.after)]}
        return {"revision": self.revision, "things": [thing.json() for thing in things], **steps}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Sheet:
        """Read it."""
        things = [Thing.of(one) for one in content["things"]]

        def step(one: Mapping[str, Any]) -> Drawing:
            return Drawing(tuple(things[index] for index in one["things"]), one["current"], int(one["piece"]))

        before, after = (tuple(map(step, content[name])) for name in ("before", "after"))
        return cls(step(content["now"]), int(content["revision"]), before, after)
