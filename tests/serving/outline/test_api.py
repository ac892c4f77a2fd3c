"""Projects, commands, annotations: over HTTP and WebSocket, with a worker that draws."""

from __future__ import annotations

import io
import json
import os
import signal
import struct
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from starlette.websockets import WebSocketDisconnect

from semicoupled.serving.app import create_app
from semicoupled.serving.settings import ServeSettings

API = "/api/v1/outline"
ADDRESS = "http://127.0.0.1:8642"
BOX = {"x": 25, "y": 18, "width": 70, "height": 54}


def opened(client: TestClient, source: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"{API}/projects", json={"run": "tiny", "source": source})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def project(working: TestClient) -> str:
    return opened(working, {"root": "pictures", "path": "one.png"})["id"]


def do(client: TestClient, project: str, status: int = 200, image: int = 0, **command: Any) -> dict[str, Any]:
    answer = client.post(f"{API}/projects/{project}/images/{image}/commands", json=command)
    assert answer.status_code == status, answer.text
    return answer.json()


def piece(answer: dict[str, Any]) -> dict[str, Any]:
    state = answer["state"]
    (thing,) = [one for one in state["things"] if one["id"] == state["current"]]
    return thing["pieces"][state["piece"]]


def upload(client: TestClient, files: dict[str, bytes]) -> str:
    identifier = client.post("/api/v1/uploads").json()["id"]
    for name, content in files.items():
        put = client.put(f"/api/v1/uploads/{identifier}/files", params={"name": name}, content=content)
        assert put.status_code == 201
    return identifier


def test_a_folder_of_images_and_the_one_that_is_broken(working: TestClient) -> None:
    found = opened(working, {"root": "pictures"})
    sizes = {one["name"]: (one["width"], one["height"]) for one in found["images"]}
    assert sizes == {"more/deep.tif": (120, 90), "more/turned.jpg": (90, 120), "one.png": (120, 90)}
    assert len(found["problems"]) == 1
    assert "broken.png" in found["problems"][0]
    assert "/tmp" not in found["problems"][0]
    for number, one in enumerate(found["images"]):
        view = working.get(f"{API}/projects/{found['id']}/images/{number}/view")
        assert view.headers["content-type"] == "image/jpeg"
        assert Image.open(io.BytesIO(view.content)).size == (one["width"], one["height"])


def test_generated_images_come_with_their_truth(working: TestClient) -> None:
    found = opened(working, {"sample": "shapes"})
    assert found["truth"] == list(range(len(found["images"])))
    image = working.get(f"{API}/projects/{found['id']}/images/0").json()
    (box,) = [one["pieces"][0]["box"] for one in image["truth"][:1]]
    x, y, width, height = box
    do(working, found["id"], do="box", x=x, y=y, width=width, height=height)
    drawn = do(working, found["id"], do="draw")
    assert drawn["score"] is None or 0 <= drawn["score"]["iou"] <= 1
    assert len(piece(drawn)["corners"]) >= 1


def test_draw_move_undo(working: TestClient, project: str) -> None:
    do(working, project, do="box", **BOX)
    drawn = do(working, project, do="start", x=30, y=45)
    before = piece(drawn)["corners"]
    assert before[0] == [30, 45, 1.0, 3]  # given and pinned
    assert 3 <= len(before) <= 12
    assert drawn["seconds"][0] <= drawn["seconds"][1]
    moved = do(working, project, do="move", index=1, x=60, y=20, revision=drawn["state"]["revision"])
    after = piece(moved)["corners"]
    assert after[:2] == [before[0], [60, 20, 1.0, 3]]
    assert moved["state"]["things"][0]["clicks"] == 1
    undone = do(working, project, do="undo")
    assert piece(undone)["corners"] == before
    assert piece(do(working, project, do="redo"))["corners"] == after


def test_a_preview_changes_nothing_and_says_what_a_move_would_do(working: TestClient, project: str) -> None:
    do(working, project, do="box", **BOX)
    drawn = do(working, project, do="start", x=30, y=45)
    shown = do(working, project, do="move", index=1, x=60, y=20, preview=True)
    assert "state" not in shown
    now = working.get(f"{API}/projects/{project}/images/0").json()
    assert now["state"] == drawn["state"]
    moved = do(working, project, do="move", index=1, x=60, y=20)
    assert piece(moved)["corners"] == shown["piece"]["corners"]


@pytest.mark.slow
def test_states_that_were_kept_and_states_made_anew_draw_the_same(working: TestClient, project: str) -> None:
    do(working, project, do="box", **BOX)
    do(working, project, do="start", x=30, y=45)
    at_once = piece(do(working, project, do="move", index=2, x=70, y=60))["corners"]
    do(working, project, do="undo")
    kill_worker(working)
    again = piece(do(working, project, do="move", index=2, x=70, y=60))["corners"]
    assert again == at_once


def kill_worker(client: TestClient) -> None:
    jobs = client.app.state.services.jobs
    before = jobs.process_id
    os.kill(before, signal.SIGKILL)
    until = time.monotonic() + 120
    while jobs.process_id in (before, None) and time.monotonic() < until:
        time.sleep(0.1)


def test_direction_by_the_second_point_or_by_the_last(working: TestClient, project: str) -> None:
    do(working, project, do="box", **BOX)
    ahead = piece(do(working, project, do="start", x=30, y=45, second=[60, 20]))["corners"]
    assert ahead[1] == [60, 20, 1.0, 3]
    behind = piece(do(working, project, do="start", x=30, y=45, end=[40, 65]))
    assert behind["end"] == [40, 65]


def test_points_alone_pins_and_the_end(working: TestClient, project: str) -> None:
    do(working, project, do="box", **BOX)
    before = piece(do(working, project, do="start", x=30, y=45))["corners"]
    put = piece(do(working, project, do="insert", index=0, x=31, y=40))["corners"]
    assert put == [before[0], [31, 40, 1.0, 3], *before[1:]]
    placed = piece(do(working, project, do="place", index=1, x=33, y=41))["corners"]
    assert placed == [before[0], [33, 41, 1.0, 3], *before[1:]]
    assert piece(do(working, project, do="pin", index=1, pinned=False))["corners"][1][3] == 1
    assert piece(do(working, project, do="delete", index=1))["corners"] == before
    ended = piece(do(working, project, do="close", index=2))
    assert (len(ended["corners"]), ended["closed"]) == (3, True)
    assert piece(do(working, project, do="clear"))["corners"] == []


def test_parts_labels_accepting_and_removing(working: TestClient, project: str) -> None:
    do(working, project, do="box", **BOX, label="leaf")
    assert "no part has three points" in do(working, project, 400, do="accept")["error"]
    do(working, project, do="start", x=30, y=45)
    two = do(working, project, do="box", x=2, y=2, width=20, height=20, part=True)
    assert (two["state"]["piece"], len(two["state"]["things"][0]["pieces"])) == (1, 2)
    do(working, project, do="draw")
    do(working, project, do="label", label="a leaf")
    accepted = do(working, project, do="accept")["state"]
    assert accepted["current"] is None
    assert (accepted["things"][0]["accepted"], accepted["things"][0]["label"]) == (True, "a leaf")
    assert "a leaf" in working.get(f"{API}/projects/{project}").json()["labels"]
    do(working, project, do="choose", thing=1, piece=1)
    assert len(do(working, project, do="remove", part=True)["state"]["things"][0]["pieces"]) == 1
    assert do(working, project, do="remove")["state"]["things"] == []


def test_a_command_from_an_older_state_is_refused(working: TestClient, project: str) -> None:
    first = do(working, project, do="box", **BOX)
    do(working, project, do="start", x=30, y=45)
    said = do(working, project, 409, do="delete", index=0, revision=first["state"]["revision"])
    assert "in another window perhaps" in said["error"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ({"do": "move", "index": 0, "x": 1, "y": 1}, "no object is chosen"),
        ({"do": "box", "x": 500, "y": 5, "width": 10, "height": 10}, "lies outside of the image"),
        ({"do": "box", "x": 5, "y": 5}, "expected x, y, width and height"),
        ({"do": "choose", "thing": 99}, "no object is chosen"),
    ],
)
def test_what_cannot_be_done_is_said(working: TestClient, project: str, command: dict[str, Any], said: str) -> None:
    assert said in do(working, project, 400, **command)["error"]


@pytest.mark.parametrize(
    "command",
    [
        {"do": "fly"},
        {"do": "box", "x": 1e9, "y": 0, "width": 1, "height": 1},
        {"do": "box", "x": 0, "y": 0, "width": -4, "height": 1},
        {"do": "delete", "index": -1},
        {"do": "undo", "strange": 1},
    ],
)
def test_nonsense_is_refused(working: TestClient, project: str, command: dict[str, Any]) -> None:
    do(working, project, 422, **command)


def test_numbers_that_are_none_are_refused(working: TestClient, project: str) -> None:
    body = '{"do": "start", "x": NaN, "y": Infinity}'
    answer = working.post(
        f"{API}/projects/{project}/images/0/commands", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422


def test_a_box_larger_than_the_image_costs_no_more_than_the_image(working: TestClient, project: str) -> None:
    do(working, project, do="box", x=-900_000, y=-900_000, width=990_000, height=990_000)
    assert piece(do(working, project, do="draw"))["corners"]


def test_where_the_next_point_is_expected(working: TestClient, project: str) -> None:
    do(working, project, do="box", **BOX)
    do(working, project, do="start", x=30, y=45)
    found = working.post(f"{API}/projects/{project}/images/0/expected", json={"index": 1}).json()
    assert (found["grid"], len(found["cells"]), max(found["cells"])) == (16, 256, 255)
    assert 0 <= found["closed"] <= 1
    none = working.post(f"{API}/projects/{project}/images/0/expected", json={"index": 99})
    assert "there is no point 99" in none.json()["error"]


def test_every_stream_draws_its_own(working: TestClient, project: str) -> None:
    do(working, project, do="box", **BOX)
    drawn = piece(do(working, project, do="start", x=30, y=45))["corners"]
    found = working.post(f"{API}/projects/{project}/images/0/streams").json()["streams"]
    assert set(found) == {"main", "spatial", "temporal"}
    assert all(points[0] == [30, 45] for points in found.values())
    assert len(drawn) >= 3


def test_points_come_one_by_one(working: TestClient, project: str) -> None:
    with working.websocket_connect(f"ws://127.0.0.1:8642{API}/projects/{project}/live") as socket:
        socket.send_json({"id": 1, "image": 0, "command": {"do": "box", **BOX}})
        assert socket.receive_json()["state"]["current"] == 1
        socket.send_json({"id": 2, "image": 0, "command": {"do": "start", "x": 30, "y": 45}})
        points: list[dict[str, Any]] = []
        while "state" not in (message := socket.receive_json()):
            assert message["id"] == 2
            points.append(message["point"])
        corners = piece(message)["corners"]
        assert [point["index"] for point in points] == list(range(1, len(corners)))
        assert [[one["x"], one["y"]] for one in points] == [corner[:2] for corner in corners[1:]]
        socket.send_json({"id": 3, "image": 0, "command": {"do": "move", "index": 99, "x": 1, "y": 1}})
        assert "there is no point 99" in socket.receive_json()["error"]
        socket.send_json({"id": 4, "image": 0, "command": {"do": "undo", "revision": 0}})
        stale = socket.receive_json()
        assert "revision" in stale["error"]
        assert piece(stale)["corners"] == corners  # the page can go on from there
        socket.send_json({"id": 5, "image": 0, "command": {"do": "no such thing"}})
        assert "do" in socket.receive_json()["error"]
        socket.send_json([1, 2])
        assert socket.receive_json()["error"].startswith("expected an object")


def test_a_later_preview_overtakes(working: TestClient, project: str) -> None:
    with working.websocket_connect(f"ws://127.0.0.1:8642{API}/projects/{project}/live") as socket:
        for number, command in enumerate(({"do": "box", **BOX}, {"do": "start", "x": 30, "y": 45})):
            socket.send_json({"id": number, "image": 0, "command": command})
        while "state" not in (message := socket.receive_json()) or message["id"] != 1:
            pass
        before = message["state"]
        for number in range(10, 16):
            move = {"do": "move", "index": 0, "x": 30 + number, "y": 45, "preview": True}
            socket.send_json({"id": number, "image": 0, "command": move})
        socket.send_json(
            {"id": 99, "image": 0, "command": {"do": "delete", "index": 0, "revision": before["revision"]}}
        )
        while (message := socket.receive_json())["id"] != 99:
            pass
        assert len(piece(message)["corners"]) == len(before["things"][0]["pieces"][0]["corners"]) - 1


def test_the_socket_of_no_project_says_so(working: TestClient) -> None:
    with working.websocket_connect(f"ws://127.0.0.1:8642{API}/projects/{'0' * 32}/live") as socket:
        socket.send_json({"id": 1, "image": 0, "command": {"do": "undo"}})
        assert "no such project" in socket.receive_json()["error"]


def test_another_origin_gets_no_socket(working: TestClient, project: str) -> None:
    headers = {"origin": "http://evil.example"}
    with (
        pytest.raises(WebSocketDisconnect),
        working.websocket_connect(f"ws://127.0.0.1:8642{API}/projects/{project}/live", headers=headers),
    ):
        pass


@pytest.mark.parametrize("identifier", ["..", "%2e%2e", "0" * 31, "A" * 32, "../" * 3, "0" * 32])
def test_an_id_is_never_a_path(working: TestClient, identifier: str) -> None:
    assert working.get(f"{API}/projects/{identifier}").status_code == 404


def test_nothing_is_lost_when_the_server_dies(small_run: Path, image_root: Path, state: Path, project: str) -> None:
    # what another server finds on disk, without a word from the one that wrote it
    settings = ServeSettings(runs=(str(small_run),), roots=(image_root,), state=state, shipped=False)
    client = TestClient(create_app(settings), base_url=ADDRESS)
    answer = client.post(f"{API}/projects/{project}/images/0/commands", json={"do": "box", **BOX})
    assert answer.json()["state"]["revision"] == 1
    third = TestClient(create_app(settings), base_url=ADDRESS)
    now = third.get(f"{API}/projects/{project}/images/0").json()["state"]
    assert (now["revision"], now["undo"], len(now["things"])) == (1, 1, 1)
    undone = third.post(f"{API}/projects/{project}/images/0/commands", json={"do": "undo"}).json()
    assert undone["state"]["things"] == []
    assert project in [one["id"] for one in third.get(f"{API}/projects").json()]


def test_own_images_stay_with_the_project(working: TestClient, png: bytes) -> None:
    identifier = upload(working, {"mein Bild.png": png, "../../two.png": png, "note.json": b"{}"})
    half = opened(working, {"upload": identifier})
    assert len(half["images"]) == 2
    assert "note.json" in half["problems"][0]  # it holds no annotations; the images are there all the same
    identifier = upload(working, {"mein Bild.png": png, "../../two.png": png})
    found = opened(working, {"upload": identifier})
    assert sorted(one["name"] for one in found["images"]) == ["mein Bild.png", "two.png"]
    working.delete(f"/api/v1/uploads/{identifier}")
    assert working.get(f"{API}/projects/{found['id']}/images/1/view").status_code == 200
    assert working.delete(f"{API}/projects/{found['id']}").status_code == 204
    assert working.get(f"{API}/projects/{found['id']}").status_code == 404


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
    working: TestClient, project: str, name: str, content: dict[str, Any], tmp_path: Path
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


def test_the_truth_is_compared_and_not_gone_on_with(working: TestClient, project: str) -> None:
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


def test_annotations_of_other_images_are_refused(working: TestClient, project: str) -> None:
    other = {**COCO, "images": [{**COCO["images"][0], "file_name": "two.png"}]}
    wrong = {**COCO, "images": [{**COCO["images"][0], "width": 99}]}
    for content, said in ((other, "such as one.png"), (wrong, "expected 120 x 90"), ({"a": 1}, "no format")):
        identifier = upload(working, {"a.json": json.dumps(content).encode()})
        answer = working.post(f"{API}/projects/{project}/annotations", json={"source": {"upload": identifier}})
        assert answer.status_code == 400
        assert said in answer.json()["error"]
        assert "/tmp" not in answer.json()["error"]


def test_a_huge_image_is_refused_before_it_is_decoded(working: TestClient) -> None:
    body = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000)))):
        body += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    identifier = upload(working, {"bomb.png": body})
    answer = working.post(f"{API}/projects", json={"run": "tiny", "source": {"upload": identifier}})
    assert answer.status_code == 400
    assert "60000 x 60000 pixels" in answer.json()["error"]


def test_projects_are_refused_when_there_is_no_room(small_run: Path, tmp_path: Path) -> None:
    from semicoupled.serving.settings import Limits

    settings = ServeSettings(
        runs=(str(small_run),), state=tmp_path, shipped=False, limits=Limits(uploads_bytes=1000, upload_bytes=900)
    )
    client = TestClient(create_app(settings), base_url=ADDRESS)
    body = {"run": "tiny", "source": {"sample": "shapes"}}
    assert client.post(f"{API}/projects", json=body).status_code == 201
    full = client.post(f"{API}/projects", json=body)
    assert full.status_code == 400
    assert "Remove one" in full.json()["error"]
