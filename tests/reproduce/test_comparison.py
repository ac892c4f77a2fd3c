"""The paper's figures beside ours: what stands in the table, how order is counted, what rows hold."""

from __future__ import annotations

from typing import Any

import pytest

from semicoupled.paper_table import Line, figures
from semicoupled.reproduce.comparison import Measure, agreement, compare, find, paper_rows, say_order
from semicoupled.reproduce.comparison_plot import plot_comparison
from semicoupled.rows import Row
from semicoupled.studies.trials import Variant

COLUMNS = ("A", "B")


def line(name: str, a: float | None, b: float | None = None, **more: Any) -> Line:
    variant = Variant(name, name)
    return Line(name, f"the {name}", figures(COLUMNS, [a, b]), variant, None, **more)


LINES = (line("one", 10), line("two", 20, group="Others"), line("three", 30, 5), line("four", None))
UP = Measure("top-1, %", "top1", {"data": "test"}, ("A",), 100)


def row(variant: str, value: float, seed: int | None = None, interval: tuple[float, float] | None = None) -> Row:
    about = {"data": "test", "variant": variant} | ({} if seed is None else {"seed": seed})
    return Row("semicoupled", "top1", about, value, 10, "1", interval)


ROWS = [
    *(row("one", value, seed) for seed, value in enumerate((0.1, 0.2, 0.3))),
    row("one", 0.2, interval=(0.15, 0.25)),
    *(row("two", value, seed) for seed, value in enumerate((0.5, 0.6))),
    *(row("three", value, seed) for seed, value in enumerate((0.4, 0.55))),
    row("four", 0.9, 0),
    Row("semicoupled", "parameters", {"variant": "one", "seed": 0}, 1234, 1),
    Row("semicoupled", "steps", {"variant": "one", "seed": 0}, 50, 1),
]


def test_lines_have_the_paper_s_figures_and_ours_with_seeds_and_interval() -> None:
    table = compare(ROWS, LINES, "small", [UP], "Accuracy.")
    assert list(table.columns) == ["", "paper: A", "paper: B", "here: top-1, %", "parameters", "steps"]
    assert list(table.rows[0]) == ["the one", "10", None, "20 (10 - 30) [15, 25]", "1234", "50"]
    assert table.rows[1][0] == "Others:"
    assert list(table.rows[2]) == ["the two", "20", None, "55 (50 - 60)", None, None]
    assert all(len(each) == len(table.columns) for each in table.rows)
    assert "Seeds 0, 1, 2" in table.caption


def test_what_was_not_trained_is_a_dash() -> None:
    assert find(ROWS, LINES[0], "paper", UP) is None
    assert find([], LINES[0], "small", UP) is None
    assert compare(ROWS, LINES[:1], "paper", [UP], "").rows[0][3] is None


def test_order_is_counted_in_pairs_and_seeds_decide() -> None:
    # the paper: one < two < three; here one < three < two, and the last two overlap
    counted = agreement(ROWS, LINES, "small", UP, "A")
    assert counted == (3, 2, 2, 2)
    assert say_order(ROWS, LINES, "small", [UP]) == (
        "Pairs of lines that stand in the paper's order here, by its column: A: 2 of 3 by top-1, %, 2 of "
        "2 where seeds do not overlap."
    )
    assert not say_order([], LINES, "small", [UP])
    one_seed = [each for each in ROWS if each.condition.get("seed") == 0]
    assert agreement(one_seed, LINES, "small", UP, "A") == (3, 2, 0, 0)
    assert agreement(ROWS, LINES, "small", UP, "B") == (0, 0, 0, 0)


def test_lines_that_the_paper_has_alike_are_no_pair() -> None:
    assert agreement(ROWS, (line("one", 10), line("two", 10)), "small", UP, "A").pairs == 0


def test_the_paper_s_rows_say_where_they_stand() -> None:
    found = paper_rows("table9", LINES)
    assert [(each.model, each.value, each.count) for each in found] == [
        ("paper", value, 0) for value in (10, 20, 30, 5)
    ]
    assert found[-1].condition == {"table": "table9", "line": "three", "column": "B"}


def test_a_line_must_have_a_figure_for_each_column() -> None:
    with pytest.raises(ValueError, match="zip"):
        _ = figures(COLUMNS, [1.0])


def test_the_picture_has_a_pair_of_panels_for_each_score() -> None:
    figure = plot_comparison(ROWS, LINES, "small", [UP, UP])
    assert [axes.get_title() for axes in figure.axes] == ["here: top-1, %", "paper"] * 2
