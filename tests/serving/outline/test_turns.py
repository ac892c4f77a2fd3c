"""Long work of the server's own process lets others have their turn."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from semicoupled.serving import outline_opening
from semicoupled.serving.outline_document import Corner, Piece, Sheet, Thing
from semicoupled.serving.outline_projects import Project, ProjectImage, Projects
from semicoupled.serving.schemas import SourceChoice
from semicoupled.serving.settings import Limits
from semicoupled.serving.uploads import Uploads

IMAGES = 40
DISK = 0.01
"""Seconds that a slow disk takes for a drawing."""
THING = Thing(1, "leaf", (Piece((0, 0, 9, 9), (Corner(1, 1), Corner(5, 1), Corner(5, 5)), None, True),))


def test_others_are_answered_while_annotations_of_many_images_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    projects, uploads = Projects(tmp_path, Limits()), Uploads(Limits())
    images = tuple(ProjectImage(f"{number}.png", f"{number}.png", 10, 10) for number in range(IMAGES))
    project = replace(projects.begin("many", "tiny", None), images=images)
    projects.save(project)
    kept = projects.keep

    def slowly(project: Project, image: int, sheet: Sheet) -> None:
        time.sleep(DISK)
        kept(project, image, sheet)

    async def found(*_: Any) -> Any:
        things = {str(number): [THING.json()] for number in range(IMAGES)}
        return SimpleNamespace(document={"things": things, "strangers": 0, "notes": [], "labels": ["leaf"]})

    monkeypatch.setattr(projects, "keep", slowly)
    monkeypatch.setattr(outline_opening, "finished", found)
    services: Any = SimpleNamespace(
        projects=projects, uploads=uploads, settings=SimpleNamespace(limits=Limits()), jobs=None
    )

    async def others() -> int:
        upload = uploads.begin()
        (upload.folder / "a.json").write_text("{}")
        upload.names["a.json"] = "a.json"
        choice = SourceChoice(root=None, sample=None, path="", upload=upload.id)
        taking = asyncio.create_task(outline_opening.read_annotations(services, project, choice, truth=False))
        turns = 0
        while not taking.done():
            await asyncio.sleep(0)
            turns += bool(projects.sheet(project, 0).now.things) and not projects.sheet(project, IMAGES - 1).now.things
        assert (await taking)["objects"] == IMAGES
        return turns

    turns = asyncio.run(others())
    uploads.close()
    assert turns > IMAGES // 2  # between the first image and the last one
