"""Times of fields: the step between them, every n-th of them, and the gaps that cut them. No pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from semicoupled.errors import DataError

_SAME_STEP = 0.1


class Gap(NamedTuple):
    """A hole between two fields.

    Attributes:
        event: the folder.
        before: the last field before it, UTC.
        after: the first one after it, UTC.
        missing: fields; 0 where one came at an odd time and none is lacking.
    """

    event: str
    before: datetime
    after: datetime
    missing: int

    def __str__(self) -> str:
        before, after = f"{self.before:%Y-%m-%d %H:%M}", f"{self.after:%Y-%m-%d %H:%M}"
        return f"{self.event}: {self.missing} fields missing between {before} and {after} UTC"


class Timeline(NamedTuple):
    """What a folder's times come to.

    Attributes:
        step: from one field to the next.
        pieces: indexes of the fields of each piece without a gap, in order.
        gaps: what lies between the pieces.
    """

    step: timedelta
    pieces: list[list[int]]
    gaps: list[Gap]


def usual_step(times: Sequence[datetime], otherwise: timedelta | None = None) -> timedelta:
    """Give the most frequent time between fields, the shortest of those that are equally frequent.

    Args:
        times: sorted, without doubles.
        otherwise: of a single field; 5 minutes if None.
    """
    if len(times) < 2:
        return otherwise or timedelta(minutes=5)
    counts = Counter(two - one for one, two in pairwise(times))
    return min(counts, key=lambda step: (-counts[step], step))


def make_timeline(
    event: str, times: Sequence[datetime], step_minutes: float | None = None, otherwise: timedelta | None = None
) -> Timeline:
    """Cut fields where the time from one to the next is not the usual one, after taking every n-th of them.

    Args:
        event: for messages and gaps.
        times: sorted, without doubles.
        step_minutes: from one field that is taken to the next, counted back from the newest; None takes all.
        otherwise: the step of a single field.

    Raises:
        DataError: `step_minutes` is no multiple of the files' step.
    """
    step = usual_step(times, otherwise)
    chosen = list(range(len(times)))
    if step_minutes is not None:
        wanted = timedelta(minutes=step_minutes)
        if len(times) > 1:
            _check_multiple(event, step, wanted)
            chosen = [index for index in chosen if _near((times[-1] - times[index]) / wanted, step / wanted)]
        step = wanted
    pieces, gaps = [chosen[:1]], list[Gap]()
    for one, two in pairwise(chosen):
        steps = (times[two] - times[one]) / step
        if abs(steps - 1) > _SAME_STEP:
            gaps.append(Gap(event, times[one], times[two], max(round(steps) - 1, 0)))
            pieces.append([])
        pieces[-1].append(two)
    return Timeline(step, pieces, gaps)


def _check_multiple(event: str, step: timedelta, wanted: timedelta) -> None:
    ratio = wanted / step
    if ratio < 1 - _SAME_STEP / 2 or abs(ratio - round(ratio)) > 0.01 * ratio:
        raise DataError(
            f"{event}: one field every {minutes(step)} minutes; expected a step that data.step_minutes "
            f"{minutes(wanted)} is a multiple of. Set data.step_minutes to a multiple of {minutes(step)}, or leave the "
            "folder out"
        )


def _near(steps: float, one: float) -> bool:
    return abs(steps - round(steps)) <= _SAME_STEP * one


def minutes(step: timedelta) -> str:
    """Write a time span in minutes."""
    return f"{step.total_seconds() / 60:g}"
