"""Masks: one PNG of gray values an image, 0 for nothing, one value for each object; ``labels.json`` says what they are.

A pixel has one value: where objects overlap the later one is kept, and what lies outside of the image is lost.
Outlines that are read run along the borders of the pixels, so that writing them again gives the same masks.
"""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semicoupled.data.damage import damage_told
from semicoupled.errors import DataError
from semicoupled.files import write_bytes, write_text
from semicoupled.tasks.outline.formats.jsonfile import entry, read_json
from semicoupled.tasks.outline.formats.places import names_for, relative
from semicoupled.tasks.outline.formats.records import Annotations, Instance, Picture
from semicoupled.tasks.outline.geometry.raster import covered
from semicoupled.tasks.outline.geometry.trace import trace
from semicoupled.tasks.outline.geometry.window import Window
from semicoupled.tasks.outline.images import SUFFIXES

log = logging.getLogger(__name__)

NAME = "masks"
EXPECTED = "a folder of gray PNG masks with labels.json, or one such mask"
LABELS = "labels.json"
UNNAMED = "object"
MOST_OBJECTS = 65535
_GRAY = ("1", "L", "P", "I", "I;16", "I;16B")


def matches(path: Path) -> bool:
    """Whether a folder has gray PNG files, or a file is one."""
    files = sorted(path.glob("*.png")) if path.is_dir() else [path] if path.suffix.lower() == ".png" else []
    if not files:
        return False
    if path.is_dir() and (path / LABELS).is_file():
        return True
    return _is_gray(files[0])


def read(path: Path) -> Annotations:
    """Read masks. Without ``labels.json`` every value above 0 is an object without a name.

    Raises:
        DataError: a file is no mask, or ``labels.json`` does not fit.
    """
    folder = path if path.is_dir() else path.parent
    about: dict[str, Any] = {}
    order: list[str] = []
    if (folder / LABELS).is_file():
        content = read_json(folder / LABELS, EXPECTED)
        about = entry(content, "masks", dict, str(folder / LABELS))
        order = [str(label) for label in content.get("labels", [])]
    notes: list[str] = []
    files = sorted(path.glob("*.png")) if path.is_dir() else [path]
    pictures = tuple(_read(file, folder, about.get(file.name), notes) for file in files)
    labels = dict.fromkeys([*order, *(one.label for picture in pictures for one in picture.instances)])
    return Annotations(folder, pictures, tuple(labels), tuple(notes))


def write(annotations: Annotations, path: Path) -> list[Path]:
    """Write masks into a folder, with ``labels.json``.

    Returns:
        The files.

    Raises:
        DataError: the path is a file, an image has more objects than a mask has values, or a mask would take the place
            of an image.
    """
    if path.suffix.lower() in (".json", ".png"):
        raise DataError(f"{path}: masks are several files; expected a folder")
    files: list[Path] = []
    about: dict[str, Any] = {}
    lost = 0
    named = list(zip(names_for(annotations.pictures, ".png"), annotations.pictures, strict=True))
    for name, picture in named:
        _check_place(path / name, annotations.folder / picture.file)
    for name, picture in named:
        if len(picture.instances) > MOST_OBJECTS:
            raise DataError(f"{picture.file}: {len(picture.instances)} objects; a mask has room for {MOST_OBJECTS}")
        values, overlapping = mask_of(picture)
        lost += overlapping
        buffer = io.BytesIO()
        Image.fromarray(values).save(buffer, format="PNG")
        write_bytes(path / name, buffer.getvalue())
        files.append(path / name)
        about[name] = {
            "image": picture.file,
            "labels": {str(number): one.label for number, one in enumerate(picture.instances, 1)},
            "crowds": [number for number, one in enumerate(picture.instances, 1) if one.crowd],
        }
    if lost:
        log.warning("%s: %d pixels belong to several objects; the later ones have them", path, lost)
    content = {"labels": list(annotations.labels), "masks": about}
    write_text(path / LABELS, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    return [*files, path / LABELS]


def mask_of(picture: Picture) -> tuple[NDArray[np.uint16], int]:
    """Draw the objects of an image.

    Returns:
        Height x width, 0 or the number of the object from 1; and how many pixels belong to several.
    """
    values = np.zeros((picture.height, picture.width), dtype=np.uint16)
    overlapping = 0
    region = Window(0, 0, picture.width, picture.height)
    for number, instance in enumerate(picture.instances, 1):
        mask = covered([part.polygons for part in instance.parts], region)
        overlapping += int((values[mask] > 0).sum())
        values[mask] = number
    return values, overlapping


def _is_gray(file: Path) -> bool:
    """Whether a PNG file has gray values, as masks have."""
    try:
        with Image.open(file, formats=("PNG",)) as image:
            return image.mode in _GRAY
    except OSError:
        return False


def _check_place(file: Path, image: Path) -> None:
    """Refuse to write a mask over an image."""
    if file.exists() and ((image.exists() and file.samefile(image)) or not _is_gray(file)):
        raise DataError(f"{file}: is an image, and a mask would take its place. Choose another folder for masks")


def _read(file: Path, folder: Path, about: object, notes: list[str]) -> Picture:
    with damage_told(file, NAME):
        return _picture(file, folder, about, notes)


def _picture(file: Path, folder: Path, about: object, notes: list[str]) -> Picture:
    try:
        with Image.open(file, formats=("PNG",)) as image:
            if image.mode not in _GRAY:
                raise DataError(f"{file}: has colors ({image.mode}); expected a mask of gray values, one an object")
            values = np.asarray(image).astype(np.int64)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error}); expected a PNG mask") from error
    known = cast("dict[str, Any]", about) if isinstance(about, dict) else {}
    where = f"{folder / LABELS}: {file.name}"
    labels = entry(known, "labels", dict, where) if "labels" in known else {}
    crowds = entry(known, "crowds", list, where) if "crowds" in known else []
    instances: list[Instance] = []
    for value in np.unique(values[values > 0]).tolist():
        if known and str(value) not in labels:
            raise DataError(
                f"{file}: has the value {value}, which {LABELS} does not name: {', '.join(labels) or 'none'}"
            )
        instances.append(Instance(labels.get(str(value), UNNAMED), trace(values == value), value in crowds))
    name = entry(known, "image", str, where) if known.get("image") else _image_for(file, folder)
    if name is None:
        name = f"{file.stem}.jpg"
        notes.append(f"{file}: there is no image of this name beside it or in ../images; {name} is written")
    return Picture(name, values.shape[1], values.shape[0], tuple(instances))


def _image_for(file: Path, folder: Path) -> str | None:
    places = [folder.parent / "images", folder.parent]
    candidates = [place / f"{file.stem}{suffix}" for place in places for suffix in SUFFIXES]
    candidates += [folder / f"{file.stem}{suffix}" for suffix in SUFFIXES if suffix != ".png"]
    found = next((one for one in candidates if one.is_file()), None)
    return None if found is None else relative(found, folder)
