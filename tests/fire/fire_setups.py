"""What goes wrong around a command: called first in its process; see `fire_process.run`."""

from __future__ import annotations

import dataclasses
import errno
import importlib
import itertools
import os
import signal
import time
from typing import Any

from semicoupled.find_task import task_folders


def without_pictures() -> None:
    """Let a report hold the curves of the training alone: drawing takes most of the time, and is not compared."""
    for name in task_folders():
        module = importlib.import_module(f"semicoupled.tasks.{name}.task")
        module.TASK = dataclasses.replace(module.TASK, draw=lambda *_: [])


def full_disk() -> None:
    """Let the disk be full from the 9th time on that something is to be flushed to it."""
    flush, count = os.fsync, itertools.count(1)

    def flushed(descriptor: Any) -> None:
        if next(count) >= 9:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(descriptor)

    os.fsync = flushed


def clock_that_jumps() -> None:
    """Set the time of day back by an hour whenever it is asked for."""
    now, count = time.time, itertools.count()
    time.time = lambda: now() - 3600 * next(count)


def ended_worker() -> None:
    """End the process that loads data as soon as it is there."""
    from torch.utils.data import DataLoader

    start = DataLoader.__iter__

    def started(loader: Any) -> Any:
        made: Any = start(loader)
        os.kill(made._workers[0].pid, signal.SIGKILL)
        return made

    DataLoader.__iter__ = started


def used_up_memory() -> None:
    """Let the third step find no memory, in the words of torch."""
    import torch

    step, count = torch.optim.AdamW.step, itertools.count(1)

    def stepped(optimizer: Any, closure: Any = None) -> Any:
        if next(count) == 3:
            return torch.empty(10**15)
        return step(optimizer, closure)

    torch.optim.AdamW.step = stepped  # pyright: ignore[reportAttributeAccessIssue]
