"""What `semicoupled data check driving` says of single runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from semicoupled.data_report import Finding
from semicoupled.skipping import MOST_SKIPPED
from semicoupled.tasks.driving.checking.frame_facts import FrameFacts
from semicoupled.tasks.driving.checking.label_facts import find_spikes
from semicoupled.tasks.driving.checking.lag import Lag
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.settings import DrivingSettings

_SEVERAL = 3
_LONG_FREEZE = 3
_SAME_SHARE = 0.5
_CONSTANT = 100
_LATE = 0.5
"""Seconds that a car may take to answer."""
_EARLY = -0.1
_OPPOSITE = -0.3


@dataclass(frozen=True)
class RunFacts:
    """A run and what its frames are.

    Attributes:
        drive: the run.
        frames: what was found in its images.
    """

    drive: Drive
    frames: FrameFacts

    @cached_property
    def spikes(self) -> np.ndarray:
        """Frames whose angle jumps away and back."""
        return find_spikes(self.drive.angles)


def run_findings(run: RunFacts, settings: DrivingSettings) -> list[Finding]:
    """Say what is odd about a run, the order of the looks being that of a reader: times, pictures, labels."""
    return [
        *_times(run.drive, settings.data.gap_seconds),
        *_pictures(run),
        *_labels(run),
    ]


def lag_findings(name: str, lag: Lag | None) -> list[Finding]:
    """Say what is odd about how the image turns with the angle.

    Args:
        name: of the place.
        lag: what was found there, if anything.
    """
    if lag is None or not lag.told:
        return []
    told = f"lag {lag.seconds:.2f} s (95 %: {lag.interval[0]:.2f} to {lag.interval[1]:.2f})"
    moves = f"--data.lag_frames {-round(lag.seconds / lag.step)} moves"
    if lag.correlation <= _OPPOSITE:
        text = (
            f"the image turns to the left where the angle says right (correlation {lag.correlation:.2f}); expected "
            "positive to the right. Turn the sign: --data.angle.sign"
        )
    elif lag.interval[1] < _EARLY:
        text = (
            f"the image turns before the angle does, {told}; expected the angle first. Labels were recorded late: "
            f"{moves} them"
        )
    elif lag.interval[0] > _LATE:
        text = (
            f"the image turns long after the angle, {told}; expected at most {_LATE:g} s, as cars answer. Images may "
            f"be recorded late: {moves} the labels"
        )
    else:
        return []
    return [Finding("warning", name, text)]


def same_pictures(runs: Sequence[RunFacts]) -> list[Finding]:
    """Find runs that hold the same pictures: a split by run would not keep them apart."""
    prints = [{each for each in run.frames.prints if each is not None} for run in runs]
    found: list[Finding] = []
    for one, two in combinations(range(len(runs)), 2):
        fewer = min(len(prints[one]), len(prints[two]))
        both = len(prints[one] & prints[two])
        if runs[one].drive.run != runs[two].drive.run and fewer and both > _SAME_SHARE * fewer:
            text = (
                f"{both} pictures are also in run {runs[one].drive.run}; expected other ones: what is learned from "
                "would be tested on. Take one of the runs out"
            )
            found.append(Finding("problem", runs[two].drive.run, text))
    return found


def _times(drive: Drive, gap_seconds: float) -> list[Finding]:
    found: list[Finding] = []
    if len(drive) == 1:
        text = "has one frame; expected several, since nothing moves in one. It is left out of a training"
        return [Finding("note", drive.name, text)]
    steps = np.diff(drive.times)
    wrong = np.flatnonzero(~(steps > 0))
    if len(wrong):
        first = int(wrong[0])
        text = (
            f"times do not rise at {len(wrong)} frames, the first {name_of(drive, first + 1)}: "
            f"{drive.times[first]:.3f} s, then {drive.times[first + 1]:.3f} s; expected each later than the one "
            "before. A training would be refused: sort or mend the records"
        )
        return [Finding("problem", drive.name, text)]
    usual = float(np.median(steps))
    gaps = np.flatnonzero(steps > gap_seconds)
    if len(gaps):
        largest = int(gaps[np.argmax(steps[gaps])])
        text = (
            f"{len(gaps)} gaps of more than {gap_seconds:g} s, the longest of {steps[largest]:.2f} s before "
            f"{name_of(drive, largest + 1)}. Never bridged: drives are cut there"
        )
        found.append(Finding("warning", drive.name, text))
    lost = int(np.rint(steps[(steps > 1.5 * usual) & (steps <= gap_seconds)] / usual - 1).sum())
    early = int((steps < 0.5 * usual).sum())
    if lost + early > 0.01 * len(drive):
        text = (
            f"frames do not come evenly: {lost} are missing between others, {early} come less than half the usual "
            f"{1000 * usual:.0f} ms after the one before. Clips take every n-th frame as if they did"
        )
        found.append(Finding("warning", drive.name, text))
    return found


def _pictures(run: RunFacts) -> list[Finding]:
    drive, facts = run.drive, run.frames
    found: list[Finding] = []
    if facts.broken:
        reasons = list(facts.broken.values())
        more = f" So are {len(reasons) - 1} more" if len(reasons) > 1 else ""
        share = len(reasons) / len(drive)
        skip = "--data.on_error skip leaves them out" if share <= MOST_SKIPPED else "too many to be left out"
        found.append(Finding("problem", drive.name, f"{reasons[0]}.{more} ({share:.1%} of the run: {skip})"))
    if len(facts.sizes) > 1:
        shown = ", ".join(f"{width} x {height} ({count})" for (height, width), count in facts.sizes.most_common())
        text = f"frames of several sizes: {shown}; expected one. Put them into runs of their own"
        found.append(Finding("problem", drive.name, text))
    frozen = _stretches(facts.repeats)
    long = [stretch for stretch in frozen if stretch[1] >= _LONG_FREEZE]
    if long:
        first, length = max(long, key=lambda stretch: stretch[1])
        text = (
            f"the camera stood still {len(long)} times, the longest for {length} frames from "
            f"{name_of(drive, first)}: each picture is that of the frame before. Labels go on there: take them out"
        )
        found.append(Finding("warning", drive.name, text))
    elif len(frozen) > 0.01 * len(drive):
        text = f"{len(frozen)} times a frame repeats the one before. The camera is slower than the recording"
        found.append(Finding("warning", drive.name, text))
    return found


def _labels(run: RunFacts) -> list[Finding]:
    drive = run.drive
    found: list[Finding] = []
    known = drive.angles[np.isfinite(drive.angles)]
    unknown = len(drive) - len(known)
    if 0 < unknown < len(drive):
        first = name_of(drive, int(np.argmax(np.isnan(drive.angles))))
        text = f"{unknown} of {len(drive)} frames have no angle, the first {first}. They are seen, and not learned from"
        found.append(Finding("warning", drive.name, text))
    if len(known) >= _CONSTANT and np.ptp(known) == 0:
        text = f"the angle is {known[0]:g} all along; expected a wheel that moves. Leave the run out"
        found.append(Finding("warning", drive.name, text))
    if len(run.spikes):
        shown = ", ".join(
            f"{name_of(drive, int(index))} ({drive.angles[index - 1]:.3g}, {drive.angles[index]:.3g}, "
            f"{drive.angles[index + 1]:.3g})"
            for index in run.spikes[:_SEVERAL]
        )
        more = ", ..." if len(run.spikes) > _SEVERAL else ""
        text = f"{len(run.spikes)} spikes: the angle jumps away for one frame and back: {shown}{more}. Look at them"
        found.append(Finding("warning", drive.name, text))
    return found


def name_of(drive: Drive, index: int) -> str:
    """Say where a frame lies, from the folder of its drive."""
    folder = drive.source if drive.source.is_dir() else drive.source.parent
    return drive.frames.name(index).removeprefix(f"{folder}{os.sep}")


def _stretches(flags: np.ndarray) -> list[tuple[int, int]]:
    """Give where stretches of true values begin, and how long they are."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(stop - start)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
