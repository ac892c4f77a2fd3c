"""What the training data looked like: ``description.json`` in the run folder, which a prediction needs too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from semicoupled.errors import RunError
from semicoupled.files import write_text

FILE = "description.json"


def remember_description(folder: Path, description: Mapping[str, Any]) -> None:
    """Write the description into a run folder, or see that the one there says the same.

    Args:
        folder: of the run.
        description: what JSON knows: numbers, strings, lists, mappings.

    Raises:
        RunError: the run was begun on other data.
    """
    path = folder / FILE
    text = json.dumps(description, indent=1) + "\n"
    if not path.exists():
        write_text(path, text)
        return
    try:
        before: object = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}: is broken ({error}). Choose another run folder.") from error
    if not isinstance(before, dict):
        raise RunError(f"{path}: is broken (it holds a {type(before).__name__}). Choose another run folder.")
    before = cast("dict[str, Any]", before)
    now = json.loads(text)
    if before != now:
        names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        different = "; ".join(f"{name}: {before.get(name)} there, {now.get(name)} now" for name in names)
        raise RunError(
            f"{folder}: was begun on other data ({different}). Take it up with that data, or choose another run folder."
        )
