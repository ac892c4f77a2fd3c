"""`semicoupled data describe driving`: what a folder holds, in one table, from a frame or two of each run."""

from __future__ import annotations

import numpy as np

from semicoupled.data_report import DataReport, Finding
from semicoupled.errors import DataError, SemicoupledError
from semicoupled.report import Cell, Section, Table
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.finding import find_drives
from semicoupled.tasks.driving.formats.reading import make_label, read_found
from semicoupled.tasks.driving.settings import DrivingSettings

COLUMNS = ("run", "frames", "seconds", "Hz", "size", "unit", "smallest", "largest", "no angle", "speed", "road")


def describe(request: DataRequest[DrivingSettings]) -> DataReport:
    """See `Task.describe`.

    Raises:
        DataError: there are no drives at all, or drives of several formats.
    """
    found = find_drives(request.root)
    lines: list[list[Cell]] = []
    findings: list[Finding] = []
    total = 0
    for each in found:
        try:
            drives = read_found(each, request.settings.data)
        except SemicoupledError as error:
            text = str(error).removeprefix(f"{each.path}: ")
            findings.append(Finding("problem", str(each.path), text))
            continue
        for drive in drives:
            total += len(drive)
            lines.append(_line(make_label(drive, request.settings.data), findings))
    return DataReport(
        title=f"Drives in {request.root}",
        summary=f"Format: {found[0].format.NAME}. Runs: {len(lines)}. Frames: {total}. One picture of each run was "
        "decoded; `semicoupled data check` decodes all.",
        sections=[Section("What it is", "Angles are positive to the right.", [Table(COLUMNS, lines)])],
        findings=findings,
    )


def _line(drive: Drive, findings: list[Finding]) -> list[Cell]:
    try:
        height, width = drive.frames.read(0).shape[:2]
        size = f"{width} x {height}"
    except DataError as error:
        findings.append(Finding("problem", drive.name, str(error)))
        size = None
    steps = np.diff(drive.times)
    usual = float(np.median(steps)) if len(steps) else 0.0
    known = drive.angles[np.isfinite(drive.angles)]
    return [
        drive.name,
        len(drive),
        f"{drive.times[-1] - drive.times[0]:.1f}",
        f"{1 / usual:.3g}" if usual > 0 else None,
        size,
        drive.unit,
        float(known.min()) if len(known) else None,
        float(known.max()) if len(known) else None,
        len(drive) - len(known),
        "yes" if drive.speeds is not None else "no",
        "yes" if drive.roads is not None else "no",
    ]
