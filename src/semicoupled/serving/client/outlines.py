"""Outlines from Python: images of a project, and one image that is drawn in together with a network."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np

from semicoupled.errors import DataError, nearest
from semicoupled.files import write_bytes
from semicoupled.serving.client.connection import Connection, ServerError, StaleDrawingError, pause
from semicoupled.serving.client.drawing import Drawing, Part, Place, Point, Shape, read_drawing, read_part, read_shape

ExportFormat = Literal["coco", "labelme", "cityscapes"]
_REFUSED, _STALE, _LATE = 400, 409, 504


class OutlineProject:
    """Images that are drawn in. It stays on the server's disk until `remove`; closing it closes a socket alone."""

    def __init__(self, connection: Connection, document: Mapping[str, Any]) -> None:
        """Take what the server says of a project; `Client.outlines` and `Client.outline_project` give one."""
        self._connection = connection
        self._socket: Any = None
        self._open = ExitStack()
        self._number = 0
        self._busy: Points | None = None
        self.id = str(document["id"])
        self.problems: tuple[str, ...] = tuple(document["problems"])
        """What could not be used when it was opened, and why."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket, after what is being drawn is done; what was drawn stays."""
        if self._busy is not None:
            with suppress(ServerError):
                self._busy.drain()
        self._drop()

    @property
    def document(self) -> dict[str, Any]:
        """What the server says of it now: its run, labels, images with their sizes and numbers of objects."""
        return self._connection.json("GET", self._path)

    @property
    def images(self) -> list[str]:
        """Names of the images, in order."""
        return [one["name"] for one in self.document["images"]]

    def image(self, which: int | str = 0) -> OutlineImage:
        """Give an image to draw in.

        Args:
            which: its number, from 0, or its name.

        Raises:
            DataError: there is none of this name.
            ServerError: there is none of this number.
        """
        if isinstance(which, str):
            names = self.images
            if which not in names:
                raise DataError(f"there is no image {which!r} in the project. {nearest(which, names)}")
            which = names.index(which)
        return OutlineImage(self, which)

    def use(self, run: str) -> None:
        """Let another run help."""
        self._connection.json("PATCH", self._path, json={"run": run})

    def read(self, files: Iterable[Path | str], *, truth: bool = False) -> Mapping[str, Any]:
        """Send COCO, labelme or Cityscapes files that belong to the images.

        Args:
            files: of annotations.
            truth: to compare with, and not to go on with.

        Returns:
            How many `objects` came to how many `images`, how many images in the files are `strangers`, and `notes`.
        """
        upload = self._connection.upload(files)
        body = {"source": {"upload": upload}, "use": "truth" if truth else "objects"}
        try:
            return self._connection.patient("POST", f"{self._path}/annotations", json=body).json()
        finally:
            self._connection.request("DELETE", f"/uploads/{upload}")

    def export(self, form: ExportFormat = "coco", *, accepted: bool = False) -> bytes:
        """Give all that is drawn.

        Args:
            form: ``coco`` (a JSON file), ``labelme`` or ``cityscapes`` (a zip file of JSON files).
            accepted: only what was accepted.
        """
        self.settle()
        body = {"format": form, "accepted": accepted}
        return self._connection.patient("POST", f"{self._path}/exports", json=body).content

    def save(self, file: Path | str, form: ExportFormat = "coco", *, accepted: bool = False) -> Path:
        """Write what `export` gives to a file, whole or not at all."""
        path = Path(file)
        write_bytes(path, self.export(form, accepted=accepted))
        return path

    def remove(self) -> None:
        """Remove it from the server, with the images that were sent; images below a root stay."""
        self.close()
        self._connection.request("DELETE", self._path)

    @property
    def _path(self) -> str:
        return f"/outline/projects/{self.id}"

    def settle(self) -> None:
        """Wait for what is being drawn."""
        if self._busy is not None:
            self._busy.drain()

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Ask about the project, over HTTP; for `OutlineImage`."""
        self.settle()
        return self._connection.patient(method, f"{self._path}{path}", **options).json()

    def order(self, image: OutlineImage, command: Mapping[str, Any]) -> Points:
        """Give a command over the socket; for `OutlineImage`."""
        self.settle()
        self._busy = Points(self, image, command)
        return self._busy

    def free(self) -> None:
        """Forget what was drawn last; for `Points`."""
        self._busy = None

    def send(self, image: int, command: Mapping[str, Any]) -> int:
        """Send a command; gives its number."""
        if self._socket is None:
            self._socket = self._open.enter_context(self._connection.socket(f"{self._path}/live"))
        self._number += 1
        self._say(json.dumps({"id": self._number, "image": image, "command": command}))
        return self._number

    def receive(self, number: int, deadline: float) -> dict[str, Any]:
        """Wait for the next message about a command.

        Raises:
            ServerError: the socket broke, or nothing came in time.
        """
        while True:
            try:
                text = self._socket.recv(timeout=max(0.0, deadline - time.monotonic()))
            except TimeoutError as error:
                self._drop()
                raise ServerError(_LATE, f"no answer came within {self._connection.timeout:g} s") from error
            except Exception as error:
                raise self._lost(error) from error
            message: dict[str, Any] = json.loads(text)
            if message.get("id") == number:
                return message

    @property
    def deadline(self) -> float:
        """Until when an answer must have come, of the monotonic clock."""
        return time.monotonic() + self._connection.timeout

    def _say(self, text: str) -> None:
        try:
            self._socket.send(text)
        except Exception as error:
            raise self._lost(error) from error

    def _lost(self, error: Exception) -> Exception:
        """What to raise where a socket failed."""
        from websockets.exceptions import ConnectionClosed

        if not isinstance(error, (ConnectionClosed, OSError)):
            return error
        self._drop()
        return ServerError(
            _REFUSED, f"the socket was closed ({error}); what was done is on the server. Try again, or open the project"
        )

    def _drop(self) -> None:
        self._socket = None
        with suppress(OSError):
            self._open.close()


class Points(Iterator[Point]):
    """Points as the network draws them. The command is given at once, and done also if nobody reads them.

    Whatever is asked of the project next waits for the last point; an error that nobody read is raised there.
    """

    def __init__(self, project: OutlineProject, image: OutlineImage, command: Mapping[str, Any]) -> None:
        """Give a command."""
        self._project, self._image, self._command = project, image, dict(command)
        self._deadline = project.deadline
        self._ended = False
        self._number = project.send(image.number, self._command)
        self.answer: dict[str, Any] = {}
        """What the server said at the end."""
        self.refusals = 0
        """How often the queue was full, and the command was given again."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Point:
        while not self._ended:
            try:
                message = self._project.receive(self._number, self._deadline)
            except BaseException:
                self._end()
                raise
            if "point" in message:
                point = message["point"]
                return Point(int(point["index"]), float(point["x"]), float(point["y"]), float(point["confidence"]))
            if "retry_after" not in message:
                self._end()
                self._take(message)
                break
            wait = pause(message["retry_after"])
            if time.monotonic() + wait > self._deadline:
                self._end()
                raise ServerError(503, str(message["error"]))
            self.refusals += 1
            time.sleep(wait)
            self._number = self._project.send(self._image.number, self._command)
        raise StopIteration

    def drain(self) -> None:
        """Wait for the last point."""
        for _ in self:
            pass

    def _end(self) -> None:
        self._ended = True
        self._project.free()

    def _take(self, message: dict[str, Any]) -> None:
        if "state" in message:
            self._image.take(message)
        if "error" in message:
            kind = StaleDrawingError if "state" in message else ServerError
            raise kind(_STALE if "state" in message else _REFUSED, str(message["error"]))
        self.answer = message


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
