"""``semicoupled serve``: the local web app."""

from __future__ import annotations

import importlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from semicoupled.cli.options import Parser, count
from semicoupled.errors import MissingExtraError, SettingsError


def main(arguments: Sequence[str]) -> int:
    """Serve until interrupted.

    Raises:
        SettingsError: the port is out of range.
        MissingExtraError: the extra ``serve`` is not installed.
    """
    parser = Parser(
        "serve",
        "[RUN ...] [--root DIR ...] [--host 127.0.0.1] [--port 8642]",
        "One page where people use and see it, for this machine alone unless --host says otherwise.",
    )
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help="run folders, or folders that hold some; shipped models are there anyway"
    )
    parser.add_argument(
        "--root", type=Path, action="append", default=[], metavar="DIR", help="a folder whose files may be looked at"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; another than this needs a token")
    parser.add_argument("--port", type=count, default=8642, help="0 for any that is free (default: %(default)s)")
    parser.add_argument("--token", action="store_true", help="ask for a token also on this machine alone")
    parser.add_argument(
        "--timeout", type=count, default=120, metavar="S", help="seconds that a job may take (default: %(default)s)"
    )
    parser.add_argument(
        "--state", type=Path, default=None, metavar="DIR", help="folder for what is drawn (default: the user's own)"
    )
    parser.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda, or cuda:N")
    options = parser.parse(arguments, intermixed=True)
    if options.port > 65535:
        raise SettingsError(f"--port: expected 0 to 65535, got {options.port}")
    try:
        _ = importlib.import_module("websockets")  # uvicorn asks for it only once it serves
        from semicoupled.serving.server import address, listen, serve
    except ImportError as error:
        raise MissingExtraError(
            f"serve needs {error.name}, which is not installed; pip install 'semicoupled[serve]'"
        ) from error
    from semicoupled.serving.settings import Limits, ServeSettings, is_loopback

    token = secrets.token_urlsafe(32) if options.token or not is_loopback(options.host) else None
    limits = Limits(seconds=options.timeout)
    settings = ServeSettings(
        tuple(options.runs),
        tuple(options.root),
        options.host,
        token,
        options.device,
        limits,
        state=options.state or _state(),
        label_studio=os.environ.get("LABEL_STUDIO_URL") or None,
        label_studio_key=os.environ.get("LABEL_STUDIO_API_KEY") or None,
    )
    listening = listen(options.host, options.port)
    print(f"semicoupled serves at {address(listening, token)}", flush=True)
    print("Ctrl-C ends it.", flush=True)
    serve(settings, listening)
    return 0


def _state() -> Path:
    """Where programs of this user keep what they must not lose."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "semicoupled"
