from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from outline_samples import small_settings

from semicoupled.tasks.outline.drawing.session import OutlineSession
from semicoupled.tasks.outline.formats.listing import read_parts
from semicoupled.tasks.outline.model import build_model
from semicoupled.tasks.outline.scores.waits import time_move, wait_rows


def test_a_move_is_timed_to_its_first_and_to_its_last_point(
    outline_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = small_settings(outline_root, head="cells", positions="fields")
    model = build_model(settings.model, settings.data.grid).eval()
    move = OutlineSession.move

    def slow(self: OutlineSession, index: int, point: tuple[float, float]) -> Iterator[object]:
        assert index == 1
        for found in move(self, index, point):
            time.sleep(0.02)
            yield found

    monkeypatch.setattr(OutlineSession, "move", slow)
    wait = time_move(model, read_parts(settings.data).validation[0], settings.data)
    assert wait is not None
    assert 20 <= wait.first <= wait.whole


def test_rows_of_both_decoders(outline_root: Path) -> None:
    settings = small_settings(outline_root, head="cells", positions="fields")
    model = build_model(settings.model, settings.data.grid).eval()
    sources = read_parts(settings.data).validation[:2]
    rows = wait_rows(model, "semicoupled", sources, settings.data, seed=3)
    assert {row.metric for row in rows} == {"ms_to_next_point", "ms_per_move"}
    assert {row.condition["decoder"] for row in rows} == {"as trained", "packed"}
    assert all(row.unit == "ms" and row.value > 0 and row.condition["seed"] == 3 for row in rows)
    assert wait_rows(model, "semicoupled", [], settings.data, seed=3) == []
