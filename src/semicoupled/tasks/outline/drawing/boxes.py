"""Which objects to outline: boxes, with the points that are known, from COCO or CSV files."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semicoupled.errors import DataError
from semicoupled.tasks.outline.crops import Box
from semicoupled.tasks.outline.formats.coco import EXPECTED
from semicoupled.tasks.outline.formats.jsonfile import entry, read_json

COLUMNS = ("image", "x", "y", "width", "height")
POINTS = ("start_x", "start_y", "end_x", "end_y")
UNNAMED = "object"
"""Label of what has none."""


@dataclass(frozen=True)
class Wanted:
    """An object to outline.

    Args:
        image: name of its image, as the file has it.
        box: around it, px.
        label: its class.
        start: where the outline begins, px; the network chooses if None.
        end: its last point, which tells the direction, px; None where it is not known.
    """

    image: str
    box: Box
    label: str = UNNAMED
    start: tuple[float, float] | None = None
    end: tuple[float, float] | None = None


def read_boxes(path: Path) -> list[Wanted]:
    """Read boxes from a COCO file, or from a CSV file with a head line.

    Raises:
        DataError: it cannot be read, or a line of it is wrong; the line is named.
    """
    wanted = _from_csv(path) if path.suffix.lower() == ".csv" else _from_coco(path)
    if not wanted:
        raise DataError(f"{path}: holds no boxes; expected at least one")
    return wanted


def _from_csv(path: Path) -> list[Wanted]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise DataError(
                    f"{path}: has no column {missing[0]!r}; expected a head line with {', '.join(COLUMNS)}, and where "
                    f"they are known label, {', '.join(POINTS)}"
                )
            return [_wanted(line, f"{path}: line {number}") for number, line in enumerate(reader, 2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected a CSV file of boxes") from error


def _wanted(line: Mapping[str, str | None], where: str) -> Wanted:
    def pair(name: str) -> tuple[float, float] | None:
        values = [line.get(f"{name}_{axis}") or "" for axis in "xy"]
        return None if not any(values) else (_number(values[0], where), _number(values[1], where))

    box = _box([_number(line.get(name) or "", where) for name in COLUMNS[1:]], where)
    return Wanted(line.get("image") or "", box, line.get("label") or UNNAMED, pair("start"), pair("end"))


def _from_coco(path: Path) -> list[Wanted]:
    content = read_json(path, EXPECTED)
    names = {
        entry(image, "id", (int, str), f"{path}: images[{number}]"): entry(
            image, "file_name", str, f"{path}: images[{number}]"
        )
        for number, image in enumerate(entry(content, "images", list, str(path)))
    }
    categories = entry(content, "categories", list, str(path)) if "categories" in content else []
    labels = {
        entry(one, "id", int, f"{path}: categories[{number}]"): entry(one, "name", str, f"{path}: categories[{number}]")
        for number, one in enumerate(categories)
    }
    wanted: list[Wanted] = []
    for number, line in enumerate(entry(content, "annotations", list, str(path))):
        where = f"{path}: annotations[{number}]"
        image = entry(line, "image_id", (int, str), where)
        if image not in names:
            raise DataError(f"{where}: image_id {image!r} is no image of this file")
        box = _box(entry(line, "bbox", list, where), where)
        points = [_pair(line.get(name), f"{where}: {name}") for name in ("start", "end")]
        category = line.get("category_id")
        label = labels.get(category, UNNAMED) if isinstance(category, int) else UNNAMED
        wanted.append(Wanted(names[image], box, label, *points))
    return wanted


def _box(values: list[Any], where: str) -> Box:
    if len(values) != 4 or not all(isinstance(value, (int, float)) for value in values):
        raise DataError(f"{where}: the box is {values!r}; expected x, y, width and height in px")
    box = Box(*(_number(value, where) for value in values))
    if not (box.width > 0 and box.height > 0):
        raise DataError(f"{where}: the box is {box.width:g} x {box.height:g} px; expected more than 0")
    return box


def _pair(value: object, where: str) -> tuple[float, float] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise DataError(f"{where}: is {value!r}; expected x and y in px")
    x, y = value
    return _number(x, where), _number(y, where)


def _number(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise DataError(f"{where}: {value!r:.80} is no number; expected px of the image")
    return number
