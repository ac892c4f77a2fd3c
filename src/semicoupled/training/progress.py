"""How far a long job is: a Protocol that library code reports to and the command line draws."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

NO_NUMBERS: Mapping[str, float] = MappingProxyType({})


class Progress(Protocol):
    """Hears how far a job is. Jobs nest: a second `begin` before `end` is a part of the first (validation in training).

    Every `begin` is followed by its `end`, also when the job fails.
    """

    def begin(self, title: str, total: float | None = None) -> None:
        """Start a job.

        Args:
            title: what is done, a few words.
            total: the amount of work in any unit (steps, seconds, files); None where it is not known.
        """
        ...

    def update(
        self, done: float, *, seconds_left: float | None = None, numbers: Mapping[str, float] = NO_NUMBERS
    ) -> None:
        """Say how far the innermost job is.

        Args:
            done: the work done so far, in the unit of `total`.
            seconds_left: how long it will still take, where the job knows better than its speed so far tells.
            numbers: a few values worth showing beside the bar, by name.
        """
        ...

    def end(self) -> None:
        """Finish the innermost job."""
        ...


class NoProgress:
    """Hears everything, says nothing."""

    def begin(self, title: str, total: float | None = None) -> None:
        """See `Progress.begin`."""

    def update(
        self, done: float, *, seconds_left: float | None = None, numbers: Mapping[str, float] = NO_NUMBERS
    ) -> None:
        """See `Progress.update`."""

    def end(self) -> None:
        """See `Progress.end`."""


def seconds_left(done: float, total: float, elapsed: float) -> float | None:
    """Estimate how long the rest takes at the speed so far.

    Args:
        done: work done since the clock was started, at least 0.
        total: work that there was when the clock was started, in the same unit.
        elapsed: seconds since then.

    Returns:
        Seconds, at least 0; None while nothing was done.
    """
    if done <= 0:
        return None
    return max(0.0, elapsed / done * (total - done))
