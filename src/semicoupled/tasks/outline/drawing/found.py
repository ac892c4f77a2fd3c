"""What was found in one image, and the same as bytes, for processes that share the images."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from semicoupled.data.damage import piece_damage_told
from semicoupled.errors import DataError
from semicoupled.tasks.outline.drawing.decoding import Drawn
from semicoupled.tasks.outline.drawing.outlines import Outlined
from semicoupled.tasks.outline.formats.records import Instance, Part, Picture


class Found(NamedTuple):
    """One image's outlines.

    Attributes:
        picture: what is written of it.
        outlined: the same, with confidences.
    """

    picture: Picture
    outlined: list[Outlined]


def found_of(name: str, width: int, height: int, labels: Sequence[str], outlined: list[Outlined]) -> Found:
    """Put an image's outlines together.

    Args:
        name: of the image, in what is written.
        width: of the image, px.
        height: likewise.
        labels: of the objects.
        outlined: what was drawn of each.
    """
    instances = tuple(
        Instance(label, (Part(one.points, confidence=tuple(one.confidences)),))
        for label, one in zip(labels, outlined, strict=True)
    )
    return Found(Picture(name, width, height, instances), outlined)


def packed(found: Found | DataError) -> bytes:
    """Give what was found, or why nothing could be, as bytes that `unpacked` reads to the same numbers."""
    if isinstance(found, DataError):
        return _written({"error": str(found)}, {})
    picture, outlined = found
    about = {
        "picture": [picture.file, picture.width, picture.height],
        "labels": [one.label for one in picture.instances],
        "closed": [one.drawn.closed for one in outlined],
    }
    arrays = {"scores": np.array([one.drawn.score for one in outlined], np.float64)}
    for number, (points, drawn) in enumerate(outlined):
        arrays |= {f"points{number}": points, f"cells{number}": drawn.cells, f"confidence{number}": drawn.confidence}
    return _written(about, arrays)


def unpacked(content: bytes) -> Found | DataError:
    """Read what `packed` gave; no pickles are read.

    Raises:
        DataError: it is not whole.
    """
    with piece_damage_told():
        return _read(content)


def _read(content: bytes) -> Found | DataError:
    with np.load(io.BytesIO(content), allow_pickle=False) as held:
        about = json.loads(held["about"].tobytes())
        if "error" in about:
            return DataError(str(about["error"]))
        outlined = [
            Outlined(
                _points(held[f"points{i}"]), Drawn(held[f"cells{i}"], held[f"confidence{i}"], closed, float(score))
            )
            for i, (closed, score) in enumerate(zip(about["closed"], held["scores"], strict=True))
        ]
    name, width, height = about["picture"]
    if not (isinstance(name, str) and isinstance(width, int) and isinstance(height, int)):
        raise ValueError(f"a picture {name!r} of {width!r} x {height!r}")
    return found_of(name, width, height, [str(label) for label in about["labels"]], outlined)


def _points(array: np.ndarray) -> np.ndarray:
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError(f"points of shape {array.shape}, {array.dtype}")
    return array


def _written(about: Mapping[str, object], arrays: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()
