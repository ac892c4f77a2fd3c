"""Annotations that come in, go out, and are compared with."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

API = "/api/v1/outline"
Call = Callable[..., Any]


COCO = {
    "images": [{"id": 5, "file_name": "anywhere/one.png", "width": 120, "height": 90}],
    "categories": [{"id": 1, "name": "disc"}],
    "annotations": [
        {"id": 1, "image_id": 5, "category_id": 1, "segmentation": [[30, 20, 90, 20, 90, 70, 30, 70]]},
    ],
}


LABELME = {
    "imagePath": "../../../etc/passwd/one.png",
    "shapes": [{"label": "disc", "points": [[30, 20], [90, 20], [90, 70]], "shape_type": "polygon"}],
}


CITYSCAPES = {
    "imgWidth": 120,
    "imgHeight": 90,
    "objects": [{"label": "disc", "polygon": [[30, 20], [90, 20], [90, 70]]}],
}


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.json", COCO), ("one.json", LABELME), ("one_gtFine_polygons.json", CITYSCAPES)],
    ids=["coco", "labelme", "cityscapes"],
)
def test_annotations_come_in_and_go_out(
    working: TestClient, project: str, name: str, content: dict[str, Any], tmp_path: Path, upload: Call
) -> None:
    identifier = upload(working, {name: json.dumps(content).encode()})
    read = working.post(f"{API}/projects/{project}/annotations", json={"source": {"upload": identifier}})
    assert read.json() == {"objects": 1, "images": 1, "strangers": 0, "notes": []}, read.text
    (thing,) = working.get(f"{API}/projects/{project}/images/0").json()["state"]["things"]
    assert thing["label"] == "disc"
    assert [corner[:2] for corner in thing["pieces"][0]["corners"]][:3] == [[30, 20], [90, 20], [90, 70]][:3]
    for kind in ("coco", "labelme", "cityscapes"):
        out = working.post(f"{API}/projects/{project}/exports", json={"format": kind})
        assert out.headers["content-disposition"].startswith("attachment; filename=")
        if kind == "coco":
            written = json.loads(out.content)
            assert written["images"][0]["file_name"] == "one.png"
            assert written["annotations"][0]["segmentation"][0][:4] == [30, 20, 90, 20]
            continue
        with zipfile.ZipFile(io.BytesIO(out.content)) as archive:
            (file,) = archive.namelist()
            document = json.loads(archive.read(file))
        shapes = document["shapes" if kind == "labelme" else "objects"]
        assert shapes[0]["points" if kind == "labelme" else "polygon"][:2] == [[30, 20], [90, 20]]
        assert document["imagePath"] == "one.png"


def test_the_truth_is_compared_and_not_gone_on_with(working: TestClient, project: str, do: Call, upload: Call) -> None:
    identifier = upload(working, {"a.json": json.dumps(COCO).encode()})
    body = {"source": {"upload": identifier}, "use": "truth"}
    working.post(f"{API}/projects/{project}/annotations", json=body)
    image = working.get(f"{API}/projects/{project}/images/0").json()
    assert image["state"]["things"] == []
    assert len(image["truth"]) == 1
    do(working, project, do="box", x=30, y=20, width=60, height=50)
    for index, (x, y) in enumerate([(30, 20), (90, 20), (90, 70)]):
        if index == 0:
            do(working, project, do="start", x=x, y=y)
            do(working, project, do="close", index=0)
        else:
            last = do(working, project, do="insert", index=index - 1, x=x, y=y)
    assert last["score"] == {"iou": pytest.approx(0.5, abs=0.01), "label": "disc", "truth": 0, "clicks": 3}


def test_annotations_of_other_images_are_refused(working: TestClient, project: str, upload: Call) -> None:
    other = {**COCO, "images": [{**COCO["images"][0], "file_name": "two.png"}]}
    wrong = {**COCO, "images": [{**COCO["images"][0], "width": 99}]}
    for content, said in ((other, "such as one.png"), (wrong, "expected 120 x 90"), ({"a": 1}, "no format")):
        identifier = upload(working, {"a.json": json.dumps(content).encode()})
        answer = working.post(f"{API}/projects/{project}/annotations", json={"source": {"upload": identifier}})
        assert answer.status_code == 400
        assert said in answer.json()["error"]
        assert "/tmp" not in answer.json()["error"]
