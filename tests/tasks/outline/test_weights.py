"""The model that comes with the package outlines made objects, and says of itself what a user must know."""

from __future__ import annotations

import re

import numpy as np
import pytest

from semicoupled.run_folder import PRETRAINED, load
from semicoupled.tasks.outline.crops import box_of
from semicoupled.tasks.outline.drawing.session import OutlineSession
from semicoupled.tasks.outline.geometry.raster import rasterize
from semicoupled.tasks.outline.geometry.window import Window
from semicoupled.tasks.outline.made.pictures import draw_scene

WEIGHTS = PRETRAINED / "outline" / "made"
LARGEST = 1_500_000
_SEED = 7000
"""Of pictures that are in no folder that `data make` writes with a small seed."""


def test_they_are_small_and_say_nothing_of_where_they_were_made() -> None:
    assert (WEIGHTS / "model.safetensors").stat().st_size <= LARGEST
    texts = [path.read_text(encoding="utf-8") for path in WEIGHTS.iterdir() if path.suffix != ".safetensors"]
    assert not [found for text in texts for found in re.findall(r"(?<![\w.$])/(?:work|home|root|tmp)/", text)]
    assert load("pretrained", "cpu", "outline").settings.data.root == ""


@pytest.mark.parametrize("section", ["Data", "License", "Scores", "Limits", "How it was made"])
def test_their_card_has_what_a_user_must_know(section: str) -> None:
    card = (WEIGHTS / "README.md").read_text(encoding="utf-8")
    assert f"\n## {section}\n" in card
    assert "Not for real photographs" in card
    assert "semicoupled data make outline" in card


def test_new_objects_are_outlined_from_a_point() -> None:
    run = load("pretrained", "cpu", "outline")
    overlaps: list[float] = []
    for number in range(4):
        scene = draw_scene(_SEED, 0, number)
        height, width = scene.image.shape[:2]
        session = OutlineSession(run.model, scene.image, run.settings.data)
        for _, outline in scene.objects:
            session.box(box_of(outline))
            for _ in session.start((float(outline[0, 0]), float(outline[0, 1]))):
                pass
            drawn = np.array([(one.x, one.y) for one in session.outline.vertices])
            region = Window(0, 0, width, height)
            ours, theirs = rasterize([drawn], region), rasterize([outline], region)
            overlaps.append(float((ours & theirs).sum() / (ours | theirs).sum()))
    assert len(overlaps) >= 8
    assert np.mean(overlaps) > 0.65, overlaps
