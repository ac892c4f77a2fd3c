"""`semicoupled data check nowcasting`: every file is read, everything that is wrong is named, nothing stops it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np

from semicoupled.data_report import DataReport, Finding, Severity
from semicoupled.errors import DataError, SemicoupledError
from semicoupled.report import Cell, Section, Table
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.nowcasting.files.check_windows import windows_section
from semicoupled.tasks.nowcasting.files.coarsen import factor_for
from semicoupled.tasks.nowcasting.files.field_facts import RAIN_DBZ, FieldFacts, facts_of
from semicoupled.tasks.nowcasting.files.listing import find_files
from semicoupled.tasks.nowcasting.files.reading import format_name, iterate_frames
from semicoupled.tasks.nowcasting.files.sequences import About, event_name, refuse_mixture
from semicoupled.tasks.nowcasting.files.timeline import make_timeline, minutes, usual_step
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.settings import NowcastingSettings
from semicoupled.training.progress import NoProgress

_SEVERAL = 3
_LESS_SEEN = 0.1


@dataclass
class Folder:
    """What was found in one folder.

    Args:
        name: of the event.
        files: how many there are.
        formats: of those that can be read.
        fields: of all files, in order of time once all are read.
        broken: files that cannot be read.
        gaps: between fields, as the settings take them.
        findings: in order.
    """

    name: str
    files: int = 0
    formats: dict[str, Path] = field(default_factory=dict[str, Path])
    fields: list[FieldFacts] = field(default_factory=list[FieldFacts])
    broken: int = 0
    gaps: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])

    def add(self, severity: Severity, text: str, where: str | None = None) -> None:
        """Note something."""
        self.findings.append(Finding(severity, where or self.name, text))


def check(request: DataRequest[NowcastingSettings]) -> DataReport:
    """See `Task.check`: counts, gaps, rain, broken, doubled, frozen and striped fields, and what training would see.

    Raises:
        DataError: there are no files at all.
    """
    folders = _read(request)
    for folder in folders:
        folder.fields.sort(key=lambda one: one.about.valid)
        for look in (_mixtures, _doubles, _frozen, _coverage, _values):
            look(folder)
        _times_and_pixels(folder, request.settings)
    windows = windows_section([one for folder in folders for one in folder.fields], request.root, request.settings)
    findings = [finding for folder in folders for finding in folder.findings]
    fields, files = sum(len(folder.fields) for folder in folders), sum(folder.files for folder in folders)
    broken = sum(folder.broken for folder in folders)
    return DataReport(
        title=f"Radar data in {request.root}",
        summary=f"Folders: {len(folders)}. Files: {files}, of which {broken} cannot be read. Fields: {fields}.",
        sections=[
            Section("Files and times", "", [_time_table(folders)]),
            Section("Fields", "", [_kind_table(folders)]),
            Section(
                "Rain",
                "Shares are of the pixels that are there, over all fields, at the files' own pixels.",
                [_rain_table(folders)],
            ),
            windows.section,
        ],
        findings=[*findings, *windows.findings],
    )


def _read(request: DataRequest[NowcastingSettings]) -> list[Folder]:
    data = request.settings.data
    files = find_files(request.root)
    progress = request.progress or NoProgress()
    folders: dict[Path, Folder] = {}
    progress.begin("checking files", len(files))
    try:
        for done, path in enumerate(files):
            folder = folders.setdefault(path.parent, Folder(event_name(path.parent, request.root)))
            folder.files += 1
            try:
                folder.fields += [facts_of(frame, data.z_r) for frame in iterate_frames(path, data.files)]
                folder.formats.setdefault(format_name(path), path)
            except SemicoupledError as error:
                folder.broken += 1
                folder.add("problem", str(error).removeprefix(f"{path}: "), str(path))
            progress.update(done + 1)
    finally:
        progress.end()
    return list(folders.values())


def _mixtures(folder: Folder) -> None:
    """Name the first field that does not belong to the others, and how many do not."""
    odd: list[str] = []
    for one in folder.fields[1:]:
        try:
            refuse_mixture(one.about, folder.fields[0].about)
        except DataError as error:
            odd.append(str(error))
    if odd:
        more = f" So are {len(odd) - 1} more" if len(odd) > 1 else ""
        folder.add("problem", f"{odd[0]}.{more}")
    if len(folder.formats) > 1:
        shown = ", ".join(f"{name} ({path.name})" for name, path in folder.formats.items())
        folder.add("warning", f"files of several formats: {shown}; expected one. Put them into folders of their own")


def _doubles(folder: Folder) -> None:
    for valid, group in groupby(folder.fields, key=lambda one: one.about.valid):
        same = list(group)
        if len(same) > 1:
            names = ", ".join(one.about.source.name for one in same[:_SEVERAL])
            what = "equal" if len({one.digest for one in same}) == 1 else "different"
            folder.add(
                "problem",
                f"{len(same)} {what} fields are valid at {valid:%Y-%m-%d %H:%M} UTC: {names}; expected one. Leave out "
                "the others, or put different products into folders of their own",
            )


def _frozen(folder: Folder) -> None:
    """Find fields that repeat the one before although it rains."""
    runs: list[list[FieldFacts]] = [[]]
    for one, two in pairwise(folder.fields):
        if one.digest == two.digest and two.wet and one.about.valid != two.about.valid:
            runs[-1].append(two)
        elif runs[-1]:
            runs.append([])
    for run in filter(None, runs):
        folder.add(
            "warning",
            f"{len(run)} fields from {run[0].about.valid:%Y-%m-%d %H:%M} UTC repeat the one before, pixel by "
            "pixel, although "
            f"it rains ({run[0].about.source.name}). The radar or the transmission stood still: leave them out",
        )


def _coverage(folder: Folder) -> None:
    empty = [one for one in folder.fields if one.missing == 1]
    if empty:
        folder.add("warning", f"{len(empty)} fields hold nothing but missing pixels, {_list(empty)}. Leave them out")
    seen = [one for one in folder.fields if one.missing < 1]
    if not seen:
        return
    usual = float(np.median([one.missing for one in seen]))
    fewer = [one for one in seen if one.missing > usual + _LESS_SEEN]
    if fewer:
        folder.add(
            "warning",
            f"{len(fewer)} fields miss {max(one.missing for one in fewer):.0%} of their pixels at worst, where "
            f"{usual:.0%} are usual, {_list(fewer)}. A radar was off",
        )
    if not any(one.wet for one in seen):
        folder.add("note", f"no pixel reaches {RAIN_DBZ[0]:g} dBZ: dry. Scores of rain are undefined here")


def _values(folder: Folder) -> None:
    beyond = [one for one in folder.fields if one.beyond]
    if beyond:
        folder.add(
            "warning",
            f"{len(beyond)} fields have {max(one.beyond for one in beyond)} pixels at most that no rain has "
            "(above 80 dBZ or "
            f"500 mm/h, or negative rain), {_list(beyond)}. Look for another scale or unit than the file says",
        )
    striped = [one for one in folder.fields if one.stripes]
    if striped:
        folder.add(
            "warning",
            f"{len(striped)} fields have lines of echo or of nothing across them "
            f"({', '.join(striped[0].stripes[:_SEVERAL])}), "
            f"{_list(striped)}. Look at a picture",
        )
    if any(one.about.product.startswith("MeteoSwiss") and one.about.quantity == "dBZ" for one in folder.fields):
        folder.add(
            "note",
            "MeteoSwiss's scale is read as dBZ = (PV - 71.5) / 2, but the files call themselves sums over 5 "
            "minutes, and "
            "pysteps reads them so, about 14 dB brighter. --data.files.quantity mm does the same",
        )


def _times_and_pixels(folder: Folder, settings: NowcastingSettings) -> None:
    if not folder.fields:
        return
    data, first = settings.data, folder.fields[0].about
    times = sorted({one.about.valid for one in folder.fields})
    for attempt in (
        _gaps(folder, lambda: make_timeline(folder.name, times, data.step_minutes, first.interval).gaps),
        lambda: factor_for(first.grid, data.kilometers, folder.name),
    ):
        try:
            attempt()
        except DataError as error:
            folder.add("problem", str(error).removeprefix(f"{folder.name}: "))
    across, along = first.grid.sides
    if max(across, along) > 1.1 * min(across, along):
        folder.add(
            "warning",
            f"pixels of {across:.3g} x {along:.3g} km; expected squares. Motion is learned as if they were: bring "
            "the fields "
            "onto a projection first",
        )


def _gaps(folder: Folder, find: Callable[[], Sequence[object]]) -> Callable[[], None]:
    def note() -> None:
        found = find()
        folder.gaps = len(found)
        for gap in found:
            folder.add(
                "warning", f"gap: {str(gap).removeprefix(f'{folder.name}: ')}. Never bridged: sequences end there"
            )

    return note


def _list(fields: Sequence[FieldFacts]) -> str:
    names = ", ".join(one.about.source.name for one in fields[:_SEVERAL])
    return f"{names}{', ...' if len(fields) > _SEVERAL else ''}"


def _time_table(folders: Sequence[Folder]) -> Table:
    lines: list[list[Cell]] = []
    for folder in folders:
        line: list[Cell] = [folder.name, folder.files, len(folder.fields), folder.broken]
        if folder.fields:
            times = sorted({one.about.valid for one in folder.fields})
            step = minutes(usual_step(times)) if len(times) > 1 else None
            line += [f"{times[0]:%Y-%m-%d %H:%M}", f"{times[-1]:%Y-%m-%d %H:%M}", step, folder.gaps]
        else:
            line += [None] * 4
        lines.append(line)
    return Table(("folder", "files", "fields", "broken", "first (UTC)", "last (UTC)", "step, min", "gaps"), lines)


def _kind_table(folders: Sequence[Folder]) -> Table:
    """List what folders hold, those that hold the same in one line."""
    kinds: dict[tuple[Cell, ...], list[str]] = {}
    for folder in filter(lambda folder: folder.fields, folders):
        first = folder.fields[0].about
        kind = (", ".join(folder.formats), first.product, quantity_text(first), *grid_cells(first.grid))
        kinds.setdefault(kind, []).append(folder.name)
    lines = [
        [names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more", *kind]
        for kind, names in kinds.items()
    ]
    return Table(("folder", "format", "product", "quantity", "size", "pixel, km", "projection"), lines)


def _rain_table(folders: Sequence[Folder]) -> Table:
    lines: list[list[Cell]] = []
    for folder in filter(lambda folder: folder.fields, folders):
        seen = [one for one in folder.fields if one.missing < 1]
        shares = np.mean([one.rain for one in seen], axis=0) if seen else np.full(len(RAIN_DBZ), np.nan)
        wettest = max(seen, key=lambda one: one.rain[1]) if seen else None
        lines.append(
            [
                folder.name,
                percent(float(np.mean([one.missing for one in folder.fields]))),
                *(percent(float(share)) for share in shares),
                f"{max(one.highest for one in seen):.1f}" if seen else None,
                f"{wettest.about.valid:%Y-%m-%d %H:%M}" if wettest is not None and wettest.wet else None,
            ]
        )
    heads = [f"{threshold:g} dBZ and more" for threshold in RAIN_DBZ]
    return Table(("folder", "missing", *heads, "highest, dBZ", "wettest field (UTC)"), lines)


def quantity_text(about: About) -> str:
    """Write what a field measures."""
    return about.quantity if about.interval is None else f"{about.quantity} in {minutes(about.interval)} min"


def grid_cells(grid: Grid) -> tuple[str, str, str]:
    """Write a grid's size, the size of its pixels in km, and its projection."""
    return f"{grid.rows} x {grid.columns}", f"{grid.kilometers:.3g}", grid.projection


def percent(share: float) -> str:
    """Write a share."""
    return "–" if np.isnan(share) else f"{100 * share:.3g} %"
