"""`semicoupled data describe nowcasting`: what a folder holds, in one table, from a few of its files."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from semicoupled.data_report import DataReport, Finding
from semicoupled.errors import SemicoupledError
from semicoupled.report import Cell, Section, Table
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.nowcasting.files.check import grid_cells, quantity_text
from semicoupled.tasks.nowcasting.files.listing import find_files
from semicoupled.tasks.nowcasting.files.reading import format_name, iterate_frames
from semicoupled.tasks.nowcasting.files.sequences import About, event_name
from semicoupled.tasks.nowcasting.files.timeline import minutes
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.settings import NowcastingSettings

COLUMNS = (
    "folder", "files", "format", "product", "quantity", "first (UTC)", "last (UTC)", "step, min", "size", "pixel, km",
    "projection", "longitude", "latitude",
)  # fmt: skip


def describe(request: DataRequest[NowcastingSettings]) -> DataReport:
    """See `Task.describe`.

    Raises:
        DataError: there are no files at all.
    """
    files = find_files(request.root)
    lines: list[list[Cell]] = []
    findings: list[Finding] = []
    folders: dict[Path, list[Path]] = {}
    for path in files:  # those of a folder may stand before and behind those of a folder in it
        folders.setdefault(path.parent, []).append(path)
    for parent, inside in folders.items():
        line: list[Cell] = [event_name(parent, request.root), len(inside)]
        # names sort by time in every archive that was met; the second file gives the step
        looked = dict.fromkeys([inside[0], inside[min(1, len(inside) - 1)], inside[-1]])
        known = _known(list(looked), request.settings, findings)
        lines.append([*line, *(_cells(known) if known else [None] * (len(COLUMNS) - len(line)))])
    return DataReport(
        title=f"Radar data in {request.root}",
        summary=f"Folders: {len(lines)}. Files: {len(files)}. Read from the first two and the last of each folder; "
        "`semicoupled data check` reads all.",
        sections=[Section("What it is", "", [Table(COLUMNS, lines)])],
        findings=findings,
    )


def _known(files: Sequence[Path], settings: NowcastingSettings, findings: list[Finding]) -> list[tuple[str, About]]:
    found: list[tuple[str, About]] = []
    for path in files:
        try:
            name = format_name(path)
            found += [(name, About.of(frame)) for frame in iterate_frames(path, settings.data.files)]
        except SemicoupledError as error:
            findings.append(Finding("problem", str(path), str(error).removeprefix(f"{path}: ")))
    return sorted(found, key=lambda pair: pair[1].valid)


def _cells(known: Sequence[tuple[str, About]]) -> list[Cell]:
    name, first = known[0]
    times = [about.valid for _, about in known]
    steps = [two - one for one, two in pairwise(times) if two > one]
    longitude, latitude = _extent(first.grid)
    return [
        name,
        first.product,
        quantity_text(first),
        f"{times[0]:%Y-%m-%d %H:%M}",
        f"{times[-1]:%Y-%m-%d %H:%M}",
        minutes(steps[0]) if steps else None,
        *grid_cells(first.grid),
        longitude,
        latitude,
    ]


def _extent(grid: Grid) -> tuple[str, str]:
    rows, columns = np.meshgrid(np.linspace(-0.5, grid.rows - 0.5, 9), np.linspace(-0.5, grid.columns - 0.5, 9))
    west_east, south_north = (values[np.isfinite(values)] for values in grid.lon_lat(columns, rows))
    if not len(west_east):
        return "unknown", "unknown"
    return (
        f"{west_east.min():.1f} to {west_east.max():.1f}",
        f"{south_north.min():.1f} to {south_north.max():.1f}",
    )
