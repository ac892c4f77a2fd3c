"""Tasks by name: the folders under ``tasks/``.

A task's ``settings.py`` names its settings class as ``SETTINGS``, what can be chosen in a prediction as
``PREDICT_OPTIONS``, and what its commands need memory for as ``LESS_MEMORY``. It imports no torch, so that ``--help``
is quick. Its ``task.py`` names the `Task` itself as ``TASK``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from semicoupled.errors import SettingsError, nearest
from semicoupled.task import Task
from semicoupled.task_parts import TaskSettings
from semicoupled.task_requests import NoOptions


def task_folders() -> dict[str, Path]:
    """Give the tasks there are, by name: the folders under ``tasks/`` that have a ``settings.py``."""
    places = importlib.import_module("semicoupled.tasks").__path__
    found = (Path(place) / module.name for place in places for module in pkgutil.iter_modules([place]))
    return {
        folder.name: folder
        for folder in sorted(found, key=lambda folder: folder.name)
        if (folder / "settings.py").is_file()
    }


def settings_class(name: str) -> type[TaskSettings]:
    """Give the settings class of a task without importing torch.

    Raises:
        SettingsError: no such task.
    """
    _check(name)
    return cast("type[TaskSettings]", importlib.import_module(f"semicoupled.tasks.{name}.settings").SETTINGS)


def predict_options(name: str) -> type[Any]:
    """Give the class of a task's own options of ``predict``, a frozen dataclass, without importing torch.

    It is what the task's settings module names as ``PREDICT_OPTIONS``; `NoOptions` where it names nothing.

    Raises:
        SettingsError: no such task.
    """
    _check(name)
    module = importlib.import_module(f"semicoupled.tasks.{name}.settings")
    return cast("type[Any]", getattr(module, "PREDICT_OPTIONS", NoOptions))


def less_memory(name: str, command: str) -> str | None:
    """Say what to lower where a command of a task runs short of memory, without importing torch.

    It is what the task's settings module says in ``LESS_MEMORY``.

    Args:
        name: of the task.
        command: such as ``predict``.

    Returns:
        The end of a sentence; None where the task says nothing.

    Raises:
        SettingsError: no such task.
    """
    _check(name)
    module = importlib.import_module(f"semicoupled.tasks.{name}.settings")
    return cast("Mapping[str, str]", getattr(module, "LESS_MEMORY", {})).get(command)


def find_task(name: str) -> Task[Any]:
    """Import a task.

    Raises:
        SettingsError: no such task.
    """
    _check(name)
    return cast("Task[Any]", importlib.import_module(f"semicoupled.tasks.{name}.task").TASK)


def _check(name: str) -> None:
    known = task_folders()
    if name not in known:
        raise SettingsError(f"there is no task {name!r}. {nearest(name, known)}")
