"""Cityscapes gtFine: one JSON file an image, its objects in the order in which they are drawn.

https://github.com/mcordts/cityscapesScripts. A label that ends in ``group`` is a crowd. Cityscapes has neither parts
nor holes nor names of images: they are written as further keys (``instance``, ``hole``, ``crowd``, ``imagePath``),
which its own scripts skip. Without ``imagePath`` the image is looked for in ``leftImg8bit``, then beside the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semicoupled.data.damage import damage_told
from semicoupled.errors import DataError
from semicoupled.tasks.outline.formats.file_for_each import read_each, write_each
from semicoupled.tasks.outline.formats.jsonfile import entry, read_json
from semicoupled.tasks.outline.formats.labelme import parts_of
from semicoupled.tasks.outline.formats.places import relative
from semicoupled.tasks.outline.formats.records import Annotations, Instance, Picture
from semicoupled.tasks.outline.geometry.polygons import Points, as_points
from semicoupled.tasks.outline.images import SUFFIXES

NAME = "cityscapes"
EXPECTED = "a Cityscapes file (a JSON object with 'imgWidth' and 'objects'), or a folder of *_polygons.json"
ENDING = "_gtFine_polygons.json"
CROWD = "group"


def matches(path: Path) -> bool:
    """Whether a file is Cityscapes', or a folder holds files named so."""
    if path.is_dir():
        return any(True for _ in path.rglob("*_polygons.json"))
    if path.suffix.lower() != ".json":
        return False
    try:
        content = read_json(path, EXPECTED)
    except DataError:
        return False
    return isinstance(content, dict) and "objects" in content and "imgWidth" in content


def read(path: Path) -> Annotations:
    """Read a file, or all ``*_polygons.json`` below a folder.

    Raises:
        DataError: a file is none of Cityscapes', or a part of it is wrong.
    """
    return read_each(path, "*_polygons.json", _read)


def write(annotations: Annotations, path: Path) -> list[Path]:
    """Write a file for each image into a folder, or the file named, where there is one image.

    Returns:
        The files.
    """
    return write_each(annotations, path, ENDING, content_of)


def content_of(picture: Picture) -> dict[str, Any]:
    """What a file holds."""
    objects: list[dict[str, Any]] = []
    for number, instance in enumerate(picture.instances):
        for part in instance.parts:
            for place, polygon in enumerate(part.polygons):
                one: dict[str, Any] = {
                    "label": instance.label + CROWD * instance.crowd,
                    "polygon": polygon.tolist(),
                    "instance": number,
                    "crowd": instance.crowd,
                }
                if place:
                    one["hole"] = True
                elif part.confidence:
                    one["point_confidence"] = [round(value, 4) for value in part.confidence]
                objects.append(one)
    return {"imgHeight": picture.height, "imgWidth": picture.width, "imagePath": picture.file, "objects": objects}


def _read(file: Path, folder: Path, notes: list[str]) -> Picture:
    with damage_told(file, NAME):
        return _picture(file, folder, notes)


def _picture(file: Path, folder: Path, notes: list[str]) -> Picture:
    content = read_json(file, EXPECTED)
    width, height = (entry(content, name, int, str(file)) for name in ("imgWidth", "imgHeight"))
    groups: dict[object, list[tuple[Points, bool]]] = {}
    about: dict[object, tuple[str, bool]] = {}
    for number, one in enumerate(entry(content, "objects", list, str(file))):
        where = f"{file}: objects[{number}]"
        label = entry(one, "label", str, where)
        if one.get("deleted"):
            notes.append(f"{where}: is deleted; left out")
            continue
        try:
            points = as_points(entry(one, "polygon", list, where))
        except DataError as error:
            raise DataError(str(error) if str(error).startswith(where) else f"{where}: {error}") from None
        if len(points) < 3:
            notes.append(f"{where}: has {len(points)} points, which enclose nothing; left out")
            continue
        crowd = bool(one.get("crowd", label.endswith(CROWD) and label != CROWD))
        key = one.get("instance", ("own", number))
        groups.setdefault(key, []).append((points, bool(one.get("hole"))))
        about.setdefault(key, (label.removesuffix(CROWD) if crowd else label, crowd))
    instances = tuple(
        Instance(about[key][0], parts_of(polygons, f"{file}: {about[key][0]!r}"), about[key][1])
        for key, polygons in groups.items()
    )
    return Picture(_image_of(file, folder, content), width, height, instances)


def _image_of(file: Path, folder: Path, content: dict[str, Any]) -> str:
    """The way from the folder to the image."""
    named = content.get("imagePath")
    if isinstance(named, str):
        return named if file.parent == folder else relative(file.parent / named, folder)
    stem = file.name.removesuffix(".json").removesuffix("_polygons").removesuffix("_gtFine").removesuffix("_gtCoarse")
    parts = list(file.parent.resolve().parts)
    for kind in ("gtFine", "gtCoarse"):
        if kind in parts:
            at = len(parts) - 1 - parts[::-1].index(kind)
            parts[at] = "leftImg8bit"
            return relative(Path(*parts) / f"{stem}_leftImg8bit.png", folder)
    beside = [file.parent / f"{stem}{kind}{suffix}" for kind in ("_leftImg8bit", "") for suffix in SUFFIXES]
    found = next((one for one in beside if one.is_file()), file.parent / f"{stem}_leftImg8bit.png")
    return relative(found, folder)
