"""labelme: one JSON file an image, beside it. https://github.com/wkentaro/labelme.

Shapes with the same ``group_id`` and label are parts of one object. labelme has no holes: they are written as
polygons with the flag ``hole`` behind the part that they belong to, in the same group, and crowds carry the flag
``crowd``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from semicoupled.data.damage import damage_told
from semicoupled.errors import DataError
from semicoupled.tasks.outline.crops import box_of
from semicoupled.tasks.outline.formats.file_for_each import read_each, write_each
from semicoupled.tasks.outline.formats.jsonfile import entry, read_json
from semicoupled.tasks.outline.formats.places import files_below
from semicoupled.tasks.outline.formats.records import Annotations, Instance, Part, Picture
from semicoupled.tasks.outline.geometry.polygons import Points, as_points
from semicoupled.tasks.outline.geometry.shapes import box_points
from semicoupled.tasks.outline.images import read_size

NAME = "labelme"
EXPECTED = "a labelme file (a JSON object with 'shapes' and 'imagePath'), or a folder of them"
VERSION = "5.5.0"


def matches(path: Path) -> bool:
    """Whether a file, or the first JSON file of a folder, is labelme's."""
    files = [file for file in files_below(path, "*.json") if file.suffix.lower() == ".json"]
    if not files:
        return False
    try:
        content = read_json(files[0], EXPECTED)
    except DataError:
        return False
    return isinstance(content, dict) and "shapes" in content and "imagePath" in content


def read(path: Path) -> Annotations:
    """Read a file or a folder of files.

    Raises:
        DataError: a file is none of labelme's, or a part of it is wrong.
    """
    return read_each(path, "*.json", _read)


def write(annotations: Annotations, path: Path) -> list[Path]:
    """Write a file for each image into a folder, or the file named, where there is one image.

    Returns:
        The files.
    """
    return write_each(annotations, path, ".json", content_of)


def content_of(picture: Picture) -> dict[str, Any]:
    """What a file holds."""
    shapes: list[dict[str, Any]] = []
    for number, instance in enumerate(picture.instances, 1):
        several = len(instance.polygons) > 1
        for part in instance.parts:
            for place, polygon in enumerate(part.polygons):
                flags = {name: True for name, there in (("hole", place > 0), ("crowd", instance.crowd)) if there}
                shape: dict[str, Any] = {
                    "label": instance.label,
                    "points": polygon.tolist(),
                    "group_id": number if several else None,
                    "description": "",
                    "shape_type": "polygon",
                    "flags": flags,
                }
                if part.confidence and place == 0:
                    shape["point_confidence"] = [round(value, 4) for value in part.confidence]
                shapes.append(shape)
    return {
        "version": VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": picture.file,
        "imageData": None,
        "imageHeight": picture.height,
        "imageWidth": picture.width,
    }


def _read(file: Path, folder: Path, notes: list[str]) -> Picture:
    with damage_told(file, NAME):
        return _picture(file, folder, notes)


def _picture(file: Path, folder: Path, notes: list[str]) -> Picture:
    content = read_json(file, EXPECTED)
    name = entry(content, "imagePath", str, str(file)).replace("\\", "/")
    image = file.parent / name
    parent = file.parent.relative_to(folder) if file.parent != folder else Path()
    shapes = entry(content, "shapes", list, str(file))
    size = [content.get("imageWidth"), content.get("imageHeight")]
    width, height = size if all(isinstance(side, int) for side in size) else read_size(image)
    groups: dict[object, list[tuple[Points, bool]]] = {}
    about: dict[object, tuple[str, bool]] = {}
    for number, shape in enumerate(shapes):
        where = f"{file}: shapes[{number}]"
        label = entry(shape, "label", str, where)
        flags = cast("dict[str, Any]", shape.get("flags") or {})
        points = _points(shape, where)
        if points is None:
            notes.append(f"{where}: is a {shape.get('shape_type')!r}, which encloses nothing; left out")
            continue
        group = shape.get("group_id")
        key = (number,) if group is None else (group, label)
        groups.setdefault(key, []).append((points, bool(flags.get("hole"))))
        about.setdefault(key, (label, bool(flags.get("crowd"))))
    instances = tuple(
        Instance(about[key][0], parts_of(polygons, f"{file}: {about[key][0]!r}"), about[key][1])
        for key, polygons in groups.items()
    )
    return Picture((parent / name).as_posix() if parent.parts else name, int(width), int(height), instances)


def parts_of(polygons: list[tuple[Points, bool]], where: str) -> tuple[Part, ...]:
    """Put polygons together: a hole belongs to the part before it.

    Raises:
        DataError: a hole comes first.
    """
    outlines: list[tuple[Points, list[Points]]] = []
    for points, hole in polygons:
        if not hole:
            outlines.append((points, []))
        elif outlines:
            outlines[-1][1].append(points)
        else:
            raise DataError(f"{where}: begins with a hole; expected it behind the part that it belongs to")
    return tuple(Part(outline, tuple(holes)) for outline, holes in outlines)


def _points(shape: dict[str, Any], where: str) -> Points | None:
    kind = shape.get("shape_type", "polygon")
    try:
        points = as_points(entry(shape, "points", list, where))
    except DataError as error:
        raise DataError(f"{where}: {error}" if not str(error).startswith(where) else str(error)) from None
    if kind == "rectangle" and len(points) == 2:
        return box_points(box_of(points))
    return points if kind == "polygon" and len(points) >= 3 else None
