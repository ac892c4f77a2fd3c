"""Who made a temporary file or a claim, and whether that process still lives: what is left over is told by it."""

from __future__ import annotations

import hashlib
import os
import socket
from functools import cache
from pathlib import Path


@cache
def place() -> str:
    """Give four hexadecimal digits that are the same for all processes whose numbers this one can look up.

    That is this machine, and on Linux this container: elsewhere the same number is another process.
    """
    numbers = Path("/proc/self/ns/pid")
    try:
        among = str(numbers.readlink())
    except OSError:  # no Linux, or no /proc
        among = ""
    return hashlib.sha256(f"{socket.gethostname()} {among}".encode()).hexdigest()[:4]


def alive(process: int) -> bool:
    """Whether a process of this `place` runs; True where that cannot be told.

    Args:
        process: its number.
    """
    if os.name != "posix":  # there the look itself would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
