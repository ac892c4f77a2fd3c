"""Writes made pictures and their outlines as a folder to train on."""

from __future__ import annotations

from collections import Counter

from PIL import Image

from semicoupled.data_report import DataReport
from semicoupled.files import replacing_folder
from semicoupled.report import Cell, Section, Table
from semicoupled.task_requests import MakeRequest
from semicoupled.tasks.outline.formats import coco
from semicoupled.tasks.outline.formats.records import Annotations, Instance, Part, Picture
from semicoupled.tasks.outline.made.pictures import LABELS, draw_scene
from semicoupled.training.progress import NoProgress

PARTS = ("train", "val", "test")
COUNT = 1200
"""Pictures to learn from, if nothing is said."""
_QUALITY = 92


def make(request: MakeRequest) -> DataReport:
    """See `Task.make`: a COCO file for each part (``train.json``, ``val.json``, ``test.json``) and its JPEG images."""
    request.check()
    count = request.count or COUNT
    others = max(1, count // 10)
    counts = dict(zip(PARTS, (count, others, others), strict=True))
    progress = request.progress or NoProgress()
    found: dict[str, Counter[str]] = {}
    progress.begin("drawing pictures", sum(counts.values()))
    try:
        with replacing_folder(request.out) as folder:
            done = 0
            for number, (part, pictures) in enumerate(counts.items()):
                (folder / part).mkdir()
                records: list[Picture] = []
                for index in range(pictures):
                    scene = draw_scene(request.seed, number, index)
                    name = f"{part}/{index:05d}.jpg"
                    Image.fromarray(scene.image).save(folder / name, quality=_QUALITY)
                    things = tuple(Instance(label, (Part(outline.round(2)),)) for label, outline in scene.objects)
                    height, width = scene.image.shape[:2]
                    records.append(Picture(name, width, height, things))
                    done += 1
                    progress.update(done)
                coco.write(Annotations(folder, tuple(records), LABELS), folder / f"{part}.json")
                found[part] = Counter(thing.label for record in records for thing in record.instances)
    finally:
        progress.end()
    lines: list[list[Cell]] = [[label, *(found[part][label] for part in PARTS)] for label in LABELS]
    objects = sum(sum(each.values()) for each in found.values())
    parts = ", ".join(f"{size} in {part}.json" for part, size in counts.items())
    return DataReport(
        title="Made outlines",
        summary=f"{sum(counts.values())} pictures with {objects} objects, seed {request.seed}, written to "
        f"{request.out}: {parts}.",
        sections=[Section("Objects", "", [Table(("label", *PARTS), lines)])],
    )
