"""`semicoupled data check outline`: every image is read, every outline looked at, all that is wrong is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from semicoupled.data_report import DataReport, Finding, Severity
from semicoupled.errors import SemicoupledError
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.outline.checking.describe import Found, read_found, report_on
from semicoupled.tasks.outline.formats.records import Instance, Picture
from semicoupled.tasks.outline.geometry.crossing import crosses_itself
from semicoupled.tasks.outline.images import read_image, read_size
from semicoupled.tasks.outline.settings import OutlineSettings
from semicoupled.training.progress import NoProgress

SHOWN = 3
"""Places that a finding names."""


def check(request: DataRequest[OutlineSettings]) -> DataReport:
    """See `Task.check`: every image is read and every outline looked at.

    Raises:
        DataError: there are no annotations at all.
    """
    findings: list[Finding] = []
    found = read_found(request.root, findings)
    for one in found:
        _images(one, request, findings)
        _outlines(one, findings)
    _shared(found, request, findings)
    report = report_on(found, request, "Every image was read.")
    return DataReport(report.title, report.summary, report.sections, [*findings, *report.findings])


def _images(found: Found, request: DataRequest[OutlineSettings], findings: list[Finding]) -> None:
    """Find images that are missing, broken, or of another size than the annotations say."""
    folder = _folder(found, request)
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


def _folder(found: Found, request: DataRequest[OutlineSettings]) -> Path:
    """Give the folder that names of images are relative to."""
    images = request.settings.data.images
    return found.annotations.folder if images is None else Path(images)


def _shared(found: Sequence[Found], request: DataRequest[OutlineSettings], findings: list[Finding]) -> None:
    """Find images on both sides."""
    files = [
        {(_folder(one, request) / picture.file).resolve() for picture in one.annotations.pictures} for one in found
    ]
    if len(files) == 2 and files[0] & files[1]:
        both = sorted(path.name for path in files[0] & files[1])
        text = f"{len(both)} images are both learned from and validated on: {_list(both)}. Scores would flatter"
        findings.append(Finding("problem", str(found[1].path), text))


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


def _list(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return ", ".join(unique[:SHOWN]) + (", ..." if len(unique) > SHOWN else "")
