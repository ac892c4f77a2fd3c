"""What the pages of studies share."""

from __future__ import annotations

import math

import pytest

from semicoupled.report import Table
from semicoupled.rows import Condition, Row
from semicoupled.studies.page import (
    differences,
    goal_table,
    means_of,
    present,
    says,
    section,
    seeded_of,
    span_cell,
    value_cell,
)
from semicoupled.studies.scores import at_least
from semicoupled.studies.trials import Variant

ABOUT: dict[str, Condition] = {"variant": "ours", "against": "rival", "data": "validation"}
ROWS = [
    Row("semicoupled", "iou_difference", ABOUT, 0.02, 3, "1", (0.01, 0.03)),
    Row("semicoupled", "iou_difference_lowest", ABOUT, 0.005, 3),
    Row("semicoupled", "iou_difference_highest", ABOUT, 0.04, 3),
    Row("semicoupled", "iou_difference", {**ABOUT, "data": "elsewhere"}, 1.0, 3),
    Row("semicoupled", "iou", {"variant": "ours", "seed": 0}, 0.8, 3),
]


def test_variants_that_have_rows_come_in_the_study_s_order() -> None:
    variants = [Variant(name, name) for name in ("absent", "ours", "rival")]
    rows = [*ROWS, Row("cnn", "iou", {"variant": "rival"}, 0.7, 3), Row("box", "iou", {}, 0.6, 3)]
    assert [variant.name for variant in present(variants, rows)] == ["ours", "rival"]


def test_rows_of_single_seeds_and_means_part() -> None:
    assert seeded_of(ROWS) == ROWS[4:]
    assert means_of(ROWS) == ROWS[:4]


def test_a_difference_stands_with_its_interval_and_its_seeds() -> None:
    (found,) = differences(ROWS, "iou", ABOUT)
    assert found == (ROWS[0], "0.02", "0.01 to 0.03", "0.005 to 0.04")
    (other,) = differences(ROWS, "iou", ABOUT, lambda value: f"{value:.1f}")
    assert other.interval == "0.0 to 0.0"
    assert list(differences(ROWS, "mse", ABOUT)) == []


def test_cells_say_nothing_of_nothing() -> None:
    assert value_cell([]) is None
    assert value_cell(ROWS) == "0.02"
    assert span_cell(ROWS[1]) == ""


@pytest.mark.parametrize(
    ("interval", "higher", "lower"),
    [
        ((0.1, 0.2), "better", "worse"),
        ((-0.2, -0.1), "worse", "better"),
        ((-0.1, 0.1), "undecided", "undecided"),
        (None, "unknown", "unknown"),
    ],
)
def test_a_verdict_knows_which_way_is_better(interval: tuple[float, float] | None, higher: str, lower: str) -> None:
    row = Row("semicoupled", "difference", {}, 0.0, 1, "1", interval)
    assert (says(row), says(row, low_is_better=True)) == (higher, lower)


def test_goals_say_whether_they_are_reached() -> None:
    table = goal_table([at_least("IoU", 0.8, 0.7, "three seeds"), at_least("clicks", math.nan, 1)])
    assert [line[3:] for line in table.rows] == [["met", "three seeds"], ["not known", ""]]


def test_a_section_has_command_tables_pictures_and_what_ends_it() -> None:
    text = section(
        "Ours", "semicoupled study", [Table(["", "IoU"], [["ours", 0.5]], "Scores.")], [("a.png", "By depth")]
    )
    assert text.startswith("## Ours\n\n    semicoupled study\n\nScores.\n\n|  | IoU |\n")
    assert text.endswith("![By depth](a.png)\n\nBy depth\n")
    assert section("Ours", "c", [], [], "What differs:").endswith("    c\n\nWhat differs:")
