"""What a training with some settings would see of some drives: runs, frames and clips on each side."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.data_report import Finding
from semicoupled.errors import DataError, SemicoupledError
from semicoupled.report import Cell, Section, Table
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.reading import cut_at_gaps
from semicoupled.tasks.driving.images import step_of
from semicoupled.tasks.driving.settings import DrivingSettings
from semicoupled.tasks.driving.splitting import split_runs


def training_section(
    drives: Sequence[Drive], request: DataRequest[DrivingSettings], findings: list[Finding]
) -> Section:
    """Count the runs, frames and clips to learn from, to validate on and to test on.

    Args:
        drives: runs.
        request: its settings say what a clip is and what is held back.
        findings: gets one more where a training would be refused.

    Raises:
        DataError: no drive can be read.
    """
    data = request.settings.data
    try:
        whole = [piece for drive in drives for piece in cut_at_gaps(drive, data.gap_seconds)]
        if not whole:
            raise DataError("no drive can be read")
        step = step_of(max(whole, key=len).times, data.rate)
        span = (data.frames - 1) * step + 1
        parted = split_runs(whole, data.validation, data.test, span)
    except SemicoupledError as error:
        text = f"training would be refused: {str(error).removeprefix(f'{request.root}: ')}"
        findings.append(Finding("warning", str(request.root), text))
        return Section("Training", "With these settings there would be nothing to learn from.")
    lines: list[list[Cell]] = []
    for name, part in zip(parted._fields, parted, strict=True):
        clips = sum(len(range(0, len(drive) - span + 1, data.stride)) for drive in part)
        lines.append([name, len({drive.run for drive in part}), sum(map(len, part)), clips])
    short = sorted({drive.run for drive in whole if len(drive) < span})
    text = f"A clip has {data.frames} frames, one of every {step} of a drive, and spans {span} of these."
    if short:
        named = ", ".join(short[:8]) + (", ..." if len(short) > 8 else "")
        text += f" Parts of these runs are shorter and left out: {named}."
    return Section("Training", text, [Table(("split", "runs", "frames", "clips"), lines)])
