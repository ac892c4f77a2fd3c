"""What goes wrong around a command: called first in its process; see `fire_process.run`."""

from __future__ import annotations

import dataclasses
import importlib
import itertools
import os
import signal
import time
from datetime import datetime, timedelta
from typing import Any

import torch

from semicoupled import curves
from semicoupled.find_task import task_folders
from semicoupled.report import Section
from semicoupled.tasks.nowcasting.operating import predictor, watch


def without_pictures() -> None:
    """Let a report hold no pictures: drawing takes most of a tiny training's time, and is not compared."""
    curves.training_section = lambda _: Section("training")
    for name in task_folders():
        module = importlib.import_module(f"semicoupled.tasks.{name}.task")
        module.TASK = dataclasses.replace(module.TASK, draw=lambda *_: [])


def clock_that_jumps() -> None:
    """Set the time of day back and forth by more hours each time that it is asked for."""
    without_pictures()
    now, count = time.time, itertools.count()

    def hours() -> int:
        number = next(count)
        return number if number % 2 else -number

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(hours=hours())

    time.time = lambda: now() + 3600 * hours()
    for module in (watch, predictor):
        module.datetime = Jumping  # pyright: ignore[reportAttributeAccessIssue]


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
    step, count = torch.optim.AdamW.step, itertools.count(1)

    def stepped(optimizer: Any, closure: Any = None) -> Any:
        if next(count) == 3:
            return torch.empty(10**15)
        return step(optimizer, closure)

    torch.optim.AdamW.step = stepped  # pyright: ignore[reportAttributeAccessIssue]


def no_memory_to_answer() -> None:
    """Let the fifth layer that answers find no memory."""
    call, count = torch.nn.Module.__call__, itertools.count(1)

    def called(module: torch.nn.Module, *given: Any, **named: Any) -> Any:
        if next(count) == 5:
            return torch.empty(10**15)
        return call(module, *given, **named)

    torch.nn.Module.__call__ = called
