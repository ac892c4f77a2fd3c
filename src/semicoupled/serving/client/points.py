"""Points as they are drawn, one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from semicoupled.serving.client.command_socket import REFUSED, STALE
from semicoupled.serving.client.connection import ServerError, StaleDrawingError, pause
from semicoupled.serving.client.drawing import Point

if TYPE_CHECKING:
    from semicoupled.serving.client.outline_image import OutlineImage
    from semicoupled.serving.client.outlines import OutlineProject


class Points(Iterator[Point]):
    """Points as the network draws them. The command is given at once, and done also if nobody reads them.

    Whatever is asked of the project next waits for the last point; an error that nobody read is raised there.
    """

    def __init__(self, project: OutlineProject, image: OutlineImage, command: Mapping[str, Any]) -> None:
        """Give a command."""
        self._project, self._image, self._command = project, image, dict(command)
        self._deadline = project.socket.deadline
        self._ended = False
        self._number = project.socket.send(image.number, self._command)
        self.answer: dict[str, Any] = {}
        """What the server said at the end."""
        self.refusals = 0
        """How often the queue was full, and the command was given again."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Point:
        while not self._ended:
            try:
                message = self._project.socket.receive(self._number, self._deadline)
            except BaseException:  # Ctrl-C, too: nobody waits for it any more, and the caller is told
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
            self._number = self._project.socket.send(self._image.number, self._command)
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
            raise kind(STALE if "state" in message else REFUSED, str(message["error"]))
        self.answer = message
