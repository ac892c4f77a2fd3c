"""Which section of a page a study is, its task's page says."""

from __future__ import annotations

from importlib import import_module

import pytest

from semicoupled.cli.study_view import view_of
from semicoupled.rows import Row


@pytest.mark.parametrize(
    ("task", "about", "part"),
    [
        ("action", {"class": "walk"}, "1 classes"),
        ("driving", {"variant": "semicoupled_length7"}, "table 5"),
        ("driving", {"variant": "semicoupled"}, ""),
        ("nowcasting", {"variant": "semicoupled"}, ""),
        ("outline", {"variant": "convlstm_10"}, "deep"),
    ],
)
def test_the_page_of_a_task_tells_its_sections_apart(task: str, about: dict[str, str | float], part: str) -> None:
    page = import_module(f"semicoupled.tasks.{task}.study.page")
    assert view_of(page, "study", task).part([Row("semicoupled", "iou", about, 0.5, 1)]) == part
