"""`semicoupled data check driving`: every frame is decoded, everything that is wrong is named, nothing stops it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semicoupled.data_report import DataReport, Finding
from semicoupled.errors import DataError, SemicoupledError
from semicoupled.report import Cell, Picture, Section, Table
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.driving.checking.findings import RunFacts, lag_findings, run_findings, same_pictures
from semicoupled.tasks.driving.checking.frame_facts import FrameFacts, look
from semicoupled.tasks.driving.checking.label_facts import doubt_unit, shares
from semicoupled.tasks.driving.checking.lag import Lag, Turning, estimate_lag
from semicoupled.tasks.driving.checking.pictures import draw_angles, draw_frames, draw_lags
from semicoupled.tasks.driving.checking.training import training_section
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.finding import Found, find_drives
from semicoupled.tasks.driving.formats.reading import cut_at_gaps, make_label, read_found
from semicoupled.tasks.driving.settings import DrivingSettings
from semicoupled.training.progress import NoProgress, Progress

_ALL = "all"
_REPORTED = 100


@dataclass(frozen=True)
class _Place:
    """What was found in one place.

    Args:
        name: of it.
        runs: that could be read.
        lag: of all of them; None where it cannot be estimated.
    """

    name: str
    runs: list[RunFacts]
    lag: Lag | None


def check(request: DataRequest[DrivingSettings]) -> DataReport:
    """See `Task.check`: runs, rates, gaps, labels, pictures, and how the angle goes with how the image turns.

    Raises:
        DataError: there are no drives at all, or drives of several formats.
    """
    settings = request.settings
    found = find_drives(request.root)
    findings: list[Finding] = []
    read = [(each, _read(each, settings, findings)) for each in found]
    facts = _look(read, settings, request.progress or NoProgress())
    places: list[_Place] = []
    for each, drives in read:
        runs = [RunFacts(drive, facts[id(drive)]) for drive in drives]
        places.append(_Place(each.name or each.whole, runs, _lag(runs, settings)))
    runs = [run for place in places for run in place.runs]
    for run in runs:
        findings += run_findings(run, settings)
    findings += same_pictures(runs)
    for place in places:
        findings += _label_findings(place)
    lags = [(place.name, place.lag) for place in places if place.runs]
    if len(lags) > 1:
        lags.insert(0, (_ALL, _lag(runs, settings)))
    for place in places:
        findings += lag_findings(place.name, place.lag)
    training = training_section([run.drive for run in runs], request, findings)
    frames = sum(len(run.drive) for run in runs)
    hours = sum(_seconds(run.drive) for run in runs) / 3600
    broken = sum(len(run.frames.broken) for run in runs)
    sections = [
        Section("Runs", "", [_run_table(runs, settings)]),
        Section("Angles", "Positive to the right. Shares are of the frames that have an angle.", _angle_parts(places)),
        Section("Angle and image", _LAG_TEXT, _lag_parts(lags)),
        training,
    ]
    shown = draw_frames([run.drive for run in runs], [run.frames for run in runs]) if runs else None
    if shown is not None:
        sections.insert(2, Section("Frames", "Pictures are on the page that --page writes.", [shown]))
    return DataReport(
        title=f"Drives in {request.root}",
        summary=f"Format: {found[0].format.NAME}. Places: {len(found)}. Runs: {len(runs)}. Frames: {frames}, of which "
        f"{broken} cannot be decoded. Hours: {hours:.3g}.",
        sections=sections,
        findings=findings,
    )


_LAG_TEXT = (
    "How the scene moves sideways is correlated with the angle over shifts of time. A lag above 0 says that the image "
    "turns so much later than the angle says: the car answers late, by some tenths of a second. A lag below 0 says "
    "that labels were recorded late; a correlation below 0, that the sign of the angle is the wrong one."
)


def _read(found: Found, settings: DrivingSettings, findings: list[Finding]) -> list[Drive]:
    """Read a place; what stops a training is named, and then left out to see the rest."""
    data = settings.data
    for on_error in ("fail", "skip"):
        try:
            drives = read_found(found, dataclasses.replace(data, on_error=on_error))
        except SemicoupledError as error:
            text = str(error).removeprefix(f"{found.path}: ")
            if not findings or findings[-1].text != text:
                findings.append(Finding("problem", str(found.path), text))
        else:
            unlagged = dataclasses.replace(data, lag_frames=0)
            return [make_label(drive, unlagged) for drive in drives]
    return []


def _look(
    read: Sequence[tuple[Found, list[Drive]]], settings: DrivingSettings, progress: Progress
) -> dict[int, FrameFacts]:
    drives = [drive for _, found in read for drive in found]
    facts: dict[int, FrameFacts] = {}
    done = 0

    def seen() -> None:
        nonlocal done
        done += 1
        if done % _REPORTED == 0:
            progress.update(done)

    progress.begin("decoding frames", sum(map(len, drives)))
    try:
        for drive in drives:
            facts[id(drive)] = look(drive, settings.data.gap_seconds, seen)
    finally:
        progress.end()
    return facts


def _lag(runs: Sequence[RunFacts], settings: DrivingSettings) -> Lag | None:
    parts: list[Turning] = []
    for run in runs:
        drive, start = run.drive, 0
        # a car turns by its angle times its speed
        speeds = np.ones(len(drive)) if drive.speeds is None else drive.speeds
        try:
            pieces = cut_at_gaps(drive, settings.data.gap_seconds)
        except DataError:
            continue  # times that do not rise are a finding of their own
        for piece in pieces:
            part = slice(start, start + len(piece))
            parts.append(Turning(drive.times[part], (drive.angles * speeds)[part], run.frames.turns[part]))
            start += len(piece)
    return estimate_lag(parts)


def _label_findings(place: _Place) -> list[Finding]:
    if not place.runs:
        return []
    angles = np.concatenate([run.drive.angles for run in place.runs])
    unit = place.runs[0].drive.unit
    doubt = doubt_unit(angles, unit)
    found = [Finding("warning", place.name, doubt)] if doubt else []
    if not np.isfinite(angles).any():
        found.append(
            Finding("warning", place.name, "no frame has an angle; expected labels. It can be predicted, not learned")
        )
    return found


def _seconds(drive: Drive) -> float:
    """Give how long a drive is, gaps and pauses of more than a second left out."""
    steps = np.diff(drive.times)
    return float(steps[(steps > 0) & (steps < 1)].sum())


def _run_table(runs: Sequence[RunFacts], settings: DrivingSettings) -> Table:
    lines: list[list[Cell]] = []
    for run in runs:
        drive, facts = run.drive, run.frames
        steps = np.diff(drive.times)
        size = max(facts.sizes, key=lambda key: facts.sizes[key]) if facts.sizes else None
        lines.append(
            [
                drive.run if drive.name == drive.run else f"{drive.run}: {drive.name}",
                len(drive),
                f"{_seconds(drive):.1f}",
                f"{1 / np.median(steps):.3g}" if len(steps) and np.median(steps) > 0 else None,
                int((steps > settings.data.gap_seconds).sum()),
                f"{size[1]} x {size[0]}" if size else None,
                len(facts.broken),
                int(facts.repeats.sum()),
                int(np.isnan(drive.angles).sum()),
                len(run.spikes),
            ]
        )
    heads = ("run", "frames", "seconds", "Hz", "gaps", "size", "broken", "repeated", "no angle", "spikes")
    return Table(heads, lines)


def _angle_parts(places: Sequence[_Place]) -> list[Table | Picture]:
    lines: list[list[Cell]] = []
    labelled: dict[str, np.ndarray] = {}
    unit = ""
    for place in filter(lambda place: place.runs, places):
        unit = place.runs[0].drive.unit
        angles = np.concatenate([run.drive.angles for run in place.runs])
        known = angles[np.isfinite(angles)]
        if not len(known):
            continue
        labelled[place.name] = known
        zero, lock = shares(known, unit)
        low, middle, high = np.percentile(known, [1, 50, 99])
        lines.append(
            [
                place.name,
                unit,
                len(known),
                f"{zero:.1%}",
                f"{lock:.1%}",
                *map(float, (low, middle, high, known.std())),
            ]
        )
    heads = ("place", "unit", "frames", "zero", "full lock", "1 %", "median", "99 %", "deviation")
    parts: list[Table | Picture] = [Table(heads, lines)]
    if labelled:
        parts.append(draw_angles(labelled, unit))
    return parts


def _lag_parts(lags: Sequence[tuple[str, Lag | None]]) -> list[Table | Picture]:
    lines: list[list[Cell]] = []
    for name, lag in lags:
        if lag is None:
            lines.append([name, *[None] * 4, "no: less than 40 s, or nothing moves, or nobody steers"])
            continue
        low, high = lag.interval
        lines.append(
            [
                name,
                f"{lag.length:.0f}",
                f"{lag.seconds:.2f}",
                f"{low:.2f} to {high:.2f}",
                f"{lag.correlation:.2f}",
                "yes" if lag.told else "no: weak, or many lags do as well",
            ]
        )
    parts: list[Table | Picture] = [Table(("place", "seconds", "lag, s", "95 %", "correlation", "can be told"), lines)]
    known = {name: lag for name, lag in lags if lag is not None}
    if known:
        parts.append(draw_lags(known))
    return parts
