"""How much of a training is done: by steps, or by a time budget that goes on over resumes."""

from __future__ import annotations

import time
from collections.abc import Callable

from semicoupled.training.progress import seconds_left
from semicoupled.training.settings import TimeBudget


class Clock:
    """Counts the seconds of a run, those before a resume included."""

    def __init__(
        self,
        steps: int,
        budget: TimeBudget | None = None,
        *,
        step: int = 0,
        elapsed: float = 0.0,
        now: Callable[[], float] | None = None,
    ) -> None:
        """Start the clock.

        Args:
            steps: optimizer steps to make; ignored where there is a budget.
            budget: how long to train; None for as many steps as asked for.
            step: steps made before.
            elapsed: seconds that they took.
            now: gives the time in seconds; None for the clock of the budget.
        """
        self._steps, self._budget = steps, None if budget is None else budget.seconds
        if now is None:
            now = time.process_time if budget is not None and budget.of_cpu else time.monotonic
        self._first_step, self._before = step, elapsed
        self._now = now
        self._begin = now()

    @property
    def elapsed(self) -> float:
        """Seconds of training so far."""
        return self._before + self._now() - self._begin

    @property
    def total(self) -> float:
        """What there is to do: seconds with a budget, else steps."""
        return self._steps if self._budget is None else self._budget

    def done(self, step: int, elapsed: float) -> float:
        """Give what of `total` is done after so many steps and seconds."""
        return step if self._budget is None else min(elapsed, self._budget)

    def share(self, step: int, elapsed: float) -> float:
        """Give the share of the training that is done, in [0, 1]; all schedules follow it."""
        return min(1.0, self.done(step, elapsed) / self.total)

    def left(self, step: int, elapsed: float) -> float | None:
        """Estimate the seconds left, from the speed since the start or the last resume."""
        if self._budget is not None:
            return max(0.0, self._budget - elapsed)
        return seconds_left(step - self._first_step, self._steps - self._first_step, elapsed - self._before)
