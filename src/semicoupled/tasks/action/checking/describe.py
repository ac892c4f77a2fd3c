"""`semicoupled data describe action`: what a list holds, from the list and a few of its videos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from semicoupled.data.shards import PackedFrames
from semicoupled.data.video import probe
from semicoupled.data_report import DataReport, Finding
from semicoupled.errors import DataError
from semicoupled.report import Cell, Section, Table
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.action.frames import image_files, iterate_frames
from semicoupled.tasks.action.listing.clip import Listing, VideoPlace
from semicoupled.tasks.action.listing.recognize import list_clips
from semicoupled.tasks.action.settings import ActionSettings

LOOKED = 5


def describe(request: DataRequest[ActionSettings]) -> DataReport:
    """See `Task.describe`.

    Raises:
        DataError: there are no labeled videos.
    """
    listing = list_clips(request.root, request.settings.data.split)
    findings: list[Finding] = []
    lines: list[list[Cell]] = []
    step = max(1, len(listing.clips) // LOOKED)
    for clip in listing.clips[::step][:LOOKED]:
        try:
            lines.append([clip.name, clip.label, *_looks(clip.path)])
        except DataError as error:
            findings.append(Finding("problem", str(clip.path), str(error).removeprefix(f"{clip.path}: ")))
    return DataReport(
        title=f"Videos in {request.root}",
        summary=f"{summary(listing)} From the list and {LOOKED} of its videos; `semicoupled data check` reads all.",
        sections=[
            Section("Classes", "", [class_table(listing)]),
            Section("Some of the videos", "", [Table(("video", "class", "size", "frames", "frames a second"), lines)]),
        ],
        findings=findings,
    )


def summary(listing: Listing) -> str:
    """Say in two sentences what a list holds."""
    groups = {clip.group for clip in listing.clips if clip.group is not None}
    counts = f"Clips: {len(listing.clips)}. Classes: {len(listing.classes)}. Groups: {len(groups)}."
    return f"Format: {listing.format}. {counts}"


def class_table(listing: Listing) -> Table:
    """Count clips by class and split."""
    known: Sequence[str] = [
        s for s in ("train", "validation", "test") if any(clip.split == s for clip in listing.clips)
    ]
    counts = Counter((clip.label, clip.split) for clip in listing.clips)
    groups = {
        name: {clip.group for clip in listing.clips if clip.label == name and clip.group} for name in listing.classes
    }
    totals = Counter(clip.label for clip in listing.clips)
    lines = [
        [name, totals[name], len(groups[name]), *(counts[name, split] for split in known)] for name in listing.classes
    ]
    return Table(("class", "clips", "groups", *known), lines)


def _looks(path: VideoPlace) -> list[Cell]:
    if isinstance(path, PackedFrames) or (isinstance(path, Path) and path.is_dir()):
        files = path.files if isinstance(path, PackedFrames) else image_files(path)
        image = next(iterate_frames(path)).image
        return [f"{image.shape[1]} x {image.shape[0]}", len(files), None]
    info = probe(path)
    return [f"{info.width} x {info.height}", info.frames, info.rate]
