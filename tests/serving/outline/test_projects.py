"""Images that are opened, and projects on disk."""

from __future__ import annotations

import errno
import io
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from semicoupled.serving.app import create_app
from semicoupled.serving.settings import Limits, ServeSettings

API = "/api/v1/outline"
ADDRESS = "http://127.0.0.1:8642"
BOX = {"x": 25, "y": 18, "width": 70, "height": 54}
Call = Callable[..., Any]


def test_a_folder_of_images_and_the_one_that_is_broken(working: TestClient, opened: Call) -> None:
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


def test_generated_images_come_with_their_truth(working: TestClient, opened: Call, do: Call, piece: Call) -> None:
    found = opened(working, {"sample": "shapes"})
    assert found["truth"] == list(range(len(found["images"])))
    image = working.get(f"{API}/projects/{found['id']}/images/0").json()
    (box,) = [one["pieces"][0]["box"] for one in image["truth"][:1]]
    x, y, width, height = box
    do(working, found["id"], do="box", x=x, y=y, width=width, height=height)
    drawn = do(working, found["id"], do="draw")
    assert drawn["score"] is None or 0 <= drawn["score"]["iou"] <= 1
    assert len(piece(drawn)["corners"]) >= 1


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


def test_own_images_stay_with_the_project(working: TestClient, png: bytes, opened: Call, upload: Call) -> None:
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


def test_a_huge_image_is_refused_before_it_is_decoded(working: TestClient, upload: Call) -> None:
    body = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000)))):
        body += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    identifier = upload(working, {"bomb.png": body})
    answer = working.post(f"{API}/projects", json={"run": "tiny", "source": {"upload": identifier}})
    assert answer.status_code == 400
    assert "60000 x 60000 pixels" in answer.json()["error"]


def test_projects_are_refused_when_there_is_no_room(small_run: Path, tmp_path: Path) -> None:
    settings = ServeSettings(
        runs=(str(small_run),), state=tmp_path, shipped=False, limits=Limits(uploads_bytes=1000, upload_bytes=900)
    )
    client = TestClient(create_app(settings), base_url=ADDRESS)
    body = {"run": "tiny", "source": {"sample": "shapes"}}
    assert client.post(f"{API}/projects", json=body).status_code == 201
    full = client.post(f"{API}/projects", json=body)
    assert full.status_code == 400
    assert "Remove one" in full.json()["error"]


@pytest.mark.slow
def test_a_folder_of_a_thousand_images_opens(small_run: Path, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for number in range(1000):
        Image.new("L", (8, 6), number % 250).save(tmp_path / "many" / f"{number:04d}.png")
    settings = ServeSettings(runs=(str(small_run),), roots=(tmp_path / "many",), state=tmp_path / "s", shipped=False)
    with TestClient(create_app(settings), base_url=ADDRESS) as client:
        body = {"run": "tiny", "source": {"root": "many"}}
        found = client.post(f"{API}/projects", json=body)
        assert found.status_code == 201, found.text
        assert [one["name"] for one in found.json()["images"]] == [f"{number:04d}.png" for number in range(1000)]


def test_a_folder_of_too_many_images_says_how_many_there_may_be(small_run: Path, image_root: Path) -> None:
    limits = Limits(images=2)
    app = create_app(ServeSettings(runs=(str(small_run),), roots=(image_root,), shipped=False, limits=limits))
    with TestClient(app, base_url=ADDRESS) as client:
        answer = client.post(f"{API}/projects", json={"run": "tiny", "source": {"root": "pictures"}})
    assert answer.status_code == 400
    assert "holds more than 2 files; expected fewer" in answer.json()["error"]


def test_of_images_that_a_full_disk_does_not_take_nothing_stays(
    working: TestClient, state: Path, png: bytes, upload: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"a part of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = sorted((state / "outline").iterdir())
    identifier = upload(working, {"one.png": png})
    monkeypatch.setattr(shutil, "copyfile", full)
    answer = working.post(f"{API}/projects", json={"run": "tiny", "source": {"upload": identifier}})
    assert answer.status_code == 400
    assert "cannot be saved (No space left on device), so nothing was changed" in answer.json()["error"]
    assert sorted((state / "outline").iterdir()) == before
