"""Made pictures: the same from the same numbers, and their outlines are where the objects are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semicoupled.cli.main import main
from semicoupled.errors import DataError
from semicoupled.task_requests import MakeRequest
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.formats.listing import read_annotations, read_parts
from semicoupled.tasks.outline.geometry.polygons import signed_area
from semicoupled.tasks.outline.geometry.raster import rasterize
from semicoupled.tasks.outline.geometry.window import Window
from semicoupled.tasks.outline.made.figures import FIGURES, draw_figure
from semicoupled.tasks.outline.made.forms import FORMS, draw_form
from semicoupled.tasks.outline.made.make import make
from semicoupled.tasks.outline.made.pictures import LABELS, draw_scene


@pytest.mark.parametrize("name", LABELS)
def test_every_form_and_figure_is_a_closed_curve_of_the_right_size(name: str) -> None:
    draw = draw_form if name in FORMS else draw_figure
    assert (name in FORMS) != (name in FIGURES)
    for seed in range(5):
        points = draw(name, np.random.default_rng(seed))
        assert len(points) >= 3
        assert np.isfinite(points).all()
        assert np.hypot(*points.T).max() == pytest.approx(1)
        assert signed_area(points) > 0.1  # clockwise on the screen, and no line
        other = draw(name, np.random.default_rng(seed + 100))
        assert points.shape != other.shape or not np.allclose(points, other)


def test_a_picture_is_a_function_of_its_numbers() -> None:
    one, again = draw_scene(3, 0, 5), draw_scene(3, 0, 5)
    np.testing.assert_array_equal(one.image, again.image)
    for numbers in ((4, 0, 5), (3, 1, 5), (3, 0, 6)):
        other = draw_scene(*numbers)
        assert other.image.shape != one.image.shape or (other.image != one.image).any()


def test_objects_lie_inside_apart_and_look_different_from_what_is_around_them() -> None:
    differences: list[float] = []
    for number in range(8):
        scene = draw_scene(0, 2, number)
        height, width = scene.image.shape[:2]
        assert 1 <= len(scene.objects) <= 4
        every = np.zeros((height, width), int)
        for label, outline in scene.objects:
            assert label in LABELS
            assert outline.min() > 0
            assert (outline.max(0) < [width, height]).all()
            inside = rasterize([outline], Window(0, 0, width, height))
            every += inside
            grown = rasterize([(outline - outline.mean(0)) * 1.25 + outline.mean(0)], Window(0, 0, width, height))
            ring = grown & ~inside
            colors = scene.image.astype(float)
            differences.append(float(np.linalg.norm(colors[inside].mean(0) - colors[ring].mean(0))))
        assert every.max() == 1
    assert np.median(differences) > 30
    assert np.mean(np.array(differences) > 10) > 0.9


def test_a_folder_is_made_that_can_be_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "made"
    assert main(["data", "make", "outline", str(root), "--count", "3", "--seed", "5"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "3 in train.json, 1 in val.json, 1 in test.json" in said
    parts = read_parts(DataSettings(root=str(root)))
    assert {source.picture.file.split("/")[0] for source in parts.train} == {"train"}
    assert {source.picture.file.split("/")[0] for source in parts.validation} == {"val"}
    test = read_annotations(root / "test.json")
    assert test.labels == LABELS
    scene = draw_scene(5, 2, 0)
    for (label, outline), instance in zip(scene.objects, test.pictures[0].instances, strict=True):
        assert label == instance.label
        np.testing.assert_allclose(instance.parts[0].outline, outline, atol=0.006)
    assert main(["data", "check", "outline", str(root)]) == 0


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="is there already; expected a new or an empty folder"):
        make(MakeRequest(tmp_path, 1))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
