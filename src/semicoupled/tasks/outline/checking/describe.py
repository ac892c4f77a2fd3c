"""`semicoupled data describe outline`: what annotations hold, from the annotations alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semicoupled.data_report import DataReport, Finding
from semicoupled.report import Cell, Section, Table
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.outline.data import OutlineData, sources_of
from semicoupled.tasks.outline.formats.listing import TRAINING_WORDS, VALIDATION_WORDS, format_of, split_of
from semicoupled.tasks.outline.formats.records import Annotations
from semicoupled.tasks.outline.scores.evaluation import CEILING, judged_shapes, usable
from semicoupled.tasks.outline.settings import OutlineSettings


class Found(NamedTuple):
    """One file or folder of annotations.

    Attributes:
        path: its place.
        kind: its format.
        annotations: what it holds.
    """

    path: Path
    kind: str
    annotations: Annotations


def describe(request: DataRequest[OutlineSettings]) -> DataReport:
    """See `Task.describe`: labels, sizes and the grid's ceiling, from the annotations alone.

    Raises:
        DataError: there are no annotations at all.
    """
    findings: list[Finding] = []
    found = read_found(request.root, findings)
    report = report_on(found, request, "Images were not read; `semicoupled data check` reads all.")
    return DataReport(report.title, report.summary, report.sections, [*findings, *report.findings])


def read_found(root: Path, findings: list[Finding]) -> list[Found]:
    """Read the parts of a root, or the root itself.

    Args:
        root: of the annotations.
        findings: takes what readers note.

    Raises:
        DataError: there are no annotations at all.
    """
    parts = [
        path for path in (split_of(root, words) for words in (TRAINING_WORDS, VALIDATION_WORDS)) if path is not None
    ]
    found: list[Found] = []
    for path in parts or [root]:
        kind = format_of(path)
        annotations = kind.read(path)
        found.append(Found(path, kind.NAME, annotations))
        findings += [Finding("warning", str(path), note.removeprefix(f"{path}: ")) for note in annotations.notes]
    return found


def report_on(found: Sequence[Found], request: DataRequest[OutlineSettings], read: str) -> DataReport:
    """Report on annotations: labels, sizes, the grid's ceiling, and what is not learned from.

    Args:
        found: the annotations.
        request: what was asked for.
        read: a sentence on the images.
    """
    data = request.settings.data
    lines: list[list[Cell]] = []
    findings: list[Finding] = []
    for one in found:
        sources = sources_of(one.annotations, None, data.labels)
        dataset = OutlineData(sources, data, training=False)
        left = len(sources) - len(dataset)
        if left:
            text = f"{left} of {len(sources)} objects are crowds, below {data.least_area:g} px, or thinner than a cell"
            findings.append(Finding("note", str(one.path), f"{text}; they are not learned from"))
        for label in sorted({source.instance.label for source in sources}):
            own = usable([source for source in sources if source.instance.label == label], None)
            judged = judged_shapes(own, data)[CEILING]
            boxes = [source.instance.box for source in own]
            points = [len(part.outline) for source in own for part in source.instance.parts]
            lines.append(
                [
                    one.path.name,
                    label,
                    len(own),
                    len({source.file for source in own}),
                    _median(len_ for len_ in points),
                    _median(box.width for box in boxes),
                    _median(box.height for box in boxes),
                    _median(float(shape.points) for shape in judged),
                    float(np.nanmean([shape.score.overlap.iou for shape in judged])) if judged else None,
                ]
            )
    heads = (
        "file",
        "label",
        "objects",
        "images",
        "points",
        "width, px",
        "height, px",
        "points on the grid",
        "grid ceiling",
    )
    pictures = sum(len(one.annotations.pictures) for one in found)
    return DataReport(
        title=f"Outlines in {request.root}",
        summary=f"{pictures} images with {sum(int(line[2] or 0) for line in lines)} objects, format "
        f"{', '.join(dict.fromkeys(one.kind for one in found))}. {read}",
        sections=[
            Section(
                "Objects",
                f"Points and sides are medians. The ceiling is the mean IoU of outlines drawn at best on {data.grid} x "
                f"{data.grid} cells of a crop ({data.crop}), corners moved by up to {data.tolerance:g} cells to save "
                "points.",
                [Table(heads, lines)],
            )
        ],
        findings=findings,
    )


def _median(values: Iterable[float]) -> float | None:
    numbers = list(values)
    return float(np.median(numbers)) if numbers else None
