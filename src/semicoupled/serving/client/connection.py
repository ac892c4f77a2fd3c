"""Requests to one server: errors with what it says, patience where its queue is full, sockets."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from semicoupled.errors import DataError, MissingExtraError, SemicoupledError

try:
    import httpx
except ImportError as error:
    raise MissingExtraError("the client needs httpx; pip install 'semicoupled[serve]'") from error

_BUSY = 503
_MESSAGE = 2**26
"""Bytes of a socket's message, at most."""


class ServerError(SemicoupledError):
    """The server refused.

    Args:
        status: of the answer.
        message: what it says.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class StaleDrawingError(ServerError):
    """Somebody else changed the drawing meanwhile; nothing was done, and the drawing is as it is there now."""


class Connection:
    """Talks to one server."""

    def __init__(self, address: str, token: str | None, timeout: float) -> None:
        """Take a server's address.

        Args:
            address: such as ``http://127.0.0.1:8642``.
            token: where the server asks for one.
            timeout: seconds that one job may take, with the time that it waits.
        """
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._base = f"{address.rstrip('/')}/api/v1"
        self._http = httpx.Client(base_url=self._base, headers=self._headers, timeout=max(60.0, timeout))
        self.timeout = timeout

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Ask, and give the answer's JSON."""
        return self.request(method, path, **options).json()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask.

        Raises:
            ServerError: refused.
        """
        return _checked(self._http.request(method, path, **options))

    def patient(self, method: str, path: str, deadline: float | None = None, **options: Any) -> httpx.Response:
        """Ask, and again as long as the queue is full.

        Args:
            method: of HTTP.
            path: below the API.
            deadline: of the monotonic clock; None for `timeout` from now.
            options: of httpx.

        Raises:
            ServerError: refused, or still full at the deadline.
        """
        until = time.monotonic() + self.timeout if deadline is None else deadline
        while True:
            response = self._http.request(method, path, **options)
            wait = pause(response.headers.get("Retry-After"))
            if response.status_code != _BUSY or time.monotonic() + wait > until:
                return _checked(response)
            time.sleep(wait)

    def upload(self, files: Iterable[Path | str]) -> str:
        """Send files, and give the id of the upload."""
        upload = self.json("POST", "/uploads")["id"]
        for file in map(Path, files):
            self.json("PUT", f"/uploads/{upload}/files", params={"name": file.name}, content=file.read_bytes())
        return upload

    @contextmanager
    def socket(self, path: str) -> Generator[Any]:
        """Open a WebSocket, as long as the block lasts.

        Raises:
            MissingExtraError: websockets is missing.
            ServerError: refused.
        """
        try:
            from websockets.exceptions import InvalidHandshake
            from websockets.sync.client import connect
        except ImportError as error:
            raise MissingExtraError("outlines need websockets; pip install 'semicoupled[serve]'") from error
        url = f"ws{self._base.removeprefix('http')}{path}"
        with ExitStack() as stack:
            try:
                # no proxy: as a rule the server is this machine
                opening = connect(
                    url, additional_headers=self._headers, open_timeout=self.timeout, max_size=_MESSAGE, proxy=None
                )
                socket = stack.enter_context(opening)
            except InvalidHandshake as error:
                raise ServerError(403, f"the server refused the socket ({error}); is the token right?") from error
            yield socket


def source(sample: str | None, upload: str | None, root: str | None, path: str) -> Mapping[str, Any]:
    """Say where data come from, as the API has it.

    Raises:
        DataError: not exactly one place.
    """
    if sum(one is not None for one in (sample, upload, root)) != 1:
        raise DataError("expected one of sample, files and root (with path), and no other beside it")
    if sample is not None:
        return {"sample": sample}
    return {"upload": upload} if upload is not None else {"root": root, "path": path}


def pause(said: Any) -> float:
    """Seconds to wait, as a server says them; 1 where it says nothing that can be read."""
    try:
        return min(60.0, max(0.05, float(said)))
    except (TypeError, ValueError):
        return 1.0


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    try:
        message = str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        message = response.reason_phrase
    raise ServerError(response.status_code, message)
