"""Writes made clips as a folder to train on; see `study.made` for what they show."""

from __future__ import annotations

from dataclasses import replace

from semicoupled.data_report import DataReport
from semicoupled.files import replacing_folder
from semicoupled.report import Cell, Section, Table
from semicoupled.task_requests import MakeRequest
from semicoupled.tasks.action.study.made import CLASSES, LOOKS, Counts, write_clips

COUNT = 720
"""Clips to learn from, if nothing is said."""
MADE = replace(LOOKS, frames=12)
"""Longer than the study's: a model that is asked frame by frame goes on for longer."""
_TEST = 3
"""A test has so many times the clips of a validation: a class has few."""


def make(request: MakeRequest) -> DataReport:
    """See `Task.make`: ``train``, ``val`` and ``test``, each a folder of classes, each clip a folder of frames.

    The count is shared out among the classes; each has at least one clip in every part.
    """
    request.check()
    each = max(1, (request.count or COUNT) // len(CLASSES))
    held = max(1, each // 10)
    counts = Counts(each, held, held * _TEST)
    if request.progress is not None:
        request.progress.begin("drawing clips")
    try:
        with replacing_folder(request.out) as folder:
            write_clips(folder, counts, MADE, family=request.seed)
    finally:
        if request.progress is not None:
            request.progress.end()
    lines: list[list[Cell]] = [[name, *counts] for name in CLASSES]
    return DataReport(
        title="Made clips",
        summary=f"{sum(counts) * len(CLASSES)} clips of {MADE.frames} frames of {MADE.size} x {MADE.size} px, seed "
        f"{request.seed}, written to {request.out}.",
        sections=[Section("Clips", "", [Table(("class", "train", "val", "test"), lines)])],
    )
