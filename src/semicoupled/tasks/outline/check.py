"""`semicoupled data check outline` and `data describe outline`: what annotations hold, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semicoupled.data_report import DataReport, Finding, Severity
from semicoupled.errors import SemicoupledError
from semicoupled.report import Cell, Section, Table
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.outline.data import OutlineData, sources_of
from semicoupled.tasks.outline.formats.listing import TRAINING_WORDS, VALIDATION_WORDS, format_of, split_of
from semicoupled.tasks.outline.formats.records import Annotations, Instance, Picture
from semicoupled.tasks.outline.geometry.crossing import crosses_itself
from semicoupled.tasks.outline.images import read_image, read_size
from semicoupled.tasks.outline.scores.evaluation import CEILING, judged_shapes, usable
from semicoupled.tasks.outline.settings import OutlineSettings
from semicoupled.training.progress import NoProgress

SHOWN = 3
"""Places that a finding names."""


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


def check(request: DataRequest[OutlineSettings]) -> DataReport:
    """See `Task.check`: every image is read and every outline looked at.

    Raises:
        DataError: there are no annotations at all.
    """
    findings: list[Finding] = []
    found = _read(request.root, findings)
    for one in found:
        _images(one, request, findings)
        _outlines(one, findings)
    _shared(found, findings)
    report = _report(found, request, "Every image was read.")
    return DataReport(report.title, report.summary, report.sections, [*findings, *report.findings])


def describe(request: DataRequest[OutlineSettings]) -> DataReport:
    """See `Task.describe`: labels, sizes and the grid's ceiling, from the annotations alone.

    Raises:
        DataError: there are no annotations at all.
    """
    findings: list[Finding] = []
    found = _read(request.root, findings)
    report = _report(found, request, "Images were not read; `semicoupled data check` reads all.")
    return DataReport(report.title, report.summary, report.sections, [*findings, *report.findings])


def _read(root: Path, findings: list[Finding]) -> list[Found]:
    """Read the parts of a root, or the root itself."""
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


def _images(found: Found, request: DataRequest[OutlineSettings], findings: list[Finding]) -> None:
    """Find images that are missing, broken, or of another size than the annotations say."""
    images = request.settings.data.images
    folder = found.annotations.folder if images is None else Path(images)
    progress = request.progress or NoProgress()
    progress.begin(f"checking images of {found.path.name}", len(found.annotations.pictures))
    try:
        for done, picture in enumerate(found.annotations.pictures):
            file = folder / picture.file
            try:
                size = read_size(file)
                _ = read_image(file)
                if size != (picture.width, picture.height):
                    text = (
                        f"is {size.width} x {size.height} px; its annotations say {picture.width} x {picture.height}. "
                        "Outlines would lie elsewhere: was it resized, or turned by its EXIF data?"
                    )
                    findings.append(Finding("problem", str(file), text))
            except SemicoupledError as error:
                findings.append(Finding("problem", str(file), str(error).removeprefix(f"{file}: ")))
            progress.update(done + 1)
    finally:
        progress.end()


def _outlines(found: Found, findings: list[Finding]) -> None:
    """Look at every outline."""
    looks: Sequence[tuple[Severity, str, Callable[[Picture, Instance], bool]]] = (
        ("warning", "outlines cross themselves; what lies inside is then decided by the even-odd rule", _crosses),
        ("note", "objects have points outside of their image", _outside),
        ("note", "objects have several parts; the largest alone is learned from, scores count all", _parted),
        ("note", "objects have holes, which one outline cannot draw", _holed),
        ("note", "are crowds, which are neither learned from nor scored", lambda picture, instance: instance.crowd),
    )
    for severity, text, look in looks:
        hits = [picture.file for picture, instance in found.annotations.instances if look(picture, instance)]
        if hits:
            findings.append(Finding(severity, str(found.path), f"{len(hits)} {text}: {_list(hits)}"))
    doubles = [
        picture.file
        for picture in found.annotations.pictures
        if any(count > 1 for count in Counter(_key(instance) for instance in picture.instances).values())
    ]
    if doubles:
        text = f"{len(doubles)} images hold the same object twice: {_list(doubles)}. Drop one of them"
        findings.append(Finding("warning", str(found.path), text))
    empty = [picture.file for picture in found.annotations.pictures if not picture.instances]
    if empty:
        findings.append(Finding("note", str(found.path), f"{len(empty)} images hold no object: {_list(empty)}"))


def _shared(found: Sequence[Found], findings: list[Finding]) -> None:
    """Find images on both sides."""
    files = [
        {(one.annotations.folder / picture.file).resolve() for picture in one.annotations.pictures} for one in found
    ]
    if len(files) == 2 and files[0] & files[1]:
        both = sorted(path.name for path in files[0] & files[1])
        text = f"{len(both)} images are both learned from and validated on: {_list(both)}. Scores would flatter"
        findings.append(Finding("problem", str(found[1].path), text))


def _report(found: Sequence[Found], request: DataRequest[OutlineSettings], read: str) -> DataReport:
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


def _crosses(picture: Picture, instance: Instance) -> bool:
    del picture
    return any(crosses_itself(part.outline) for part in instance.parts)


def _outside(picture: Picture, instance: Instance) -> bool:
    points = np.concatenate([part.outline for part in instance.parts])
    return bool((points < 0).any() or (points > (picture.width, picture.height)).any())


def _parted(picture: Picture, instance: Instance) -> bool:
    del picture
    return len(instance.parts) > 1


def _holed(picture: Picture, instance: Instance) -> bool:
    del picture
    return any(part.holes for part in instance.parts)


def _key(instance: Instance) -> tuple[object, ...]:
    return (instance.label, *(polygon.tobytes() for polygon in instance.polygons))


def _median(values: Iterable[float]) -> float | None:
    numbers = list(values)
    return float(np.median(numbers)) if numbers else None


def _list(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return ", ".join(unique[:SHOWN]) + (", ..." if len(unique) > SHOWN else "")
