"""Everything that semicoupled raises on purpose.

    SemicoupledError            1   anything below; catch this one
    ├── ShapeError              1   a tensor or a network does not fit (also a ValueError)
    ├── EqualityError           1   a fast path gives something else than the slow one
    ├── SettingsError           2   a setting is unknown, out of range, or contradicts another (also a ValueError)
    ├── DataError               3   a file or a folder cannot be used (also a ValueError)
    ├── RunError                4   a run folder or a checkpoint is missing, broken, or from other settings
    ├── MissingExtraError       5   an optional part is not installed (also an ImportError)
    ├── StaleDataError          6   the newest input is older than asked
    └── ShortageError           7   the machine ran short of disk or memory

The number is the exit code of the command line: 0 is success, 1 an unexpected failure, 130 an interruption.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SemicoupledError(Exception):
    """The root of the tree."""

    exit_code: int = 1


class ShapeError(SemicoupledError, ValueError):
    """A tensor, or the combination of layers asked for, does not fit."""


class EqualityError(SemicoupledError):
    """A fast path gives something else than the slow one that it stands for."""


class SettingsError(SemicoupledError, ValueError):
    """A setting is unknown, out of its range, or contradicts another."""

    exit_code = 2


class DataError(SemicoupledError, ValueError):
    """A file or a folder cannot be used as asked."""

    exit_code = 3


class RunError(SemicoupledError):
    """A run folder or a checkpoint is missing, broken, or was made with other settings."""

    exit_code = 4


class MissingExtraError(SemicoupledError, ImportError):
    """An optional part is not installed."""

    exit_code = 5


class StaleDataError(SemicoupledError):
    """The newest input is older than asked."""

    exit_code = 6


class ShortageError(SemicoupledError):
    """The machine ran short of disk or memory, or ended a process of ours."""

    exit_code = 7


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, and list all of them.

    Args:
        name: the name that was given.
        known: the names that exist.

    Returns:
        A sentence fit for the end of an error message.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    meant = f"Did you mean {close[0]!r}? " if close else ""
    return f"{meant}Known: {', '.join(names) if names else 'none'}."
