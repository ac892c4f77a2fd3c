"""Which tasks have a page: those of the tasks' listing for which there is a module ``api_TASK`` here.

Such a module has a `router` for the API, a function `samples` that gives the names of what it can generate, and a
script ``static/pages/TASK.js`` for the browser. To give a task a page, add these two files.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from fastapi import APIRouter

from semicoupled.find_task import task_folders


class Page(Protocol):
    """What the module of a task's page offers."""

    router: APIRouter
    SUMMARY: str

    def samples(self) -> Sequence[str]:
        """Give the names of what can be generated."""
        ...

    def facts(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Give the settings of a run that its page shows."""
        ...


@functools.cache
def pages() -> dict[str, Page]:
    """Give the pages by the name of their task."""
    found: dict[str, Page] = {}
    for name in task_folders():
        module = f"semicoupled.serving.api_{name}"
        if importlib.util.find_spec(module) is not None:
            found[name] = cast(Page, importlib.import_module(module))
    return found
