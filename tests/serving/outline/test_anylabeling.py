"""X-AnyLabeling's remote server, as its client calls one and as its server documents the answers (docs/router.md)."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from semicoupled.errors import DataError
from semicoupled.serving.api_anylabeling import wishes_of

BASE = "/api/v1/anylabeling"
SHAPE = {
    "label": str,
    "shape_type": str,
    "points": list,
    "score": float,
    "attributes": dict,
    "description": type(None),
    "difficult": bool,
    "direction": int,
    "flags": type(None),
    "group_id": type(None),
    "kie_linking": list,
}
"""The fields of a shape that the documentation shows, and their types."""


def predict(client: TestClient, image: str, marks: Any = None, model: str = "tiny") -> dict[str, Any]:
    params = {"conf_threshold": 0.0, "iou_threshold": 0.0, "epsilon_factor": 0.001}
    body = {"model": model, "image": image, "params": params if marks is None else {**params, "marks": marks}}
    answer = client.post(f"{BASE}/v1/predict", json=body, headers={"Token": ""})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_health_and_models(working: TestClient) -> None:
    health = working.get(f"{BASE}/health").json()
    assert (health["status"], health["models_loaded"]) == ("healthy", 1)
    models = working.get(f"{BASE}/v1/models").json()
    assert models["success"] is True
    about = models["data"]["tiny"]
    widgets = {widget["name"]: widget["value"] for widget in about["widgets"]}
    assert {"button_add_rect", "button_finish_object"} <= set(widgets)
    assert widgets["toggle_preserve_existing_annotations"] is True
    info = working.get(f"{BASE}/v1/models/tiny/info").json()
    assert info == {"success": True, "data": {"model_id": "tiny", **about}}
    none = working.get(f"{BASE}/v1/models/none/info").json()
    assert none == {"success": False, "error": {"code": "MODEL_NOT_FOUND", "message": "Model 'none' not loaded"}}


def test_a_rectangle_becomes_a_polygon(working: TestClient, data_uri: str, png: bytes) -> None:
    marks = [
        {"type": "rectangle", "data": [90, 70, 30, 20], "label": 1},
        {"type": "point", "data": [36, 40], "label": 1},
    ]
    found = predict(working, data_uri, marks)
    assert found["success"] is True
    assert (found["data"]["description"], found["data"]["replace"]) == ("", False)
    (shape,) = found["data"]["shapes"]
    assert {name: type(value) for name, value in shape.items()} == SHAPE
    assert (shape["shape_type"], shape["label"]) == ("polygon", "AUTOLABEL_OBJECT")
    assert shape["points"][0] == shape["points"][-1] == [36, 40]
    assert len(shape["points"]) >= 4
    assert 0 <= shape["score"] <= 1
    plain = predict(working, base64.b64encode(png).decode(), marks)
    assert plain == found


def test_without_a_rectangle_there_is_nothing_to_outline(working: TestClient, data_uri: str) -> None:
    assert predict(working, data_uri)["data"] == {"shapes": [], "description": "", "replace": False}


@pytest.mark.parametrize(
    ("image", "marks", "model", "code"),
    [
        (None, None, "none", "MODEL_NOT_FOUND"),
        ("no base64!", None, "tiny", "INVALID_IMAGE"),
        (
            base64.b64encode(b"no image").decode(),
            [{"type": "rectangle", "data": [0, 0, 9, 9]}],
            "tiny",
            "INVALID_IMAGE",
        ),
        (None, [{"type": "rectangle", "data": [900, 900, 990, 990]}], "tiny", "INFERENCE_ERROR"),
        (None, [{"type": "rectangle", "data": ["a", 0, 9, 9]}], "tiny", "INFERENCE_ERROR"),
        (None, [{"type": "rectangle", "data": [0, 0, 9, 10**400]}], "tiny", "INFERENCE_ERROR"),
    ],
)
def test_errors_come_with_status_200(
    working: TestClient, data_uri: str, image: str | None, marks: Any, model: str, code: str
) -> None:
    found = predict(working, data_uri if image is None else image, marks, model)
    assert (found["success"], found["error"]["code"]) == (False, code)
    assert "/tmp" not in found["error"]["message"]
    assert found["data"] == {"shapes": [], "description": "", "replace": False}  # what was drawn before stays


def test_marks_that_say_what_it_is_not_are_left_out() -> None:
    marks = [
        {"type": "rectangle", "data": [0, 0, 10, 20], "label": 1},
        {"type": "rectangle", "data": [5, 5, 9, 9], "label": 0},
        {"type": "point", "data": [1, 1], "label": 0},
        {"type": "point", "data": [2, 2], "label": 1},
        {"type": "point", "data": [50, 2], "label": 1},
    ]
    (wish,) = wishes_of(marks)
    assert (wish.box, wish.start, wish.end) == ((0, 0, 10, 20), (2, 2), None)
    with pytest.raises(DataError, match="expected a list"):
        wishes_of({"type": "rectangle"})
    with pytest.raises(DataError, match="are no numbers"):
        wishes_of([{"type": "rectangle", "data": [0, 0, 9, 10**400]}])
    for number in (float("nan"), float("inf"), 1e300):
        with pytest.raises(DataError, match="lie nowhere"):
            wishes_of([{"type": "point", "data": [1, number]}])


def test_a_full_queue_is_503(small_run: Path, data_uri: str, tmp_path: Path) -> None:
    from semicoupled.serving.app import create_app
    from semicoupled.serving.settings import Limits, ServeSettings
    from semicoupled.serving.work import JobRequest, Source

    settings = ServeSettings(runs=(str(small_run),), state=tmp_path, shipped=False, limits=Limits(queue=1))
    app = create_app(settings)  # its worker is not started, so that the queue stays full
    app.state.services.jobs.submit(JobRequest("a:b", small_run, Source()))
    client = TestClient(app, base_url="http://127.0.0.1:8642")
    body = {
        "model": "tiny",
        "image": data_uri,
        "params": {"marks": [{"type": "rectangle", "data": [1, 1, 50, 50], "label": 1}]},
    }
    answer = client.post(f"{BASE}/v1/predict", json=body)
    assert answer.status_code == 503
    assert answer.json() == {"detail": "Task queue is full, please try again later"}
    assert int(answer.headers["retry-after"]) >= 1


def test_an_image_may_be_larger_than_other_requests(working: TestClient) -> None:
    large = "A" * (2 * 2**20)
    found = predict(working, large, [{"type": "rectangle", "data": [1, 1, 50, 50], "label": 1}])
    assert found["error"]["code"] == "INVALID_IMAGE"
    too_large = working.post(f"{BASE}/v1/predict", content=b" " * (33 * 2**20))
    assert too_large.status_code == 413
    elsewhere = working.post("/api/v1/outline/projects", content=b" " * (2 * 2**20))
    assert elsewhere.status_code == 413
