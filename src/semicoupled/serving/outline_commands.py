"""What a person does to a drawing, one command each; the same over WebSocket and as JSON.

A command names the revision that it was given in: one that comes from an older state, of another tab for example, is
refused and changes nothing. What a network has to do goes to the worker; everything else is done here at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from semicoupled.errors import DataError, SemicoupledError
from semicoupled.serving.awaited import finished
from semicoupled.serving.outline_document import Drawing, Piece, Place, Sheet
from semicoupled.serving.outline_options import DrawOptions
from semicoupled.serving.outline_projects import Project
from semicoupled.serving.outline_score import score_of
from semicoupled.serving.schemas import Strict
from semicoupled.serving.services import Services
from semicoupled.serving.work import JobRequest, Source

Do = Literal[
    "box", "start", "draw", "move", "place", "insert", "delete", "pin", "close", "undo", "redo", "choose", "label",
    "accept", "remove", "clear",
]  # fmt: skip
_DRAWN = ("start", "draw", "move")
_FAR = 1e6
Far = Annotated[float, Field(ge=-_FAR, le=_FAR)]


class Command(Strict):
    """What is to be done.

    `box` begins an object, or with `part` one more part of it; `start` begins its outline at x, y (with `end`, its
    last point, or `second`, the one after the start, which tell the direction); `draw` goes on, and chooses where to
    begin; `move` puts a point elsewhere and draws the rest anew; `place` moves it alone; `insert` puts one behind
    another; `delete`, `pin`, `close`; `undo`, `redo`; `choose` another object or part; `label`; `accept`; `remove` the
    object or, with `part`, its part; `clear` takes the points of the part away.
    """

    do: Do
    revision: int | None = Field(None, description="that the command was given in; null for whatever there is")
    x: Far | None = Field(None, description="px of the image")
    y: Far | None = None
    width: float | None = Field(None, gt=0, le=_FAR)
    height: float | None = Field(None, gt=0, le=_FAR)
    index: int | None = Field(None, ge=0, le=10_000, description="of a point, from 0")
    end: tuple[Far, Far] | None = Field(None, description="the outline's last point")
    second: tuple[Far, Far] | None = Field(None, description="the point behind the first one")
    pinned: bool = True
    label: str | None = Field(None, min_length=1, max_length=200)
    thing: int | None = Field(None, description="id of an object; null for none")
    piece: int = Field(0, ge=0, le=10_000, description="number of a part")
    part: bool = False
    accepted: bool = True
    preview: bool = Field(False, description="draw, but change nothing: while a point is dragged")

    @property
    def place(self) -> Place:
        """Where.

        Raises:
            DataError: the command does not say.
        """
        if self.x is None or self.y is None:
            raise DataError(f"{self.do}: expected x and y")
        return self.x, self.y

    @property
    def at(self) -> int:
        """Which point.

        Raises:
            DataError: the command does not say.
        """
        if self.index is None:
            raise DataError(f"{self.do}: expected index, the number of a point")
        return self.index


class StaleError(SemicoupledError):
    """The command was given in another state than the one that there is."""


@dataclass(frozen=True)
class Answer:
    """What came of a command.

    Args:
        sheet: the drawing as it is now.
        piece: of a preview: the outline as it would be.
        score: how good the object is, where the truth is known.
        seconds: until the first point was drawn, and until the last one; None where none was.
    """

    sheet: Sheet
    piece: Piece | None = None
    score: dict[str, Any] | None = None
    seconds: tuple[float, float] | None = None

    def json(self) -> dict[str, Any]:
        """Write it."""
        state = {
            "revision": self.sheet.revision,
            **self.sheet.now.json(),
            "undo": len(self.sheet.before),
            "redo": len(self.sheet.after),
        }
        found: dict[str, Any] = {"score": self.score, "seconds": self.seconds}
        return found | ({"state": state} if self.piece is None else {"piece": self.piece.json()})


async def obey(
    services: Services,
    project: Project,
    image: int,
    command: Command,
    hear: Callable[[Any], Awaitable[None]] | None = None,
) -> Answer:
    """Do what a command says, and write it down.

    Args:
        services: of the server.
        project: in which.
        image: number of the image.
        command: what to do.
        hear: takes each point as it is drawn.

    Raises:
        StaleError: see `Command.revision`.
        DataError: it cannot be done.
        BusyError: the queue is full.
    """
    sheet = services.projects.sheet(project, image)
    _check(sheet, command)
    if command.do in _DRAWN:
        return await _drawn(services, project, image, command, hear)
    changed = _changed(sheet, command, project, image)
    if changed is not sheet:
        services.projects.keep(project, image, changed)
    if command.do == "label" and command.label:
        services.projects.labeled(project, [command.label])
    return Answer(changed, score=await score(services, project, image, changed.now))


async def score(services: Services, project: Project, image: int, drawing: Drawing) -> dict[str, Any] | None:
    """Say how good the object that is worked on is, where the truth is known."""
    truth = services.projects.truth(project).get(image)
    if truth is None or drawing.current is None:
        return None
    about = project.image(image)
    return await asyncio.to_thread(score_of, drawing.thing, truth, (about.width, about.height))


def source_of(services: Services, project: Project, image: int) -> Source:
    """Give the file of an image.

    Raises:
        RunError: there is no such image.
        DataError: its file is not there any more, or lies elsewhere.
    """
    about = project.image(image)
    if project.root is None:
        return Source((project.folder / "images" / about.file,))
    found = services.roots.resolve(project.root, about.file)
    return Source((found,), base=services.roots.paths()[project.root])


async def _drawn(
    services: Services,
    project: Project,
    image: int,
    command: Command,
    hear: Callable[[Any], Awaitable[None]] | None,
) -> Answer:
    before = services.projects.sheet(project, image)
    piece = before.now.outline
    options = {
        "start": lambda: DrawOptions("begin", piece, command.place, end=command.end, second=command.second),
        "draw": lambda: DrawOptions("go_on", piece),
        "move": lambda: DrawOptions("move", piece, command.place, command.at),
    }[command.do]()
    run = services.runs.find(project.run, "outline")
    request = JobRequest(
        "semicoupled.serving.outline_job:draw", run.folder.path, source_of(services, project, image), options
    )
    document: Any = (await finished(services.jobs, request, hear)).document
    drawn = Piece.of(document["piece"])
    seconds = None if document["first"] is None else (document["first"], document["seconds"])
    clicks = int(command.do == "move")
    wanted = before.now.outlined(drawn, clicks)
    found = await score(services, project, image, wanted)
    if command.preview:
        return Answer(before, drawn, found, seconds)
    now = services.projects.sheet(project, image)
    if now.revision != before.revision:
        raise StaleError("the drawing changed meanwhile, in another window perhaps; nothing was drawn")
    sheet = now.stepped(wanted)
    services.projects.keep(project, image, sheet)
    return Answer(sheet, score=found, seconds=seconds)


def _changed(sheet: Sheet, command: Command, project: Project, image: int) -> Sheet:
    drawing = sheet.now
    match command.do:
        case "undo":
            return sheet.undone()
        case "redo":
            return sheet.redone()
        case "choose":
            return sheet.moved(drawing.chosen(command.thing, command.piece))
        case "box":
            if command.width is None or command.height is None:
                raise DataError("box: expected x, y, width and height")
            known = [*(thing.label for thing in drawing.things[-1:]), *project.labels, "object"]
            label = command.label or known[0]
            box = (*command.place, command.width, command.height)
            about = project.image(image)
            if not _meets(box, about.width, about.height):
                raise DataError(f"the box lies outside of the image of {about.width} x {about.height} px")
            return sheet.stepped(drawing.begun(box, label, part=command.part))
        case "label":
            return sheet.stepped(drawing.changed(replace(drawing.thing, label=command.label or "object")))
        case "accept":
            thing = drawing.thing
            if command.accepted and not any(len(piece.corners) >= 3 for piece in thing.pieces):
                raise DataError("no part has three points yet; draw an outline first")
            pieces = tuple(replace(one, closed=True) if command.accepted else one for one in thing.pieces)
            done = drawing.changed(replace(thing, accepted=command.accepted, pieces=pieces))
            return sheet.stepped(done.chosen(None) if command.accepted else done)
        case "remove":
            return sheet.stepped(drawing.without(part=command.part))
        case _:
            return sheet.stepped(drawing.outlined(_edited(drawing.outline, command), _CLICKS.get(command.do, 0)))


_CLICKS = {"place": 1, "insert": 1, "delete": 1, "close": 1}
"""Corrections that count."""


def _edited(piece: Piece, command: Command) -> Piece:
    match command.do:
        case "place":
            return piece.placed(command.at, command.place)
        case "insert":
            return piece.inserted(command.at, command.place)
        case "delete":
            return piece.deleted(command.at)
        case "pin":
            return piece.pinned(command.at, command.pinned)
        case "clear":
            return replace(piece, corners=(), end=None, closed=False)
        case _:
            return piece.ended(command.index)


def _meets(box: tuple[float, float, float, float], width: int, height: int) -> bool:
    """Whether a part of a box lies in an image."""
    return box[0] < width and box[1] < height and box[0] + box[2] > 0 and box[1] + box[3] > 0


def _check(sheet: Sheet, command: Command) -> None:
    if command.revision is not None and command.revision != sheet.revision:
        raise StaleError(
            f"the drawing is at revision {sheet.revision}, the command was given at {command.revision}; in another "
            "window perhaps. Nothing was changed"
        )
