"""What training with some settings would see of some fields: windows of frames, and what would be held back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semicoupled.data_report import Finding
from semicoupled.errors import DataError
from semicoupled.report import Cell, Section, Table
from semicoupled.tasks.nowcasting.files.coarsen import factor_for
from semicoupled.tasks.nowcasting.files.field_facts import FieldFacts
from semicoupled.tasks.nowcasting.files.held_back import held_back, left_to_learn
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence, event_name
from semicoupled.tasks.nowcasting.files.timeline import make_timeline, minutes
from semicoupled.tasks.nowcasting.files.windows import list_windows, split_by_time
from semicoupled.tasks.nowcasting.settings import NowcastingSettings


class WindowsFound(NamedTuple):
    """The section of a report, and what is wrong.

    Attributes:
        section: for people.
        findings: problems, warnings and notes.
    """

    section: Section
    findings: list[Finding]


def windows_section(fields: Sequence[FieldFacts], root: Path, settings: NowcastingSettings) -> WindowsFound:
    """Count the windows to learn from and to validate on, as `read_splits` would make them.

    Args:
        fields: of all folders.
        root: the folder or pattern.
        settings: of the task.
    """
    data = settings.data
    frames = data.input_frames + data.output_frames
    needed = data.input_frames + max(data.output_frames, settings.evaluation.leads)
    findings: list[Finding] = []
    try:
        train, validation = _split(fields, root, settings, needed)
    except DataError as error:
        # a folder that is too small to train on alone may be fine to score, a wrong pattern is fine for nothing
        severity = "warning" if data.validation is None else "problem"
        train, validation = _sequences(fields, root, settings, needed), []
        findings.append(
            Finding(severity, str(root), f"training would be refused: {str(error).removeprefix(f'{root}: ')}")
        )
    steps = sorted({sequence.step for sequence in [*train, *validation]})
    if len(steps) > 1:
        findings.append(
            Finding(
                "problem",
                str(root),
                f"training would be refused: fields come every {', '.join(minutes(step) for step in steps)} minutes; "
                "expected one time step. Use one folder at a time, or set data.step_minutes to a common multiple",
            )
        )
    lines: list[list[Cell]] = []
    for part, sequences in (("train", train), ("validation", validation)):
        for event, group in groupby(sequences, key=lambda sequence: sequence.event):
            pieces = list(group)
            grid = pieces[0].grid
            lines.append(
                [
                    event,
                    part,
                    f"{grid.kilometers:.3g}",
                    f"{grid.rows} x {grid.columns}",
                    minutes(pieces[0].step),
                    len(pieces),
                    sum(len(piece) for piece in pieces),
                    len(list_windows(pieces, frames)),
                ]
            )
    columns = ("folder", "part", "pixel, km", "size", "step, min", "pieces", "frames", "windows")
    text = (
        f"With {data.input_frames} frames in and {data.output_frames} out, on pixels of "
        f"{'the files' if data.kilometers is None else f'{data.kilometers:g} km'}. Pieces shorter than {needed} "
        "frames are "
        "left out."
    )
    return WindowsFound(Section("What training would see", text, [Table(columns, lines)]), findings)


def _split(
    fields: Sequence[FieldFacts], root: Path, settings: NowcastingSettings, needed: int
) -> tuple[list[RadarSequence], list[RadarSequence]]:
    pattern = settings.data.validation
    if pattern is None:
        sequences = _sequences(fields, root, settings, needed)
        if not sequences:
            raise DataError(f"{root}: no {needed} frames without a gap; expected a window at least. Add files")
        return split_by_time(sequences, needed)
    held = held_back({one.about.source for one in fields}, root, pattern)
    parts = [[one for one in fields if (one.about.source in held) == side] for side in (False, True)]
    train, validation = (_sequences(part, root, settings, needed) for part in parts)
    for part, what in ((train, "left to learn from"), (validation, f"held back by --data.validation {pattern!r}")):
        if not part:
            raise DataError(f"{root}: no {needed} frames without a gap are {what}; expected a window at least")
    return left_to_learn(train, validation, needed, root, pattern), validation


def _sequences(
    fields: Sequence[FieldFacts], root: Path, settings: NowcastingSettings, needed: int
) -> list[RadarSequence]:
    """Make the sequences that training would read, without their pixels; folders that it would refuse are left out."""
    found: list[RadarSequence] = []
    for folder, group in groupby(fields, key=lambda one: one.about.source.parent):
        event = event_name(folder, root)
        abouts = list({one.about.valid: one.about for one in group}.values())
        first, times = abouts[0], [about.valid for about in abouts]
        try:
            line = make_timeline(event, times, settings.data.step_minutes, first.interval)
            grid = first.grid.coarsened(factor_for(first.grid, settings.data.kilometers, event))
        except DataError:
            continue  # named by the check of the folder
        found += [
            RadarSequence(
                event=event,
                times=tuple(times[index] for index in piece),
                step=line.step,
                dbz=np.empty((len(piece), 0, 0), np.float16),
                grid=grid,
                sources=tuple(abouts[index].source for index in piece),
                product=first.product,
            )
            for piece in line.pieces
            if len(piece) >= needed
        ]
    return found
