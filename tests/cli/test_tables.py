"""Tables in the terminal."""

from __future__ import annotations

import pytest

from semicoupled.cli.tables import output, printed, scores_table
from semicoupled.report import Table
from semicoupled.rows import Row

ODD = ("--sub_goals.temporal=[main]", "drive[/red].csv", "[bold]", "a\\[b]")
"""What rich would take for markup: it would swallow it, or refuse to print."""


@pytest.mark.parametrize("text", ODD)
def test_a_table_shows_what_looks_like_markup(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    output().print(printed(Table(["", f"column {text}"], [[f"cell {text}", f"other {text}"]], f"caption {text}")))
    shown = capsys.readouterr().out
    for part in ("column", "cell", "other", "caption"):
        assert f"{part} {text}" in shown


@pytest.mark.parametrize("text", ODD)
def test_scores_show_what_looks_like_markup(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    output().print(scores_table([Row("cnn", "accuracy", {"run": text}, 0.5, 3)], f"title {text}"))
    shown = capsys.readouterr().out
    assert shown.count(text) == 2
