"""COCO: one JSON file for many images; polygons, or run-length encoded masks where an object has holes.

https://cocodataset.org/#format-data. Points of polygons are kept as they are, also outside of the image. An object
with a hole can be said in COCO by a mask alone: its pixels are kept, and what lies outside of the image is not.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, cast

from semicoupled.data.damage import damage_told
from semicoupled.errors import DataError
from semicoupled.files import write_text
from semicoupled.tasks.outline.formats import rle
from semicoupled.tasks.outline.formats.jsonfile import entry, read_json
from semicoupled.tasks.outline.formats.records import Annotations, Instance, Part, Picture
from semicoupled.tasks.outline.geometry.polygons import as_points, signed_area
from semicoupled.tasks.outline.geometry.raster import covered
from semicoupled.tasks.outline.geometry.trace import trace
from semicoupled.tasks.outline.geometry.window import Window

NAME = "coco"
EXPECTED = "a COCO file: a JSON object with 'images', 'annotations' and 'categories'"


def matches(path: Path) -> bool:
    """Whether a file looks like COCO: JSON with its keys near the beginning or anywhere in it."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        content = read_json(path, EXPECTED)
    except DataError:
        return False
    return isinstance(content, dict) and "images" in content and ("annotations" in content or "categories" in content)


def read(path: Path) -> Annotations:
    """Read a COCO file.

    Args:
        path: the JSON file; names of images are relative to its folder.

    Raises:
        DataError: it is no COCO file, or a part of it is missing or wrong; the place is named.
    """
    with damage_told(path, NAME):
        return _read(path)


def _read(path: Path) -> Annotations:
    content = read_json(path, EXPECTED)
    categories: dict[int, str] = {}
    for number, category in enumerate(_list(content, "categories", f"{path}")):
        where = f"{path}: categories[{number}]"
        categories[entry(category, "id", int, where)] = entry(category, "name", str, where)
    images: dict[int, dict[str, Any]] = {}
    for number, image in enumerate(entry(content, "images", list, f"{path}")):
        where = f"{path}: images[{number}]"
        for name, kind in (("file_name", str), ("width", int), ("height", int)):
            entry(image, name, kind, where)
        identifier = entry(image, "id", (int, str), where)
        if identifier in images:
            raise DataError(f"{where}: id {identifier!r} is there twice; expected one image an id")
        images[identifier] = image
    found: dict[int, list[Instance]] = {identifier: [] for identifier in images}
    notes: list[str] = []
    for number, annotation in enumerate(_list(content, "annotations", f"{path}")):
        where = f"{path}: annotations[{number}]"
        identifier = entry(annotation, "image_id", (int, str), where)
        if identifier not in images:
            raise DataError(
                f"{where}: image_id {identifier!r} is no image of this file. Add the image, or drop the line"
            )
        category = entry(annotation, "category_id", int, where)
        if category not in categories:
            raise DataError(f"{where}: category_id {category} is not in 'categories': {sorted(categories)}")
        image = images[identifier]
        parts = _parts(annotation.get("segmentation"), image["width"], image["height"], where)
        if not parts:
            notes.append(f"{where}: has no outline ({annotation.get('segmentation')!r:.60}); left out")
            continue
        found[identifier].append(Instance(categories[category], parts, bool(annotation.get("iscrowd", 0))))
    pictures = tuple(
        Picture(image["file_name"], image["width"], image["height"], tuple(found[identifier]))
        for identifier, image in images.items()
    )
    return Annotations(path.parent, pictures, tuple(categories.values()), tuple(notes))


def _list(content: Any, name: str, where: str) -> list[Any]:
    """Take a list of the document that need not be there."""
    return entry(content, name, list, where) if isinstance(content, dict) and name in content else []


def write(annotations: Annotations, path: Path) -> list[Path]:
    """Write a COCO file, whole or not at all.

    Args:
        annotations: what it will hold.
        path: the JSON file.

    Returns:
        The one file.
    """
    labels = list(dict.fromkeys([*annotations.labels, *(one.label for _, one in annotations.instances)]))
    lines: list[dict[str, Any]] = []
    for number, picture in enumerate(annotations.pictures, 1):
        for instance in picture.instances:
            lines.append(annotation_of(instance, picture, len(lines) + 1, number, labels.index(instance.label) + 1))
    content = {
        "info": {"description": "outlines written by semicoupled"},
        "images": [
            {"id": number, "file_name": picture.file, "width": picture.width, "height": picture.height}
            for number, picture in enumerate(annotations.pictures, 1)
        ],
        "categories": [{"id": number, "name": label} for number, label in enumerate(labels, 1)],
        "annotations": lines,
    }
    write_text(path, json.dumps(content, allow_nan=False, ensure_ascii=False) + "\n")
    return [path]


def annotation_of(instance: Instance, picture: Picture, identifier: int, image: int, category: int) -> dict[str, Any]:
    """Give one line of ``annotations``.

    Args:
        instance: the object.
        picture: its image.
        identifier: of the annotation.
        image: number of the image.
        category: number of the label.
    """
    mask = None
    if instance.crowd or any(part.holes for part in instance.parts):
        mask = covered([part.polygons for part in instance.parts], Window(0, 0, picture.width, picture.height))
        counts = rle.encode(mask)
        segmentation: object = {"size": [picture.height, picture.width], "counts": counts}
        area = float(mask.sum())
    else:
        segmentation = [[_plain(value) for value in part.outline.ravel()] for part in instance.parts]
        area = float(sum(abs(signed_area(part.outline)) for part in instance.parts))
    return {
        "id": identifier,
        "image_id": image,
        "category_id": category,
        "iscrowd": int(instance.crowd),
        "area": area,
        "bbox": [_plain(value) for value in instance.box],
        "segmentation": segmentation,
        **confidence_of(instance),
    }


def confidence_of(instance: Instance) -> dict[str, Any]:
    """What a network says of its own outline: ``score``, as in COCO's results, and one number a point; else nothing."""
    each = [value for part in instance.parts for value in part.confidence]
    if not each:
        return {}
    mean = math.exp(sum(math.log(max(value, 1e-9)) for value in each) / len(each))
    return {"score": round(mean, 4), "point_confidence": [round(value, 4) for value in each]}


def _plain(value: float) -> float | int:
    number = float(value)
    return int(number) if number.is_integer() else number


def _parts(segmentation: object, width: int, height: int, where: str) -> tuple[Part, ...]:
    if isinstance(segmentation, dict):
        counts = entry(segmentation, "counts", (list, str), where)
        size = cast("dict[str, Any]", segmentation).get("size", [height, width])
        if list(size) != [height, width]:
            raise DataError(f"{where}: its mask is {size} (height, width); its image is {[height, width]}")
        try:
            return trace(rle.decode(counts, height, width))
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
    parts: list[Part] = []
    for polygon in cast("list[Any]", segmentation) if isinstance(segmentation, list) else []:
        try:
            points = as_points(polygon)
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
        if len(points) >= 3:
            parts.append(Part(points))
    return tuple(parts)
