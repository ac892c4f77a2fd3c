"""What the trained variants of a study answer, kept on disk, so that nothing is asked twice; and where it is asked.

A file of answers is a NumPy archive with the fingerprint of all that the answers depend on beside the run: by itself,
or within ``about``, a text of JSON. Answers to something else, and broken files, are as good as none.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from semicoupled.data.damage import DAMAGE
from semicoupled.description import Json
from semicoupled.errors import SettingsError
from semicoupled.files import replacing

log = logging.getLogger(__name__)

T = TypeVar("T")

VALIDATION = "validation"
"""The name of what a run holds back of its own data; other places are called as their folder is."""


def named_places(others: Sequence[Path]) -> dict[str, Path | None]:
    """Name what is scored on: what is held back (None), and other places.

    Args:
        others: folders or patterns of other places.

    Raises:
        SettingsError: two of one name.
    """
    named: dict[str, Path | None] = {VALIDATION: None}
    for other in others:
        if other.name in named:
            raise SettingsError(f"--other {other}: a folder called {other.name!r} is there already; expected each once")
        named[other.name] = other
    return named


def fingerprint_of(asked: Json) -> str:
    """Give the fingerprint of what answers depend on, 64 letters.

    Args:
        asked: files, their sizes, and settings, in an order that does not change.
    """
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def read_kept(file: Path, fingerprint: str, unpack: Callable[[Mapping[str, np.ndarray]], T]) -> T | None:
    """Read what was answered; None if nothing was, to something else, or if the file is broken.

    Args:
        file: as `write_kept` wrote it.
        fingerprint: of what is asked now.
        unpack: makes answers of the arrays; what it raises at a damaged file is caught.
    """
    if not file.exists():
        return None
    try:
        with np.load(file, allow_pickle=False) as held:
            if _fingerprint(held) != fingerprint:
                log.info("%s: answers something else, or what was read otherwise; it is made anew", file)
                return None
            return unpack(held)
    except DAMAGE as error:
        log.warning("%s: is broken (%s); it is made anew", file, error)
        return None


def write_kept(file: Path, arrays: Mapping[str, Any]) -> None:
    """Keep answers; an older file is replaced only once the new one is whole.

    Args:
        file: its folder is made if need be.
        arrays: NumPy's, with a ``fingerprint``, or an ``about`` that holds it.
    """
    with replacing(file) as temporary, temporary.open("wb") as opened:
        np.savez_compressed(opened, **arrays)


def _fingerprint(held: Mapping[str, np.ndarray]) -> str:
    if "fingerprint" in held:
        return str(held["fingerprint"])
    return str(json.loads(str(held["about"]))["fingerprint"])
