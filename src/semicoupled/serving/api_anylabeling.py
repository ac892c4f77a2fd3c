"""X-AnyLabeling's remote server: an image and a rectangle come, a polygon goes.

https://github.com/CVHub520/X-AnyLabeling-Server/blob/main/docs/router.md. In X-AnyLabeling the address of the server
(``server_url``) is http://127.0.0.1:8642/api/v1/anylabeling. A point mark in the rectangle says where the outline
begins, a second one where it ends. Errors come with status 200, as that protocol has it; a full queue with 503.

X-AnyLabeling takes away what was drawn before in an image unless it is told to keep it, which is said twice here: as
the state of its button, and (`replace`, for clients that know it) with every answer, those that tell of an error
included.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from semicoupled.errors import DataError, SemicoupledError
from semicoupled.serving.jobs import BusyError
from semicoupled.serving.outline_ask import Wish, decode, outline_bytes
from semicoupled.serving.served_runs import ServedRun
from semicoupled.serving.services import Services, Serving

router = APIRouter(prefix="/anylabeling", tags=["x-anylabeling"])
WIDGETS = {
    "button_add_point": None,
    "button_add_rect": None,
    "button_clear": None,
    "button_finish_object": None,
    "toggle_preserve_existing_annotations": True,
}
"""What X-AnyLabeling shows, and the state that it begins with."""
_FAR = 1e6  # px
LABEL = "AUTOLABEL_OBJECT"
"""X-AnyLabeling asks the person for the label of what is called so."""


class PredictRequest(BaseModel):
    """An image, and what is marked in it."""

    model_config = ConfigDict(extra="ignore")
    model: str = Field(max_length=300)
    image: str = Field(description="data URI, or base64")
    params: dict[str, Any] | None = None


@router.get("/health")
def health(serving: Serving) -> dict[str, Any]:
    """Say that the server is there."""
    return {"status": "healthy", "models_loaded": len(_runs(serving)), "timestamp": datetime.now(UTC).isoformat()}


@router.get("/v1/models")
def models(serving: Serving) -> dict[str, Any]:
    """Name the runs of outlines, and the widgets that X-AnyLabeling shows for them."""
    return {"success": True, "data": {name: _about(run) for name, run in _runs(serving).items()}}


@router.get("/v1/models/{model}/info")
def info(serving: Serving, model: str) -> dict[str, Any]:
    """Say what a run is."""
    run = _runs(serving).get(model)
    if run is None:
        return _problem("MODEL_NOT_FOUND", f"Model '{model[:100]}' not loaded")
    return {"success": True, "data": {"model_id": model, **_about(run)}}


@router.post("/v1/predict", response_model=dict[str, object])
async def predict(serving: Serving, wanted: PredictRequest) -> Any:
    """Outline what is marked."""
    run = _runs(serving).get(wanted.model)
    if run is None:
        return _refused("MODEL_NOT_FOUND", f"Model '{wanted.model[:100]}' not loaded")
    try:
        image = decode(wanted.image)
    except DataError as error:
        return _refused("INVALID_IMAGE", str(error))
    try:
        wishes = wishes_of((wanted.params or {}).get("marks") or [])
        found = await outline_bytes(serving, run, image, wishes) if wishes else None
    except BusyError as error:
        headers = {"Retry-After": str(error.retry_after)}
        return JSONResponse({"detail": "Task queue is full, please try again later"}, 503, headers)
    except SemicoupledError as error:
        said = serving.clean(str(error))
        return _refused("INVALID_IMAGE" if "image that can be read" in said else "INFERENCE_ERROR", said)
    outlines = [] if found is None else found.outlines
    shapes = [_shape(one["points"], one["score"]) for one in outlines if len(one["points"]) >= 3]
    return {"success": True, "data": _data(shapes)}


def wishes_of(marks: Any) -> list[Wish]:
    """Read marks: rectangles ``[x1, y1, x2, y2]`` and points ``[x, y]``, px; those with label 0 say what it is not.

    Raises:
        DataError: a mark is no such thing.
    """
    boxes: list[tuple[float, float, float, float]] = []
    points: list[tuple[float, float]] = []
    if not isinstance(marks, list):
        raise DataError("params.marks: expected a list")
    for mark in marks:
        if not isinstance(mark, Mapping) or mark.get("label", 1) == 0:
            continue
        try:
            numbers = [float(value) for value in mark.get("data", [])]
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(f"params.marks: {mark.get('data')!r:.80} are no numbers") from error
        if not all(abs(number) < _FAR for number in numbers):  # what is no number is not below it, either
            raise DataError(f"params.marks: {mark.get('data')!r:.80} lie nowhere; expected px of the image")
        if mark.get("type") == "rectangle" and len(numbers) == 4:
            (left, right), (top, bottom) = sorted(numbers[0::2]), sorted(numbers[1::2])
            boxes.append((left, top, right - left, bottom - top))
        elif mark.get("type") == "point" and len(numbers) == 2:
            points.append((numbers[0], numbers[1]))
    wishes: list[Wish] = []
    for box in boxes:
        inside = [p for p in points if box[0] <= p[0] <= box[0] + box[2] and box[1] <= p[1] <= box[1] + box[3]]
        start, end = (*inside, None, None)[:2]
        wishes.append(Wish(box, start, end))
    return wishes


def _shape(points: list[list[float]], score: float) -> dict[str, Any]:
    return {
        "label": LABEL,
        "shape_type": "polygon",
        "points": [*points, points[0]],
        "score": score,
        "attributes": {},
        "description": None,
        "difficult": False,
        "direction": 0,
        "flags": None,
        "group_id": None,
        "kie_linking": [],
    }


def _runs(serving: Services) -> dict[str, ServedRun]:
    return {name: run for name, run in serving.runs.all().items() if run.task == "outline" and run.ready}


def _about(run: ServedRun) -> dict[str, Any]:
    widgets = [{"name": name, "value": value} for name, value in WIDGETS.items()]
    return {
        "display_name": f"{run.name} (semicoupled)",
        "widgets": widgets,
        "params": {},
        "batch_processing_mode": None,
    }


def _data(shapes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"shapes": shapes, "description": "", "replace": False}


def _refused(code: str, message: str) -> dict[str, Any]:
    """Say why nothing is outlined; whoever looks at the shapes alone finds none, and keeps what was there."""
    return {**_problem(code, message), "data": _data([])}


def _problem(code: str, message: str) -> dict[str, Any]:
    return {"success": False, "error": {"code": code, "message": message}}
