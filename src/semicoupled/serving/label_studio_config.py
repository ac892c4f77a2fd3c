"""What a Label Studio project asks for: its labeling configuration, and the results it takes.

https://labelstud.io/guide/ml and https://labelstud.io/tags/polygonlabels: places are percent of the image's sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from xml.etree import ElementTree

from semicoupled.errors import DataError
from semicoupled.serving.outline_ask import Outlines, Wish

_BOXES = ("rectanglelabels", "rectangle")
_POINTS = ("keypointlabels", "keypoint")
_FAR = 1e6
"""Percent; whatever lies farther away, and what is no number, is a mistake."""


class Config(NamedTuple):
    """The parts of a labeling configuration that outlines need.

    Attributes:
        control: name of the PolygonLabels tag.
        image: name of the Image tag.
        key: of the image's address in a task's data.
        labels: of the polygons.
    """

    control: str
    image: str
    key: str
    labels: tuple[str, ...]


class Marked(NamedTuple):
    """What a person or another model marked in an image, percent of its sides.

    Attributes:
        label: of the box; empty where there is none.
        box: x, y, width, height.
        points: in it: where the outline begins, and its last point.
    """

    label: str
    box: tuple[float, float, float, float]
    points: tuple[tuple[float, float], ...] = ()


def read_config(text: str) -> Config:
    """Read a labeling configuration.

    Raises:
        DataError: it is no XML, or has no PolygonLabels over an Image.
    """
    if "<!" in text.replace("<!--", ""):
        raise DataError("the labeling configuration declares a document type; expected plain tags")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise DataError(f"the labeling configuration is no XML ({error})") from error
    images = {tag.get("name", ""): tag.get("value", "") for tag in root.iter("Image")}
    for control in root.iter("PolygonLabels"):
        image = control.get("toName", "")
        if image in images:
            labels = tuple(tag.get("value", "") for tag in control.iter("Label"))
            return Config(control.get("name", ""), image, images[image].removeprefix("$"), labels)
    raise DataError(
        "the labeling configuration has no PolygonLabels over an Image; expected <Image name=.. value=$..> and "
        "<PolygonLabels name=.. toName=..> with a <Label> each"
    )


def marked(results: Iterable[Any], config: Config) -> list[Marked]:
    """Find boxes, and the points in them, among results.

    Raises:
        DataError: the image is turned, or a number is none.
    """
    boxes: list[Marked] = []
    points: list[tuple[float, float]] = []
    for result in results:
        if not isinstance(result, Mapping) or result.get("to_name", config.image) != config.image:
            continue
        value = result.get("value")
        if not isinstance(value, Mapping):
            continue
        kind = str(result.get("type", "")).lower()
        if kind not in (*_BOXES, *_POINTS):
            continue
        try:
            turned = float(result.get("image_rotation") or 0) or float(value.get("rotation") or 0)
            x, y = float(value["x"]), float(value["y"])
            width, height = (0.0, 0.0) if kind in _POINTS else (float(value["width"]), float(value["height"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise DataError(f"a {kind} lacks a number ({error}); expected x, y, width and height in percent") from error
        if turned:
            raise DataError("a box or the image is turned; expected image_rotation and rotation 0")
        if not all(abs(number) < _FAR for number in (x, y, width, height)):
            raise DataError(f"a {kind} holds a number that is none; expected percent of the image")
        if kind not in _POINTS:
            labels = value.get("rectanglelabels") or value.get("labels")
            label = labels[0] if isinstance(labels, list) and labels else ""
            boxes.append(Marked(str(label), (x, y, width, height)))
        elif result.get("is_positive", True):
            points.append((x, y))
    return [box._replace(points=tuple(point for point in points if _inside(point, box.box))[:2]) for box in boxes]


def wishes_of(marks: Iterable[Marked], width: int, height: int) -> list[Wish]:
    """Turn percent into pixels."""

    def px(point: tuple[float, float]) -> tuple[float, float]:
        return point[0] * width / 100, point[1] * height / 100

    found: list[Wish] = []
    for mark in marks:
        x, y = px(mark.box[:2])
        wide, high = px(mark.box[2:])
        start, end = (*map(px, mark.points), None, None)[:2]
        found.append(Wish((x, y, wide, high), start, end))
    return found


def prediction(found: Outlines, marks: Iterable[Marked], config: Config, version: str) -> dict[str, Any]:
    """Write outlines as a prediction of a task."""
    results: list[dict[str, Any]] = []
    for outline, mark in zip(found.outlines, marks, strict=True):
        if len(outline["points"]) < 3:
            continue
        percent = [[round(100 * x / found.width, 4), round(100 * y / found.height, 4)] for x, y in outline["points"]]
        label = mark.label if mark.label in config.labels else next(iter(config.labels), mark.label)
        results.append(
            {
                "id": hashlib.sha256(repr(percent).encode()).hexdigest()[:10],
                "from_name": config.control,
                "to_name": config.image,
                "type": "polygonlabels",
                "original_width": found.width,
                "original_height": found.height,
                "image_rotation": 0,
                "score": outline["score"],
                "value": {"points": percent, "closed": True, "polygonlabels": [label]},
            }
        )
    score = sum(result["score"] for result in results) / len(results) if results else 0.0
    return {"result": results, "score": round(score, 4), "model_version": version}


def _inside(point: tuple[float, float], box: tuple[float, float, float, float]) -> bool:
    return box[0] <= point[0] <= box[0] + box[2] and box[1] <= point[1] <= box[1] + box[3]
