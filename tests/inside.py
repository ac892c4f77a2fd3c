"""A process that holds a lock, for tests of what others are told meanwhile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

INSIDE = """
import os, sys, time
from pathlib import Path
from semicoupled.alone import alone
with alone(Path(sys.argv[1]), "in use"):
    {first}
    print("inside", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(lock: Path, first: str = "") -> Generator[subprocess.Popen[str]]:
    """Have a process inside.

    Args:
        lock: the file.
        first: what it does before it says that it is inside.
    """
    command = [sys.executable, "-c", INSIDE.format(first=first), str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        yield process
        process.kill()
