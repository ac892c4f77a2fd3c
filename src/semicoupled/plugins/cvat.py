"""A serverless function for CVAT's AI tools: an interactor that turns a box and a click into an outline.

https://docs.cvat.ai/docs/administration/advanced/installation_automatic_annotation. ``examples/cvat`` holds the
function.yaml for nuclio; its main.py imports `init_context` and `handler` from here. The run is named by the
environment variable ``SEMICOUPLED_RUN``.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import os
import warnings
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from semicoupled.data.untrusted import IMAGE_FORMATS
from semicoupled.errors import DataError
from semicoupled.run_folder import load
from semicoupled.tasks.outline.crops import Box
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.drawing.quick import quicken
from semicoupled.tasks.outline.drawing.session import OutlineSession
from semicoupled.tasks.outline.geometry.raster import rasterize
from semicoupled.tasks.outline.geometry.window import Window
from semicoupled.tasks.outline.model import OutlineModel
from semicoupled.tasks.outline.settings import OutlineSettings

PIXELS = 2**26
"""Of an image; refused before it is decoded."""
_BOMBS = (Image.DecompressionBombWarning, Image.DecompressionBombError)


class Interactor:
    """Outlines one object of an image.

    Args:
        model: in eval mode.
        data: how it sees objects.
    """

    def __init__(self, model: OutlineModel, data: DataSettings) -> None:
        self._model, self._data = quicken(model), data

    def outline(self, image: NDArray[np.uint8], box: Box, points: list[tuple[float, float]]) -> NDArray[np.float64]:
        """Outline what a box holds.

        Args:
            image: height x width x 3.
            box: px.
            points: where the outline begins and, if there are two, its last point; none lets the network choose.

        Returns:
            N x 2, px.
        """
        session = OutlineSession(self._model, image, self._data)
        session.box(box)
        for _ in session.start(points[0], points[1] if len(points) > 1 else None) if points else session.draw():
            pass
        return session.outline.points


def init_context(context: Any) -> None:
    """Load the run once, when nuclio starts the function.

    Raises:
        DataError: ``SEMICOUPLED_RUN`` is not set.
    """
    name = os.environ.get("SEMICOUPLED_RUN")
    if not name:
        raise DataError("SEMICOUPLED_RUN is not set; expected the run folder of a trained model of outlines")
    run = load(name, "cpu", "outline")
    context.user_data.model = Interactor(cast(OutlineModel, run.model), cast(OutlineSettings, run.settings).data)
    context.logger.info(f"outlines by {name}")


def handler(context: Any, event: Any) -> Any:
    """Answer a call: ``image`` (base64), ``pos_points`` and ``obj_bbox`` come, ``mask`` and ``points`` go.

    The mask is as large as the image, 0 or 255. A call that cannot be answered gets status 400 and says why.
    """
    try:
        body = event.body if isinstance(event.body, dict) else json.loads(event.body)
        answer, status = _answer(context.user_data.model, body), 200
    except (DataError, ValueError, TypeError) as error:
        answer, status = {"error": str(error)}, 400
    return context.Response(body=json.dumps(answer), headers={}, content_type="application/json", status_code=status)


def _answer(model: Interactor, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise DataError(f"the call is {str(body)[:80]}; expected an object with image, obj_bbox and pos_points")
    call = cast("dict[str, Any]", body)
    image = _image(call.get("image"))
    height, width = image.shape[:2]
    corners = _pairs(call, "obj_bbox")
    if len(corners) != 2:
        raise DataError(
            f"the call has {len(corners)} corners in obj_bbox; expected two, a box, as function.yaml asks for "
            "(startswith_box)"
        )
    (left, right), (top, bottom) = (sorted(corner[axis] for corner in corners) for axis in (0, 1))
    clicks = _pairs(call, "pos_points")
    box = Box(max(left, 0.0), max(top, 0.0), min(right, width) - max(left, 0.0), min(bottom, height) - max(top, 0.0))
    if not (box.width > 0 and box.height > 0):
        raise DataError(f"the box {corners} lies outside of the image of {width} x {height} px")
    points = model.outline(image, box, clicks[:2])
    mask = rasterize([points], Window(0, 0, width, height)).astype(np.uint8) * 255
    return {"mask": mask.tolist(), "points": np.round(points, 2).tolist()}


def _pairs(call: Mapping[str, Any], name: str) -> list[tuple[float, float]]:
    """Read a list of x and y; none is an empty one."""
    given = call.get(name) or []
    try:
        pairs = [(float(x), float(y)) for x, y in given]
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} is {str(given)[:80]}; expected pairs of numbers, x and y in px") from error
    if not np.isfinite(pairs).all():
        raise DataError(f"{name} is {str(given)[:80]}; expected finite numbers")
    return pairs


def _image(text: object) -> NDArray[np.uint8]:
    if not isinstance(text, str):
        raise DataError(f"the call has no image, but {str(text)[:80]}; expected base64 of a JPEG or PNG")
    try:
        content = base64.b64decode(text, validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error", _BOMBS[0])
            before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, PIXELS
            try:
                with Image.open(io.BytesIO(content), formats=IMAGE_FORMATS) as image:
                    return np.array(ImageOps.exif_transpose(image).convert("RGB"), dtype=np.uint8)
            finally:
                Image.MAX_IMAGE_PIXELS = before
    except (binascii.Error, OSError, SyntaxError, ValueError, *_BOMBS) as error:
        raise DataError(f"the image cannot be read ({error}); expected base64 of a JPEG or PNG") from error
