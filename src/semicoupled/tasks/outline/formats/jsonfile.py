"""Reading JSON files of annotations, with errors that name the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from semicoupled.errors import DataError


def read_json(path: Path, expected: str) -> Any:
    """Read a JSON file.

    Raises:
        DataError: it cannot be read, or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected {expected}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is not JSON ({error}); expected {expected}") from error


def entry(place: object, name: str, kind: type[Any] | tuple[type[Any], ...], where: str) -> Any:
    """Take an entry of a JSON object.

    Args:
        place: the object.
        name: of the entry.
        kind: what it must be.
        where: file and place, for the error.

    Raises:
        DataError: it is not there, or something else.
    """
    if not isinstance(place, dict):
        raise DataError(f"{where}: holds a {type(place).__name__}; expected an object with {name!r}")
    value = cast("dict[str, Any]", place).get(name)
    if isinstance(value, bool) or not isinstance(value, kind):
        kinds = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
        raise DataError(f"{where}: {name!r} is {value!r:.80}; expected a {kinds}")
    return value
