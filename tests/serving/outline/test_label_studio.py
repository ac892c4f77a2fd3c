"""Label Studio's ML backend, as it calls one (label_studio/ml/api_connector.py) and as its results are documented."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from semicoupled.errors import DataError
from semicoupled.serving.label_studio_config import marked, read_config, wishes_of
from semicoupled.serving.label_studio_images import fetch
from semicoupled.serving.settings import Limits, ServeSettings

BASE = "/api/v1/label_studio/tiny"
CONFIG = """<View><!-- two tools --><Image name="img" value="$picture"/>
<RectangleLabels name="box" toName="img" smart="true"><Label value="leaf"/><Label value="stone"/></RectangleLabels>
<KeyPointLabels name="key" toName="img" smart="true"><Label value="leaf"/></KeyPointLabels>
<PolygonLabels name="poly" toName="img"><Label value="leaf"/><Label value="stone"/></PolygonLabels></View>"""


def rectangle(x: float = 20, y: float = 20, width: float = 60, height: float = 60, **more: Any) -> dict[str, Any]:
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": ["stone"]}
    place = {"original_width": 120, "original_height": 90, "image_rotation": 0, "from_name": "box", "to_name": "img"}
    return {**place, "type": "rectanglelabels", "id": "abc", "value": value, **more}


def key_point(x: float, y: float) -> dict[str, Any]:
    value = {"x": x, "y": y, "width": 0.4, "keypointlabels": ["leaf"]}
    return {"type": "keypointlabels", "from_name": "key", "to_name": "img", "is_positive": True, "value": value}


def request(image: str, context: list[dict[str, Any]] | None = None, **task: Any) -> dict[str, Any]:
    """What Label Studio posts to /predict."""
    params = {"login": None, "password": None, "context": None if context is None else {"result": context}}
    tasks = [{"id": 7, "data": {"picture": image}, "annotations": [], "predictions": [], **task}]
    return {"tasks": tasks, "project": "1.1654592545", "label_config": CONFIG, "params": params}


def test_health_setup_versions_webhook(working: TestClient) -> None:
    assert working.get(f"{BASE}/health").json()["status"] == "UP"
    body = {"project": "1.1", "schema": CONFIG, "hostname": "http://localhost:8080", "access_token": "secret"}
    version = working.post(f"{BASE}/setup", json=body).json()["model_version"]
    assert version.startswith("tiny-")
    assert working.get(f"{BASE}/versions").json() == {"versions": [version]}
    event = working.post(f"{BASE}/webhook", json={"action": "ANNOTATION_CREATED", "annotation": {"id": 1}})
    assert event.status_code == 201
    assert event.json()["result"]["action"] == "ANNOTATION_CREATED"
    assert working.get("/api/v1/label_studio/none/health").status_code == 404


def test_a_box_becomes_a_polygon_in_percent(working: TestClient, data_uri: str) -> None:
    answer = working.post(f"{BASE}/predict", json=request(data_uri, [rectangle(), key_point(30, 50)]))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["model_version"].startswith("tiny-")
    (prediction,) = body["results"]
    assert prediction["model_version"] == body["model_version"]
    (result,) = prediction["result"]
    about = {name: result[name] for name in ("from_name", "to_name", "type", "original_width", "original_height")}
    assert about == {
        "from_name": "poly",
        "to_name": "img",
        "type": "polygonlabels",
        "original_width": 120,
        "original_height": 90,
    }
    assert result["value"]["polygonlabels"] == ["stone"]
    assert result["value"]["closed"] is True
    assert result["value"]["points"][0] == [30, 50]  # the key point
    assert len(result["value"]["points"]) >= 3
    assert all(0 <= value <= 100 for point in result["value"]["points"] for value in point)
    assert 0 <= prediction["score"] <= 1


def test_boxes_of_annotations_are_outlined_in_a_batch(working: TestClient, data_uri: str) -> None:
    two = [rectangle(), rectangle(0, 0, 30, 30)]
    answer = working.post(f"{BASE}/predict", json=request(data_uri, annotations=[{"result": two}])).json()
    assert len(answer["results"][0]["result"]) == 2
    none = working.post(f"{BASE}/predict", json=request(data_uri)).json()
    assert none["results"][0]["result"] == []


def test_local_files_below_a_root(working: TestClient, image_root: Path) -> None:
    odd = image_root / "half %20.png"
    odd.write_bytes((image_root / "one.png").read_bytes())
    try:
        for path in ("one.png", "pictures/one.png", "pictures%252Fone.png", "half%20%2520.png"):
            answer = working.post(f"{BASE}/predict", json=request(f"/data/local-files/?d={path}", [rectangle()]))
            assert answer.status_code == 200, answer.text
            assert answer.json()["results"][0]["result"], answer.text
    finally:
        odd.unlink()
    for path in ("../secret.png", "/etc/passwd", "pictures/../../x", "none.png"):
        refused = working.post(f"{BASE}/predict", json=request(f"/data/local-files/?d={path}", [rectangle()]))
        assert refused.status_code == 400
        assert "below no root" in refused.json()["error"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("<View><Image name='i' value='$x'/></View>", "no PolygonLabels over an Image"),
        ("<View", "no XML"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><View>&b;</View>", "document type"),
    ],
)
def test_a_configuration_without_polygons_is_refused(working: TestClient, config: str, said: str) -> None:
    answer = working.post(f"{BASE}/setup", json={"project": "1", "schema": config})
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_what_is_marked() -> None:
    config = read_config(CONFIG)
    assert (config.control, config.image, config.key, config.labels) == ("poly", "img", "picture", ("leaf", "stone"))
    marks = marked([rectangle(), key_point(30, 50), key_point(90, 90), key_point(25, 70), {"value": 3}, "x"], config)
    assert marks[0].points == ((30, 50), (25, 70))  # 90, 90 lies outside of the box
    (wish,) = wishes_of(marks, 200, 50)
    assert wish.box == (40, 10, 120, 30)
    assert (wish.start, wish.end) == ((60, 25), (50, 35))
    with pytest.raises(DataError, match="turned"):
        marked([rectangle(image_rotation=90)], config)
    with pytest.raises(DataError, match="lacks a number"):
        marked([{**rectangle(), "value": {"x": 1, "y": 2}}], config)
    for number in (float("nan"), 1e300):
        with pytest.raises(DataError, match="that is none"):
            marked([rectangle(x=number)], config)
    for wrong in (rectangle(image_rotation="a little"), rectangle(x=10**400)):
        with pytest.raises(DataError, match="lacks a number"):
            marked([wrong], config)
    (unnamed,) = marked([{"type": "rectangle", "value": {**rectangle()["value"], "rectanglelabels": {"a": 1}}}], config)
    assert unnamed.label == ""


PERSONAL = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2lnbmVk"


class Images(BaseHTTPRequestHandler):
    """A Label Studio that has one image and asks for a token, of either kind."""

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = (self.path, said) == ("/api/token/refresh/", {"refresh": PERSONAL})
        content = json.dumps({"access": "fresh.for.minutes"} if known else {"detail": "Token is invalid"}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        content = b"x" * 5000 if "large" in self.path else b"image"
        known = self.headers.get("Authorization") in ("Token secret", "Bearer fresh.for.minutes")
        self.send_response(302 if "away" in self.path else 200 if known else 401)
        self.send_header("Location", "http://169.254.169.254/")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@pytest.fixture
def label_studio() -> Iterator[ServeSettings]:
    server = HTTPServer(("127.0.0.1", 0), Images)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    yield ServeSettings(label_studio=address, label_studio_key="secret", limits=Limits(upload_bytes=1000))
    server.shutdown()
    server.server_close()


def test_images_are_fetched_from_label_studio_and_from_nowhere_else(label_studio: ServeSettings) -> None:
    assert fetch(label_studio, "/data/upload/1/a.png") == b"image"
    assert fetch(label_studio, f"{label_studio.label_studio}/data/upload/1/a.png") == b"image"
    for address in ("http://169.254.169.254/latest", "https://example.org/a.png", "file:///etc/passwd", "//evil/a"):
        with pytest.raises(DataError, match=r"lies elsewhere|is no path"):
            fetch(label_studio, address)
    with pytest.raises(DataError, match="answers 302"):
        fetch(label_studio, "/away")
    with pytest.raises(DataError, match="larger than 1000"):
        fetch(label_studio, "/large")
    with pytest.raises(DataError, match="is no path"):
        fetch(label_studio, "/data/../admin")
    for address in ("http://[", "/data/\x01.png"):
        with pytest.raises(DataError, match=r"is no address \("):
            fetch(label_studio, address)
    with pytest.raises(DataError, match="LABEL_STUDIO_URL"):
        fetch(ServeSettings(), "/data/upload/1/a.png")
    wrong = ServeSettings(label_studio=label_studio.label_studio, label_studio_key="other")
    with pytest.raises(DataError, match="answers 401"):
        fetch(wrong, "/data/upload/1/a.png")


def test_a_personal_access_token_is_changed_for_one_of_a_few_minutes(label_studio: ServeSettings) -> None:
    place = "/data/upload/1/a.png"
    assert fetch(replace(label_studio, label_studio_key=PERSONAL), place) == b"image"
    with pytest.raises(DataError, match="answers 401 to LABEL_STUDIO_API_KEY; expected a personal access token"):
        fetch(replace(label_studio, label_studio_key="not.known.there"), place)
    with pytest.raises(DataError, match="gives no access"):
        fetch(replace(label_studio, label_studio="http://127.0.0.1:9", label_studio_key=PERSONAL), place)


def test_a_task_that_cannot_be_outlined_takes_no_other_with_it(working: TestClient, data_uri: str) -> None:
    marks = [{"result": [rectangle()]}]
    bad = {"id": 8, "data": {"picture": "data:image/png;base64,AAAA"}, "annotations": marks}
    good = {"id": 7, "data": {"picture": data_uri}, "annotations": marks}
    body = {"tasks": [bad, good], "project": "1.1", "label_config": CONFIG, "params": {"context": None}}
    answer = working.post(f"{BASE}/predict", json=body)
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["results"]
    assert first["result"] == []
    assert "image that can be read" in first["error"]
    assert len(second["result"]) == 1
    alone = working.post(f"{BASE}/predict", json={**body, "tasks": [bad]})
    assert alone.status_code == 400
    assert "image that can be read" in alone.json()["error"]


def test_a_token_comes_as_a_password(small_run: Path, tmp_path: Path) -> None:
    from semicoupled.serving.app import create_app

    token = "a-token-of-some-length"
    settings = ServeSettings(runs=(str(small_run),), token=token, state=tmp_path, shipped=False)
    client = TestClient(create_app(settings), base_url="http://127.0.0.1:8642")
    assert client.get(f"{BASE}/health").status_code == 401
    assert client.get(f"{BASE}/health", auth=("label-studio", token)).status_code == 200
    assert client.get(f"{BASE}/health", auth=("label-studio", "wrong" + token)).status_code == 401
    assert client.get("/api/v1/anylabeling/v1/models", headers={"Token": token}).status_code == 200
    assert client.get("/api/v1/anylabeling/v1/models", headers={"Token": ""}).status_code == 401
    assert client.get(f"{BASE}/health", headers={"Authorization": "Basic ???"}).status_code == 401
