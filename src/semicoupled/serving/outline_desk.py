"""What the worker keeps at hand while somebody draws: images, their features, the network's states.

All of it can be made again from the image and the outline: a worker that was killed costs a moment, and no point.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semicoupled.data.untrusted import IMAGE_FORMATS
from semicoupled.errors import DataError
from semicoupled.nn import StackState
from semicoupled.serving.outline_document import Corner, Piece
from semicoupled.serving.work import Work
from semicoupled.tasks.outline.crops import Box, Window, cut_out, window_of
from semicoupled.tasks.outline.drawing.moments import Moment, Outline, Vertex
from semicoupled.tasks.outline.drawing.outlines import encode
from semicoupled.tasks.outline.drawing.quick import quicken, quickest
from semicoupled.tasks.outline.drawing.session import OutlineSession
from semicoupled.tasks.outline.images import Size, read_image, read_size, without_limit
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.settings import OutlineSettings

PIXELS = 2**26
"""Of an image; refused before it is decoded."""
_IMAGES = 2
_STATE_BYTES = 384 * 2**20


class _Key(NamedTuple):
    """What features belong to."""

    run: Path
    image: tuple[Path, int]
    window: Window


@dataclass(frozen=True, eq=False)
class _Kept:
    """The last outline that was drawn in a window."""

    outline: Outline

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        states = (state for state in self.outline.states if state is not None)
        each = sum(tensor.nbytes for state in states for cell in state.main or () for tensor in cell)
        return each + self.outline.features.nbytes


class Desk:
    """Images, features and states of the last few outlines."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._images: OrderedDict[tuple[Path, int], NDArray[np.uint8]] = OrderedDict()
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._quick: dict[Path, tuple[object, OutlineModel]] = {}

    @classmethod
    def of(cls, work: Work) -> Desk:
        """Give the worker's one."""
        return cast(Desk, work.cached("outline desk", cls, most=3))

    def image(self, path: Path) -> NDArray[np.uint8]:
        """Give an image: height x width x 3.

        Raises:
            DataError: it cannot be read, or is too large.
        """
        key = _file(path)
        if key not in self._images:
            size_of(path)
            self._images[key] = read_image(path)
        self._images.move_to_end(key)
        while len(self._images) > _IMAGES:
            self._images.popitem(last=False)
        return self._images[key]

    def session(self, work: Work, run: Path, path: Path, piece: Piece) -> OutlineSession:
        """Give a session that stands where an outline stands.

        The network's states are those that were kept, as far as the outline's points are the same; the rest is made
        anew when it is needed.

        Raises:
            DataError: the image cannot be read, or is too large.
        """
        settings = cast(OutlineSettings, work.run(run).settings)
        model = self.model(work, run)
        image = self.image(path)
        window = window_of(clipped(piece.box, image), settings.data.crop)
        key = _Key(run, _file(path), window)
        if key not in self._kept:
            crop = cut_out(image, window, settings.data.size)
            self._kept[key] = _Kept(Outline(window, encode(model, [crop])))
        self._kept.move_to_end(key)
        kept = self._kept[key].outline
        vertices = tuple(Vertex(one.x, one.y, one.confidence, one.given, one.pinned) for one in piece.corners)
        states = _usable(kept, vertices, piece.end)
        outline = Outline(window, kept.features, vertices, piece.end, piece.closed, states)
        return OutlineSession(model, image, settings.data, Moment((outline,), 0))

    def keep(self, run: Path, path: Path, session: OutlineSession) -> None:
        """Keep the states of an outline that was drawn.

        Raises:
            DataError: the image cannot be read any more.
        """
        outline = session.outline
        key = _Key(run, _file(path), outline.window)
        self._kept[key] = _Kept(outline)
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(one.bytes for one in self._kept.values()) > _STATE_BYTES:
            self._kept.popitem(last=False)

    def model(self, work: Work, run: Path) -> OutlineModel:
        """Give a run's model, made quick; made anew where the run has other weights now."""
        slow = cast(OutlineModel, work.run(run).model)
        if run not in self._quick or self._quick[run][0] is not slow:
            for key in [key for key in self._kept if key.run == run]:
                del self._kept[key]
            self._quick.clear()
            self._quick[run] = slow, quicken(slow, quickest())
        return self._quick[run][1]


def piece_of(outline: Outline, before: Piece) -> Piece:
    """Write an outline as it is kept on disk."""
    corners = tuple(Corner(one.x, one.y, one.confidence, one.given, one.pinned) for one in outline.vertices)
    return Piece(before.box, corners, outline.end, outline.closed, before.holes)


def clipped(box: tuple[float, float, float, float], image: NDArray[np.uint8]) -> Box:
    """Cut a box to its image, H W 3: what is looked at never takes more memory than the image itself, nearly.

    Raises:
        DataError: nothing of the box is in the image.
    """
    height, width = image.shape[:2]
    left, top = max(0.0, box[0]), max(0.0, box[1])
    right, bottom = min(float(width), box[0] + box[2]), min(float(height), box[1] + box[3])
    if not (right > left and bottom > top):
        said = ", ".join(f"{value:g}" for value in box)
        raise DataError(f"the box {said} (x, y, width, height) lies outside of the image of {width} x {height} px")
    return Box(left, top, right - left, bottom - top)


def size_of(path: Path) -> Size:
    """Give the size of an image that may be decoded.

    Raises:
        DataError: it is none, or too large.
    """
    try:
        with without_limit(), Image.open(path, formats=IMAGE_FORMATS) as image:
            width, height = image.size
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path}: is no image that can be read ({error}); expected JPEG, PNG, ...") from error
    if width * height > PIXELS:
        raise DataError(f"{path}: {width} x {height} pixels; expected at most {PIXELS}. Make it smaller, or cut it up")
    return read_size(path)


def _file(path: Path) -> tuple[Path, int]:
    """What tells a file from what it was before."""
    try:
        return path, path.stat().st_mtime_ns
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected an image") from error


def _usable(
    kept: Outline, vertices: Sequence[Vertex], end: tuple[float, float] | None
) -> tuple[StackState | None, ...]:
    """The states that hold for an outline: those before the first point that differs, the step after it included."""
    if not vertices or not kept.vertices or kept.end != end:
        return (None,)
    same = 0
    for one, other in zip(vertices, kept.vertices, strict=False):
        if not _close(one, other):
            break
        same += 1
    return kept.states[: same + 1] if same else (None,)


def _close(one: Vertex, other: Vertex) -> bool:
    """Whether two points are the same but for the rounding of what is written."""
    return abs(one.x - other.x) < 0.01 and abs(one.y - other.y) < 0.01
