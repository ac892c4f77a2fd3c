"""CVAT's interactor: function.yaml as CVAT reads it, the handler as nuclio calls it (cvat/apps/lambda_manager)."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image, ImageDraw

from semicoupled.errors import DataError
from semicoupled.run_folder import open_run
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.geometry.raster import rasterize
from semicoupled.tasks.outline.geometry.window import Window
from semicoupled.tasks.outline.model import build_model
from semicoupled.tasks.outline.settings import ModelSettings, OutlineSettings
from semicoupled.training.weights import save_weights

EXAMPLE = Path(__file__).parents[2] / "examples" / "cvat"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    settings = OutlineSettings(
        data=DataSettings(size=64, grid=16, points=12), model=ModelSettings(features=8, widths=(8, 8))
    )
    folder = tmp_path_factory.mktemp("cvat") / "run"
    made = open_run(folder, "outline", settings)
    made.write_description({})
    save_weights(made.weights_file, build_model(settings.model, 16), {})
    return folder


@pytest.fixture
def context(run: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What nuclio gives a function."""
    found = SimpleNamespace(
        user_data=SimpleNamespace(), logger=SimpleNamespace(info=lambda text: None), Response=SimpleNamespace
    )
    monkeypatch.setenv("SEMICOUPLED_RUN", str(run))
    main().init_context(found)
    return found


def main() -> Any:
    """Import main.py as nuclio does."""
    spec = importlib.util.spec_from_file_location("cvat_main", EXAMPLE / "main.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def image(size: tuple[int, int] = (120, 90)) -> str:
    picture = Image.new("RGB", size, (30, 40, 50))
    ImageDraw.Draw(picture).ellipse((30, 20, 90, 70), fill=(220, 200, 40))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def call(context: Any, **body: Any) -> Any:
    return main().handler(context, SimpleNamespace(body=body))


def test_the_function_is_what_cvat_expects_of_an_interactor() -> None:
    about = yaml.safe_load((EXAMPLE / "function.yaml").read_text(encoding="utf-8"))
    notes = about["metadata"]["annotations"]
    assert notes["type"] == "interactor"
    assert json.loads(notes["spec"] or "[]") == []  # as CVAT reads it; an interactor has no labels of its own
    assert bool(notes["startswith_box"]) is True
    assert (int(notes["min_pos_points"]), int(notes["min_neg_points"]), int(notes["version"])) == (1, -1, 2)
    assert about["spec"]["handler"] == "main:handler"
    assert about["spec"]["description"]
    assert hasattr(main(), about["spec"]["handler"].split(":")[1])
    assert [one["name"] for one in about["spec"]["env"]] == ["SEMICOUPLED_RUN"]


def test_a_box_and_a_click_become_a_mask_and_points(context: Any) -> None:
    answer = call(context, image=image(), pos_points=[[35, 45]], neg_points=[], obj_bbox=[[90, 70], [30, 20]])
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    found = json.loads(answer.body)
    mask = np.array(found["mask"])
    assert mask.shape == (90, 120)
    assert set(np.unique(mask)) <= {0, 255}
    assert found["points"][0] == [35, 45]
    assert len(found["points"]) >= 3
    again = rasterize([np.array(found["points"], dtype=np.float64)], Window(0, 0, 120, 90))
    assert (again == (mask > 0)).mean() > 0.999  # the points are rounded


def test_without_a_click_the_network_begins(context: Any) -> None:
    answer = call(context, image=image(), pos_points=[], neg_points=[], obj_bbox=[[30, 20], [90, 70]])
    assert json.loads(answer.body)["points"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"image": "no"}, "cannot be read"),
        ({"image": base64.b64encode(b"no image").decode()}, "cannot be read"),
        (
            {"image": base64.b64encode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n").decode()},
            "cannot",
        ),
        ({"image": None}, "no image, but None; expected base64"),
        ({"obj_bbox": None}, "0 corners in obj_bbox; expected two"),
        ({"obj_bbox": [[30, 20], [90, 70], [5, 5]]}, "3 corners in obj_bbox; expected two"),
        ({"obj_bbox": [[30, 20], [90]]}, "obj_bbox is [[30, 20], [90]]; expected pairs of numbers"),
        ({"obj_bbox": 30}, "obj_bbox is 30; expected pairs of numbers"),
        ({"pos_points": [35, 45]}, "pos_points is [35, 45]; expected pairs of numbers"),
        ({"pos_points": [[float("nan"), 45]]}, "pos_points is [[nan, 45]]; expected finite numbers"),
        ({"obj_bbox": [[300, 300], [400, 400]]}, "outside of the image"),
    ],
)
def test_what_cannot_be_answered_says_why(context: Any, body: dict[str, Any], said: str) -> None:
    whole = {"image": image(), "pos_points": [[35, 45]], "neg_points": [], "obj_bbox": [[30, 20], [90, 70]], **body}
    answer = call(context, **whole)
    assert answer.status_code == 400
    assert said in json.loads(answer.body)["error"]


@pytest.mark.parametrize("body", [b"[]", b"{}", b"nothing", b"", None])
def test_a_call_without_what_it_needs_says_why(context: Any, body: bytes | None) -> None:
    answer = main().handler(context, SimpleNamespace(body=body))
    assert answer.status_code == 400
    assert len(json.loads(answer.body)["error"]) > 20


def test_an_image_that_is_too_large_is_not_decoded(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semicoupled.plugins.cvat.PIXELS", 1000)
    answer = call(context, image=image(), pos_points=[], neg_points=[], obj_bbox=[[30, 20], [90, 70]])
    assert answer.status_code == 400
    assert "exceeds limit" in json.loads(answer.body)["error"]


def test_a_run_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMICOUPLED_RUN", raising=False)
    with pytest.raises(DataError, match="SEMICOUPLED_RUN is not set"):
        main().init_context(SimpleNamespace())
