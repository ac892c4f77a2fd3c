"""A command of the command line in a process of its own that is killed at a moment that was chosen.

The process is forked from one that has imported everything, so that a start takes no seconds; what it does is what
``semicoupled ...`` does. A moment is a time that the process has computed for (so that it means the same on a machine
that is busy), or a number among the file operations below a folder
(Python's audit events: open for writing, rename, remove, make or remove a folder), which is struck just before it is
made. The second kind finds what lies between two operations, the first what lies within one.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

PRELOADED = (
    "semicoupled.cli.train",
    "semicoupled.cli.evaluate",
    "semicoupled.cli.predict",
    "semicoupled.curves",
    "semicoupled.report",
    "semicoupled.run_folder",
    "semicoupled.training.loop",
    "semicoupled.data.video_frames",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "torch.utils.data",
    "semicoupled.tasks.outline.formats.cityscapes",
    "semicoupled.tasks.outline.formats.labelme",
    "semicoupled.tasks.outline.formats.masks",
    "rich.table",
    "docstring_parser",
    "contourpy",
    "h5netcdf",
    "av",
    "PIL.PngImagePlugin",
    "PIL.GifImagePlugin",
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink")
LOOK = 0.003
"""Seconds between two looks at how long a process has computed."""
LONGEST = 900.0
"""Seconds that a command may take before it counts as hanging."""


class Moment(NamedTuple):
    """When a process is killed.

    Attributes:
        seconds: of processor time after its start; None for never by time.
        operation: before which of its file operations, from 1; None for never by count.
    """

    seconds: float | None = None
    operation: int | None = None


class Ended(NamedTuple):
    """How a command ended.

    Attributes:
        code: its exit code; negative where a signal ended it.
        operations: file operations below the folder; 0 where it was killed.
        seconds: of processor time that it took; 0 where it was killed.
        said: what it wrote to the two outputs.
    """

    code: int
    operations: int
    seconds: float
    said: str


def run(arguments: Sequence[str], folder: Path, moment: Moment | None = None, setup: str | None = None) -> Ended:
    """Run a command and wait for its end.

    Args:
        arguments: what follows ``semicoupled``.
        folder: whose file operations count.
        moment: when it is killed; None for not at all.
        setup: ``module:function`` that the process calls first.
    """
    moment = moment or Moment()
    descriptor, name = tempfile.mkstemp(prefix="fire_", suffix=".said")  # not beside the result: that disk may be full
    os.close(descriptor)
    log = Path(name)
    receiver, sender = context().Pipe(duplex=False)
    process = context().Process(
        target=_be, args=(list(arguments), str(folder), moment.operation, str(log), sender, setup)
    )
    process.start()
    sender.close()
    if moment.seconds is None:
        process.join(LONGEST)
    else:
        until = time.monotonic() + LONGEST
        while process.is_alive() and _computed(process.pid) < moment.seconds and time.monotonic() < until:
            time.sleep(LOOK)
    hangs = moment.seconds is None and process.is_alive()
    if process.is_alive() and process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    operations, seconds = receiver.recv() if process.exitcode == 0 else (0, 0.0)
    receiver.close()
    text = log.read_text(encoding="utf-8", errors="replace")
    log.unlink()
    assert not hangs, f"{arguments}: still ran after {LONGEST:.0f} s\n{text}"
    assert process.exitcode is not None
    return Ended(process.exitcode, operations, seconds, text)


def _be(
    arguments: list[str], folder: str, operation: int | None, log: str, sender: Any, setup: str | None
) -> None:  # the process that is killed
    import torch

    torch.set_num_threads(1)
    counted = 0

    def struck(event: str, given: tuple[Any, ...]) -> None:
        nonlocal counted
        if event == "open":
            if not (isinstance(given[2], int) and given[2] & _WRITING):
                return
        elif event not in _CHANGES:
            return
        if not any(isinstance(name, (str, os.PathLike)) and os.fspath(name).startswith(folder) for name in given[:2]):
            return
        counted += 1
        if counted == operation:
            os.kill(os.getpid(), signal.SIGKILL)

    with open(log, "w", encoding="utf-8") as said, redirect_stdout(said), redirect_stderr(said):  # noqa: PTH123
        from semicoupled.cli.main import main

        if setup is not None:
            module, _, function = setup.partition(":")
            getattr(importlib.import_module(module), function)()
        sys.addaudithook(struck)
        code = main(arguments)
    if code == 0:
        sender.send((counted, time.process_time()))
    sys.exit(code)


def _computed(process: int) -> float:
    """Give the seconds that a process has computed for; endless where it has ended."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return float("inf")


def context() -> Any:
    """Give what starts processes; the one that they are forked from imports everything, once."""
    from semicoupled.find_task import task_folders

    found = multiprocessing.get_context("forkserver")
    tasks = [f"semicoupled.tasks.{name}.task" for name in task_folders()]
    found.set_forkserver_preload([*PRELOADED, *tasks, "fire_process", "fire_warm", "fuzz"])
    return found
