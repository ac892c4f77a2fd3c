"""Listening: a socket first, so that the address that is printed is the one that answers."""

from __future__ import annotations

import socket

import uvicorn

from semicoupled.errors import SettingsError
from semicoupled.serving.app import create_app
from semicoupled.serving.patience import patient
from semicoupled.serving.settings import ServeSettings

_HEADER_BYTES = 32 * 1024
_BACKLOG = 256


def listen(host: str, port: int) -> socket.socket:
    """Take an address.

    Args:
        host: name or address.
        port: 0 for any that is free.

    Raises:
        SettingsError: it is taken, or none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)  # who opens the address at once waits for the app instead of being refused
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host} port {port} ({error.strerror or error}); expected a free port of this machine. "
            "Choose another with --port"
        ) from error
    return listening


def address(listening: socket.socket, token: str | None) -> str:
    """Give the address to open in a browser, with the token if one is needed."""
    host, port = listening.getsockname()[:2]
    name: str = socket.gethostname() if host in ("0.0.0.0", "::") else host
    name = f"[{name}]" if ":" in name else name
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")


def serve(settings: ServeSettings, listening: socket.socket) -> None:
    """Serve until interrupted."""
    config = uvicorn.Config(
        create_app(settings),
        log_level="warning",
        access_log=False,  # its lines would hold the token of the first request
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=3,
        ws_max_size=64 * 1024,
        http=patient(settings.limits.head_seconds),
        ws="websockets-sansio",
        limit_concurrency=256,
        server_header=False,
    )
    uvicorn.Server(config).run([listening])
