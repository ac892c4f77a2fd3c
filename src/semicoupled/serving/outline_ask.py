"""Images that other programs send along, and the outlines that they get: what their protocols share."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from semicoupled.errors import DataError
from semicoupled.serving.awaited import finished
from semicoupled.serving.outline_options import AskOptions
from semicoupled.serving.served_runs import ServedRun
from semicoupled.serving.services import Services
from semicoupled.serving.work import JobRequest, Source

MOST_OBJECTS = 200
_PART = 2**20


class Wish(NamedTuple):
    """An object that is to be outlined, px of the image.

    Attributes:
        box: x, y, width, height.
        start: a point of its outline, or None.
        end: the outline's last point, or None.
    """

    box: tuple[float, float, float, float]
    start: tuple[float, float] | None = None
    end: tuple[float, float] | None = None


class Outlines(NamedTuple):
    """What was drawn.

    Attributes:
        width: of the image, px.
        height: px.
        outlines: of each wish: `points`, px, and `score`.
    """

    width: int
    height: int
    outlines: list[dict[str, Any]]


def decode(text: str) -> bytes:
    """Take an image out of a data URI or plain base64.

    Raises:
        DataError: it is neither.
    """
    head, comma, body = text.partition(",")
    if head.startswith("data:") and (not comma or not head.endswith(";base64")):
        raise DataError("the image is a data URI without base64; expected data:image/...;base64,...")
    try:
        return base64.b64decode(body if head.startswith("data:") else text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"the image is no base64 ({error}); expected data:image/...;base64,...") from error


async def outline_bytes(services: Services, run: ServedRun, image: bytes, wishes: Sequence[Wish]) -> Outlines:
    """Outline objects in an image that was sent along; the image is kept no longer than that takes.

    Raises:
        DataError: it is no image, or too large.
        BusyError: the queue is full.
    """
    upload = services.uploads.begin()
    try:
        await services.uploads.add(upload.id, "image", _parts(image))
        return await outline_source(services, run, Source(services.uploads.files(upload.id)), wishes)
    finally:
        services.uploads.remove(upload.id)


async def outline_source(services: Services, run: ServedRun, source: Source, wishes: Sequence[Wish]) -> Outlines:
    """Outline objects in an image; without a wish the image is taken for the picture of one object.

    Raises:
        DataError: the image cannot be used, or too much is wished.
        BusyError: the queue is full.
    """
    if len(wishes) > MOST_OBJECTS:
        raise DataError(f"{len(wishes)} objects at once; expected at most {MOST_OBJECTS}")
    options = AskOptions(*(tuple(getattr(wish, name) for wish in wishes) for name in ("box", "start", "end")))
    request = JobRequest("semicoupled.serving.outline_job:ask", run.folder.path, source, options)
    found: Any = (await finished(services.jobs, request)).document
    return Outlines(found["width"], found["height"], found["outlines"])


async def _parts(content: bytes) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), _PART):
        yield content[begin : begin + _PART]
