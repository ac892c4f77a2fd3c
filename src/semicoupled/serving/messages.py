"""Errors as users may see them: without the places of files outside what they were shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_PATH = re.compile(r"(?<![\w.:/])(?:[A-Za-z]:)?(?:[/\\]{1,2}[^\s/\\:;,'\"()<>]+){2,}[/\\]?")


def public(message: str, places: Mapping[str, Path]) -> str:
    """Take the places of files out of a message.

    Args:
        message: of an error.
        places: folders that users know by a name; their paths are replaced with it.
    """
    for name, place in sorted(places.items(), key=lambda item: -len(str(item[1]))):
        message = message.replace(str(place), name)
    return _PATH.sub(_last_name, message)


def _last_name(found: re.Match[str]) -> str:
    return "…/" + re.split(r"[/\\]", found[0].rstrip("/\\"))[-1]
