"""From one format of annotations to another."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from semicoupled.data_report import DataReport, Finding
from semicoupled.errors import SettingsError
from semicoupled.report import Cell, Section, Table
from semicoupled.task_requests import ConvertRequest
from semicoupled.tasks.outline.formats.listing import FORMATS, find_format, format_of
from semicoupled.tasks.outline.formats.places import rebased


def convert(request: ConvertRequest) -> DataReport:
    """See `Task.convert`: read annotations of any format, and write them in another.

    A file ending in ``.json`` is written as COCO, if no format is named; a folder needs its format named. Names of
    images lead to them from where the new annotations lie.

    Raises:
        SettingsError: no format is named, or an unknown one.
        DataError: the annotations cannot be read, or do not fit the format.
    """
    name = request.format or ("coco" if request.out.suffix.lower() == ".json" else None)
    if name is None:
        raise SettingsError(f"{request.out}: a folder can be of several formats; add --format {'|'.join(FORMATS)}")
    target = find_format(name)
    source = format_of(request.source)
    annotations = source.read(request.source)
    is_file = name == "coco" or request.out.suffix.lower() == ".json"  # folders may have dots in their names
    folder = request.out.parent if is_file else request.out
    written = target.write(rebased(annotations, folder), request.out)
    counts = Counter(instance.label for _, instance in annotations.instances)
    lines: list[list[Cell]] = [[label, counts[label]] for label in dict.fromkeys([*annotations.labels, *counts])]
    findings = [
        Finding("warning", str(request.source), note.removeprefix(f"{request.source}: ")) for note in annotations.notes
    ]
    findings += [Finding("note", str(request.out), text) for text in _losses(name, annotations.labels, set(counts))]
    return DataReport(
        title=f"{source.NAME} to {target.NAME}",
        summary=f"{len(annotations.pictures)} images with {sum(counts.values())} objects, written to {len(written)} "
        f"{'file' if len(written) == 1 else 'files'} ({_shown(written)}).",
        sections=[Section("Objects", "", [Table(("label", "objects"), lines)])],
        findings=findings,
    )


def _losses(name: str, labels: tuple[str, ...], used: set[str]) -> list[str]:
    """What a format has no place for."""
    if name == "masks":
        return [
            "masks hold whole pixels: outlines become those of their pixels, and what lies outside of the image is lost"
        ]
    unused = [label for label in labels if label not in used]
    if unused and name in ("labelme", "cityscapes"):
        return [f"{name} has no list of labels: those without an object are lost ({', '.join(unused)})"]
    return []


def _shown(files: list[Path]) -> str:
    return f"{files[0]}, ..." if len(files) > 1 else str(files[0]) if files else "none"
