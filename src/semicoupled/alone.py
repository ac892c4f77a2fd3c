"""One process at a time: a lock on a file, which the system lets go when its process ends, however it ends."""

from __future__ import annotations

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from semicoupled.errors import RunError

try:
    import fcntl
except ImportError:  # Windows: there nobody checks
    fcntl = None


@contextmanager
def alone(lock: Path, in_use: str) -> Generator[None]:
    """Let one process at a time do what it does inside.

    Processes that this one starts do not hold the lock with it. On a disk that knows no locks nobody checks.

    Args:
        lock: a file that is locked; made, with its folder, where it is not there, and it stays.
        in_use: what to say where another process is inside: what is in use, and what to do.

    Raises:
        RunError: another process is inside.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        if _taken(file):
            raise RunError(in_use)
        yield


def _taken(file: IO[str]) -> bool:
    """Lock a file; whether another process has."""
    if fcntl is None:
        return False
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EACCES, errno.EAGAIN)
    return False
