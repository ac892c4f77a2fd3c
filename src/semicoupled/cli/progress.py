"""Progress in the terminal: bars with the time left, or now and then a line where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from semicoupled.training.progress import NO_NUMBERS, Progress, seconds_left

LINE_EVERY = 20.0  # seconds


@contextmanager
def progress(console: Console | None = None) -> Generator[Progress]:
    """Give the progress that fits the terminal; what is printed meanwhile goes above the bars.

    Args:
        console: where to draw; the standard error by default, so that the output stays clean.
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield LineProgress(console)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[share]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("[dim]{task.fields[numbers]}"),
    )
    with Bars(*columns, console=console) as bars:
        yield BarProgress(bars)


class BarProgress:
    """One bar a job; a part of a job has its bar below and loses it at its end.

    Args:
        bars: rich's display.
    """

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._jobs: list[tuple[TaskID, float | None, float]] = []

    def begin(self, title: str, total: float | None = None) -> None:
        """See `Progress.begin`."""
        job = self._bars.add_task("  " * len(self._jobs) + title, total=total, share="", left="", numbers="")
        self._jobs.append((job, total, time.monotonic()))

    def update(
        self, done: float, *, seconds_left: float | None = None, numbers: Mapping[str, float] = NO_NUMBERS
    ) -> None:
        """See `Progress.update`."""
        job, total, start = self._jobs[-1]
        left = _left(done, total, start, seconds_left)
        self._bars.update(job, completed=done, share=_share(done, total), left=left)
        if numbers:
            self._bars.update(job, numbers=_numbers(numbers))

    def end(self) -> None:
        """See `Progress.end`."""
        job, total, _ = self._jobs.pop()
        if self._jobs:
            self._bars.remove_task(job)
            return
        self._bars.update(job, total=total or 1, completed=total or 1, left="")
        self._bars.stop_task(job)


class LineProgress:
    """A line when a job begins and ends, and one every twenty seconds for it and for the part that is under way.

    Args:
        console: where the lines go.
        every: seconds between lines.
    """

    def __init__(self, console: Console, every: float = LINE_EVERY) -> None:
        self._console = console
        self._every = every
        self._jobs: list[tuple[str, float | None, float]] = []
        self._last: list[float] = []  # when each job was last heard of, so that its parts do not drown it

    def begin(self, title: str, total: float | None = None) -> None:
        """See `Progress.begin`."""
        self._jobs.append((title, total, time.monotonic()))
        self._last.append(time.monotonic())
        if len(self._jobs) == 1:
            self._say(f"{title} ...")

    def update(
        self, done: float, *, seconds_left: float | None = None, numbers: Mapping[str, float] = NO_NUMBERS
    ) -> None:
        """See `Progress.update`."""
        if time.monotonic() - self._last[-1] < self._every:
            return
        self._last[-1] = time.monotonic()
        title, total, start = self._jobs[-1]
        parts = [_share(done, total), _left(done, total, start, seconds_left), _numbers(numbers)]
        self._say(f"{title}: {', '.join(part for part in parts if part)}")

    def end(self) -> None:
        """See `Progress.end`."""
        title, _, start = self._jobs.pop()
        _ = self._last.pop()
        if not self._jobs:
            self._say(f"{title}: done in {_duration(time.monotonic() - start)}")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _share(done: float, total: float | None) -> str:
    return f"{done:g}" if not total else f"{100 * min(1.0, done / total):.0f} %"


def _left(done: float, total: float | None, start: float, known: float | None) -> str:
    left = known
    if left is None and total:
        left = seconds_left(done, total, time.monotonic() - start)
    return "" if left is None else f"{_duration(left)} left"


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _numbers(numbers: Mapping[str, float]) -> str:
    return " ".join(f"{name} {value:.4g}" for name, value in numbers.items())
