"""Two processes that share a prediction, of which one is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from semicoupled.sharing import parts_folder

WAIT = 1200.0
"""Seconds at most, of a machine that is busy with other things."""


def start(arguments: list[str], **environment: str) -> subprocess.Popen[bytes]:
    """Start the command line on one thread."""
    line = [sys.executable, "-m", "semicoupled", *arguments, "--device=cpu"]
    return subprocess.Popen(line, env={**os.environ, "OMP_NUM_THREADS": "1", **environment})


def kill_one_of_two(arguments: list[str], out: Path) -> None:
    """Start a prediction twice, as torchrun does, kill the second once a piece is made, and wait for the first.

    Args:
        arguments: of the command line.
        out: the output that they name.
    """
    first, second = (start(arguments, RANK=str(rank), WORLD_SIZE="2") for rank in range(2))
    ended = time.monotonic() + WAIT
    while not list(parts_folder(out).glob("*.done")):
        assert time.monotonic() < ended
        time.sleep(0.02)
    second.send_signal(signal.SIGKILL)
    assert second.wait() == -signal.SIGKILL, "it had ended before; give it more to do"
    assert first.wait(WAIT) == 0
    assert not parts_folder(out).exists()
