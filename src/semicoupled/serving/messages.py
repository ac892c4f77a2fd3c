"""Errors as users may see them: without the places of files outside what they were shown, and short where need be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_PATH = re.compile(r"(?<![\w.:/])(?:[A-Za-z]:)?(?:[/\\]{1,2}[^\s/\\:;,'\"()<>]+){2,}[/\\]?")

_REASON = 123


def public(message: str, places: Iterable[tuple[str, Path]]) -> str:
    """Take the places of files out of a message.

    Args:
        message: of an error.
        places: names that users know, with the folders that they stand for.
    """
    for name, place in sorted(places, key=lambda pair: -len(str(pair[1]))):  # a folder before the one it lies in
        message = message.replace(str(place), name)
    return _PATH.sub(_last_name, message)


def reason(message: str) -> str:
    """Give the beginning of a message that fits where a WebSocket says why it is closed: 123 bytes (RFC 6455, 5.5)."""
    return message.encode()[:_REASON].decode("utf-8", "ignore")


def _last_name(found: re.Match[str]) -> str:
    return "…/" + re.split(r"[/\\]", found[0].rstrip("/\\"))[-1]
