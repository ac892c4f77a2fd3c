"""q over the training, from a log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semicoupled.errors import RunError
from semicoupled.explain.focus import draw_focus, read_focus


def write_log(folder: Path, lines: list[dict[str, object]]) -> None:
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_reads_q_and_the_formula_beside_it(tmp_path: Path) -> None:
    lines: list[dict[str, object]] = [
        {"kind": "training", "step": step, "seconds": 1.0, "spatial_focus": 1 - step / 40, "formula_focus": 0.5}
        for step in (10, 20)
    ]
    write_log(tmp_path, [*lines, {"kind": "validation", "step": 20, "seconds": 1.0, "score": 1.0}])
    history = read_focus(tmp_path)
    assert history.steps == [10, 20]
    assert history.focus == [0.75, 0.5]
    assert history.formula == [0.5, 0.5]
    assert history.mean(0.9, 1) == 0.5
    assert history.mean(0, 1) == 0.625
    panel = draw_focus({"learned": history}).axes[0]
    learned, formula = panel.get_lines()
    assert list(learned.get_ydata()) == [0.75, 0.5]
    assert list(formula.get_ydata()) == [0.5, 0.5]
    assert formula.get_linestyle() == "--"


def test_a_formula_that_is_q_is_drawn_once(tmp_path: Path) -> None:
    write_log(tmp_path, [{"kind": "training", "step": 5, "seconds": 1.0, "spatial_focus": 1.0}])
    history = read_focus(tmp_path)
    assert history.formula is None
    assert len(draw_focus({"formula": history}).axes[0].get_lines()) == 1


def test_a_run_without_q_says_so(tmp_path: Path) -> None:
    write_log(tmp_path, [{"kind": "training", "step": 5, "seconds": 1.0, "stop_spatial": 0.5}])
    with pytest.raises(RunError, match="method astsgd"):
        read_focus(tmp_path)
