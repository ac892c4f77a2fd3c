"""Which runs are learned from, which validate, which test: always whole runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from semicoupled.errors import DataError, SettingsError
from semicoupled.tasks.driving.drives import Drive

LAST = "last:"


class DriveSplits(NamedTuple):
    """The drives of each split.

    Attributes:
        train: to learn from.
        validation: to choose the weights on.
        test: held back for good; may be empty.
    """

    train: tuple[Drive, ...]
    validation: tuple[Drive, ...]
    test: tuple[Drive, ...]


def split_runs(drives: Sequence[Drive], validation: str, test: str | None, at_least: int) -> DriveSplits:
    """Split drives by run.

    Args:
        drives: all of them, in order; parts of a run follow one another.
        validation: runs that validate; see `DataSettings`.
        test: runs that test, chosen first; None for none.
        at_least: frames of the shortest drive that is of use; shorter ones are left out.

    Raises:
        SettingsError: a choice cannot be read.
        DataError: a name matches nothing, or nothing is left to learn from.
    """
    useful = useful_drives(drives, at_least)
    runs = list(dict.fromkeys(drive.run for drive in useful))
    held = choose_runs(runs, test, "data.test") if test else set[str]()
    checked = choose_runs([run for run in runs if run not in held], validation, "data.validation")
    train = [drive for drive in useful if drive.run not in held | checked]
    if not train or not checked:
        raise DataError(
            f"of {len(runs)} runs ({_some(runs)}), {len(checked)} are held back for validation, {len(held)} for test; "
            "expected some to validate on and some to learn from. Change data.validation or data.test"
        )
    return DriveSplits(
        tuple(train),
        tuple(drive for drive in useful if drive.run in checked),
        tuple(drive for drive in useful if drive.run in held),
    )


def useful_drives(drives: Sequence[Drive], at_least: int) -> list[Drive]:
    """Give the drives that are as long as a clip.

    Args:
        drives: in order.
        at_least: frames of the shortest drive that is of use.

    Raises:
        DataError: none is.
    """
    useful = [drive for drive in drives if len(drive) >= at_least]
    if not useful:
        longest = max((len(drive) for drive in drives), default=0)
        raise DataError(
            f"no drive has the {at_least} frames of a clip; the longest of {len(drives)} has {longest}. Add drives, or "
            "lower data.frames or raise data.rate"
        )
    return useful


def choose_runs(runs: Sequence[str], choice: str, name: str) -> set[str]:
    """Read a choice of runs.

    Args:
        runs: names of the runs, in order.
        choice: ``last:N``, or names and patterns with commas between them.
        name: of the setting, for the error.

    Raises:
        SettingsError: N is no number above 0.
        DataError: a name or pattern matches no run.
    """
    if choice.startswith(LAST):
        number = choice.removeprefix(LAST)
        if not number.isdecimal() or int(number) < 1:
            raise SettingsError(f"{name}: expected last:N with N of at least 1, got {choice!r}.")
        return set(runs[-int(number) :])
    chosen: set[str] = set()
    for pattern in (part.strip() for part in choice.split(",")):
        found = {run for run in runs if fnmatchcase(run, pattern)}
        if not found:
            raise DataError(f"{name}: no run matches {pattern!r}; there are {_some(runs)}. Correct it, or take it out")
        chosen |= found
    return chosen


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names) if len(names) <= 12 else f"{', '.join(names[:10])}, ... {names[-1]}"
