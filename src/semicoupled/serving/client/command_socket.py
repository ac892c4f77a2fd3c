"""The socket of one project: commands go out, what is said about them comes in."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

from semicoupled.serving.client.connection import Connection, ServerError

REFUSED, STALE, LATE = 400, 409, 504


class CommandSocket:
    """Opened with the first command; one that broke is opened again with the next."""

    def __init__(self, connection: Connection, path: str) -> None:
        """Say where it leads.

        Args:
            connection: to the server.
            path: of the socket, below the API.
        """
        self._connection, self._path = connection, path
        self._socket: Any = None
        self._open = ExitStack()
        self._number = 0

    def send(self, image: int, command: Mapping[str, Any]) -> int:
        """Send a command; gives its number."""
        if self._socket is None:
            self._socket = self._open.enter_context(self._connection.socket(self._path))
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
                self.close()
                raise ServerError(LATE, f"no answer came within {self._connection.timeout:g} s") from error
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
        self.close()
        return ServerError(
            REFUSED, f"the socket was closed ({error}); what was done is on the server. Try again, or open the project"
        )

    def close(self) -> None:
        """Close it; what was done is on the server."""
        self._socket = None
        with suppress(OSError):
            self._open.close()
