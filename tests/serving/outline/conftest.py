"""Runs of outlines whose networks are as they were born, images, and apps that know them."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from semicoupled.run_folder import open_run
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.model import build_model
from semicoupled.tasks.outline.settings import ModelSettings, OutlineSettings
from semicoupled.training.settings import GoalWeights
from semicoupled.training.weights import save_weights

pytest.importorskip("fastapi", reason="no fastapi: pip install 'semicoupled[serve]'")

from fastapi.testclient import TestClient

from semicoupled.serving.app import create_app
from semicoupled.serving.settings import ServeSettings

ADDRESS = "http://127.0.0.1:8642"
API = "/api/v1/outline"


def make_run(path: Path, model: ModelSettings, data: DataSettings, **settings: Any) -> Path:
    """Make a run whose weights are random, but the same every time."""
    torch.manual_seed(3)
    whole = OutlineSettings(model=model, data=data, **settings)
    run = open_run(path, "outline", whole)
    run.write_description({"labels": ["blob"], "grid": data.grid, "crop": data.crop})
    save_weights(run.weights_file, build_model(model, data.grid), {})
    return path


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network with heads for all streams."""
    data = DataSettings(size=64, grid=16, points=12)
    goals = GoalWeights(spatial=0.3, temporal=0.3)
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    return make_run(folder, ModelSettings(features=8, widths=(8, 8)), data, goals=goals)


@pytest.fixture(scope="session")
def deep_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Table 4's network of 5 layers."""
    return make_run(tmp_path_factory.mktemp("deep") / "five", ModelSettings(layers=5), DataSettings())


def picture(width: int = 120, height: int = 90) -> Image.Image:
    """A light object on a dark ground."""
    image = Image.new("RGB", (width, height), (30, 40, 50))
    ImageDraw.Draw(image).ellipse((width * 0.25, height * 0.25, width * 0.75, height * 0.75), fill=(220, 200, 40))
    return image


@pytest.fixture(scope="session")
def png() -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    picture().save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def data_uri(png: bytes) -> str:
    """The picture as programs send it."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


@pytest.fixture(scope="session")
def image_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images of several kinds, and annotations of them."""
    root = tmp_path_factory.mktemp("images") / "pictures"
    (root / "more").mkdir(parents=True)
    picture().save(root / "one.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    picture().save(root / "more" / "turned.jpg", exif=turned)
    deep = (np.arange(90 * 120, dtype=np.uint16) * 6).reshape(90, 120)
    Image.fromarray(deep).save(root / "more" / "deep.tif")
    (root / "more" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return root


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where projects are kept."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="session")
def real_server(
    small_run: Path,
    image_root: Path,
    tmp_path_factory: pytest.TempPathFactory,
    run_server: Callable[..., AbstractContextManager[Any]],
) -> Iterator[str]:
    """The address of a server in a process of its own, with a worker."""
    kept = tmp_path_factory.mktemp("state")
    with run_server(str(small_run), "--root", str(image_root), "--state", str(kept)) as server:
        yield server.address


@pytest.fixture(scope="session")
def working(small_run: Path, image_root: Path, state: Path) -> Iterator[TestClient]:
    """A client of an app with a worker."""
    app = create_app(ServeSettings(runs=(str(small_run),), roots=(image_root,), state=state, shipped=False))
    with TestClient(app, base_url=ADDRESS, raise_server_exceptions=False) as client:
        yield client


def open_project(client: TestClient, source: dict[str, Any]) -> dict[str, Any]:
    """Open images with the tiny network's help."""
    answer = client.post(f"{API}/projects", json={"run": "tiny", "source": source})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def opened() -> Callable[..., dict[str, Any]]:
    """`open_project`."""
    return open_project


@pytest.fixture
def project(working: TestClient) -> str:
    """The id of a project of one image."""
    return open_project(working, {"root": "pictures", "path": "one.png"})["id"]


@pytest.fixture
def do() -> Callable[..., dict[str, Any]]:
    """Gives a command to an image of a project, and its answer."""

    def give(client: TestClient, project: str, status: int = 200, image: int = 0, **command: Any) -> dict[str, Any]:
        answer = client.post(f"{API}/projects/{project}/images/{image}/commands", json=command)
        assert answer.status_code == status, answer.text
        return answer.json()

    return give


@pytest.fixture
def piece() -> Callable[..., dict[str, Any]]:
    """Reads the part that is worked on out of an answer."""

    def read(answer: dict[str, Any]) -> dict[str, Any]:
        state = answer["state"]
        (thing,) = [one for one in state["things"] if one["id"] == state["current"]]
        return thing["pieces"][state["piece"]]

    return read


@pytest.fixture
def upload() -> Callable[..., str]:
    """Sends files, and gives the id of the upload."""

    def send(client: TestClient, files: dict[str, bytes]) -> str:
        identifier = client.post("/api/v1/uploads").json()["id"]
        for name, content in files.items():
            put = client.put(f"/api/v1/uploads/{identifier}/files", params={"name": name}, content=content)
            assert put.status_code == 201
        return identifier

    return send
