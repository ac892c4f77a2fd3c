"""Annotations of outlines from files into the page, and from the page into files; in the worker."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from semicoupled.description import Json
from semicoupled.errors import DataError
from semicoupled.serving.known_images import KnownImages
from semicoupled.serving.outline_document import Corner, Piece, Thing
from semicoupled.serving.outline_options import ReadOptions, WriteOptions
from semicoupled.serving.work import JobRequest, Result, Work
from semicoupled.tasks.outline.crops import box_of
from semicoupled.tasks.outline.formats.jsonfile import read_json
from semicoupled.tasks.outline.formats.listing import find_format, format_of
from semicoupled.tasks.outline.formats.records import Annotations, Instance, Part, Picture

_EXPECTED = "annotations as COCO, labelme or Cityscapes write them"
_LARGEST = 64 * 2**20


def read(work: Work, request: JobRequest) -> Result:
    """Read annotations of images that are known, by their names.

    The files are read where no name in them can lead to another file.

    Raises:
        DataError: an image has another size there.
    """
    known = KnownImages(cast(ReadOptions, request.options).images)
    things: dict[int, list[Json]] = {}
    strangers = 0
    notes: list[str] = []
    labels: dict[str, None] = {}
    for number, path in enumerate(request.source.files):
        work.progress(number / len(request.source.files), f"reading {path.name}")
        found = _read(path, known)
        labels.update(dict.fromkeys(found.labels))
        notes += [note.rpartition("/")[2] for note in found.notes[:20]]
        for picture in found.pictures:
            image = known.find(picture.file)
            if image is None:
                strangers += 1
                continue
            width, height = known.sizes[image]
            if (width, height) != (picture.width, picture.height):
                raise DataError(
                    f"{path}: {picture.file} is {picture.width} x {picture.height} px there; expected "
                    f"{width} x {height}, the size of the image"
                )
            things.setdefault(image, []).extend(thing_of(one).json() for one in picture.instances if not one.crowd)
    document: dict[str, Json] = {"things": {str(image): list(each) for image, each in things.items()}}
    return Result({**document, "strangers": strangers, "notes": list(notes[:50]), "labels": list(labels)})


def thing_of(instance: Instance) -> Thing:
    """Make an object of an instance; its points are where the file has them."""
    pieces: list[Piece] = []
    for part in instance.parts:
        chances = part.confidence if len(part.confidence) == len(part.outline) else (1.0,) * len(part.outline)
        corners = tuple(
            Corner(float(x), float(y), chance, given=True)
            for (x, y), chance in zip(part.outline.tolist(), chances, strict=True)
        )
        holes = tuple(tuple((float(x), float(y)) for x, y in hole.tolist()) for hole in part.holes)
        x, y, width, height = box_of(part.outline)
        pieces.append(Piece((x, y, width, height), corners, None, True, holes))
    return Thing(0, instance.label, tuple(pieces))


def write(work: Work, request: JobRequest) -> Result:
    """Write what was drawn; several files come as one zip."""
    options = cast(WriteOptions, request.options)
    target = find_format(options.format)
    pictures = tuple(
        Picture(name, width, height, _instances([Thing.of(one) for one in things]))
        for (name, width, height), things in zip(options.images, options.things, strict=True)
    )
    labels = dict.fromkeys(one.label for picture in pictures for one in picture.instances)
    with tempfile.TemporaryDirectory(prefix="semicoupled_export_") as made:
        folder = Path(made)
        out = folder / "outlines.json" if options.format == "coco" else folder / "outlines"
        files = target.write(Annotations(folder, pictures, tuple(labels)), out)
        work.progress(0.9, "packing")
        if options.format == "coco":
            return Result({"name": "outlines.json"}, {"outlines.json": files[0].read_bytes()})
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.relative_to(out).as_posix())
    name = f"outlines_{options.format}.zip"
    return Result({"name": name}, {name: buffer.getvalue()})


def _instances(things: Sequence[Thing]) -> tuple[Instance, ...]:
    found: list[Instance] = []
    for thing in things:
        parts = tuple(
            Part(
                np.array([(one.x, one.y) for one in piece.corners], dtype=np.float64),
                tuple(np.array(hole, dtype=np.float64) for hole in piece.holes),
                tuple(one.confidence for one in piece.corners),
            )
            for piece in thing.pieces
            if len(piece.corners) >= 3
        )
        if parts:
            found.append(Instance(thing.label, parts))
    return tuple(found)


def _read(path: Path, known: KnownImages) -> Annotations:
    """Read one file from a folder that holds nothing else."""
    if path.stat().st_size > _LARGEST:
        raise DataError(f"{path}: {path.stat().st_size} bytes; expected at most {_LARGEST}. Cut it up")
    content = read_json(path, _EXPECTED)
    if isinstance(content, dict):
        _complete(cast("dict[str, Any]", content), path, known)
    with tempfile.TemporaryDirectory(prefix="semicoupled_import_") as made:
        cityscapes = isinstance(content, dict) and "objects" in content and "imgWidth" in content
        stem = path.stem.removesuffix("_polygons")
        copy = Path(made) / (f"{stem}_polygons.json" if cityscapes else path.with_suffix(".json").name)
        copy.write_text(json.dumps(content), encoding="utf-8")
        try:
            return format_of(copy).read(copy)
        except DataError as error:
            raise DataError(str(error).replace(str(copy), str(path))) from error


def _complete(content: dict[str, Any], path: Path, known: KnownImages) -> None:
    """Say how large the image is where a labelme file leaves it to the image."""
    if "shapes" not in content:
        return
    content["imageData"] = None
    if isinstance(content.get("imageWidth"), int) and isinstance(content.get("imageHeight"), int):
        return
    image = known.find(str(content.get("imagePath", "")))
    if image is None:
        raise DataError(f"{path}: neither says how large its image is nor names one of these images")
    content["imageWidth"], content["imageHeight"] = known.sizes[image]
