from __future__ import annotations

import json
from pathlib import Path

from semicoupled.curves import draw_curves, training_section
from semicoupled.report import Picture, Table


def log(folder: Path, *lines: dict[str, object]) -> None:
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def training(step: int, **numbers: float | None) -> dict[str, object]:
    return {"kind": "training", "step": step, "seconds": 60.0 * step, **numbers}


def test_a_section_shows_curves_and_validations(tmp_path: Path) -> None:
    log(
        tmp_path,
        training(1, main_loss=2.0, learning_rate=0.1),
        training(2, main_loss=1.0, learning_rate=0.1),
        {"kind": "validation", "step": 2, "seconds": 121.0, "score": 0.5, "accuracy": 0.75},
    )
    section = training_section(tmp_path)
    assert section.text == "2 steps in 2.0 minutes."
    curves, table = section.parts
    assert isinstance(curves, Picture)
    assert isinstance(table, Table)
    assert table.columns == ["step", "score", "accuracy"]
    assert table.rows == [[2, 0.5, 0.75]]


def test_a_run_without_a_log_has_nothing_to_show(tmp_path: Path) -> None:
    assert training_section(tmp_path).parts == []


def test_only_what_was_logged_is_drawn() -> None:
    figure = draw_curves([training(1, main_loss=2.0, learning_rate=0.1), training(2, main_loss=1.0)])
    (axes,) = figure.axes
    (line,) = axes.lines
    assert line.get_label() == "main"
    assert line.get_xydata().tolist() == [[1.0, 2.0], [2.0, 1.0]]  # pyright: ignore[reportAttributeAccessIssue]


def test_the_switches_have_a_panel_of_probabilities() -> None:
    lines = [
        training(1, main_loss=2.0, spatial_loss=3.0, spatial_focus=1.0, formula_focus=None, stop_spatial=0.0),
        training(2, main_loss=1.0, spatial_loss=2.0, spatial_focus=0.8, formula_focus=0.7, stop_spatial=0.2),
    ]
    losses, probabilities = draw_curves(lines).axes
    assert [line.get_label() for line in losses.lines] == ["main", "spatial"]
    assert {str(line.get_label()): len(line.get_xdata()) for line in probabilities.lines} == {  # pyright: ignore[reportArgumentType]
        "q": 2,
        "q by Eq. 20": 1,
        "spatial branch stopped": 2,
    }


def test_a_single_record_is_a_point() -> None:
    (one,) = draw_curves([training(1, main_loss=2.0)]).axes[0].lines
    (two,) = draw_curves([training(1, main_loss=2.0), training(2, main_loss=1.0)]).axes[0].lines
    assert (one.get_marker(), two.get_marker()) == ("o", "")
