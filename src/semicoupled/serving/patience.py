"""Connections that say nothing: closed after a while, so that a few hundred of them do not shut everybody else out."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

_Protocol: Any = AutoHTTPProtocol  # that of the library that is installed; both have the same parts


def patient(seconds: float) -> type[asyncio.Protocol]:
    """Make uvicorn's protocol one that waits no longer than this for the head of a request.

    The library itself waits for ever: its time-out runs between requests alone. A body is timed by the guard, and a
    socket by pings.

    Args:
        seconds: from the connection, or from the first byte of a later request, to the end of its head.
    """

    class Patient(_Protocol):
        """A connection with a timer."""

        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            """Begin to wait for the first request."""
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            """Take bytes; where a request is under way with them, the wait is over."""
            super().data_received(data)
            if self._answering():
                self._rest()
            elif self._timer is None:
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            """Let the timer go with the connection."""
            self._rest()
            super().connection_lost(exc)

        def _answering(self) -> bool:
            upgraded = self.transport.get_protocol() is not self
            return upgraded or (self.cycle is not None and not self.cycle.response_complete)

        def _wait(self) -> None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._late)

        def _rest(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None

        def _late(self) -> None:
            self._timer = None
            if not self._answering() and not self.transport.is_closing():
                self.transport.close()

    return Patient
