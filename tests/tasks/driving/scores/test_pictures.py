"""Pictures and sections: what they show, also where there is little to show."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.tasks.driving.answered import answered

from semicoupled.report import render
from semicoupled.rows import Row
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.scores.evaluation import Measures, constant, score_answers
from semicoupled.tasks.driving.scores.pictures import against_label, along_drive, by_road
from semicoupled.tasks.driving.scores.sections import (
    choose_drives,
    headline,
    importance_table,
    road_table,
    score_sections,
)

MEASURES = Measures(thresholds=(6.0, 3.0), scale=25.0, curve=3.0, sharp=8.0, part_seconds=1.0, resamples=20)
DRIVES = [answered("a", seed=1), answered("b", 90, seed=2)]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return score_answers({"semicoupled": DRIVES, "mean": constant(DRIVES, 0.0)}, MEASURES, ours=["semicoupled"])


def lines(figure: Figure, panel: int) -> dict[str, Any]:
    return {str(line.get_label()): line for line in figure.axes[panel].get_lines()}


def test_a_drive_is_drawn_from_its_first_second_on() -> None:
    figure = along_drive(DRIVES[0], 6.0, 0.5)
    assert len(figure.axes) == 3
    above = lines(figure, 0)
    assert {"driver", "model", "spatial stream", "temporal stream", "driver, mean of 0.5 s"} <= set(above)
    assert above["model"].get_xdata()[0] == 0
    assert above["model"].get_ydata() == pytest.approx(DRIVES[0].main)
    assert "degrees" in figure.axes[0].get_ylabel()
    assert figure.axes[-1].get_xlabel().startswith("seconds")


def test_a_drive_of_one_stream_with_gaps_in_its_answers_is_drawn() -> None:
    half = np.where(np.arange(120) % 2, np.nan, DRIVES[0].main)
    figure = along_drive(DRIVES[0]._replace(main=half, spatial=None), 6.0, 0.5)
    assert len(figure.axes) == 2
    assert len(lines(figure, 0)["model"].get_xdata()) == 60


def test_without_labels_the_streams_difference_is_shown() -> None:
    figure = along_drive(DRIVES[0]._replace(truth=np.full(120, np.nan)), 6.0, 0.5)
    assert "temporal - spatial answer" in lines(figure, 2)


def test_answers_against_labels() -> None:
    figure = against_label(DRIVES, 6.0, 0.5)
    assert [axes.get_title() for axes in figure.axes] == [
        "model, 210 frames",
        "spatial stream, 210 frames",
        "temporal stream, 210 frames",
    ]
    assert len(against_label([DRIVES[0]._replace(temporal=None, spatial=None)], 6.0, 0.5).axes) == 1


def test_table_6_as_bars(rows: list[Row]) -> None:
    figure = by_road(rows, "semicoupled", 6.0)
    left, right = figure.axes
    heights = [cast(Any, patch).get_height() for patch in right.patches]
    about = {"angle_threshold": 6, "label": "raw", "score": "acc_soft"}
    expected = [row.value for row in rows if row.metric == "importance" and about.items() <= row.condition.items()]
    assert heights == pytest.approx(expected)
    assert len(left.patches) == 2 * len(right.patches) == 8


def test_the_tables(rows: list[Row]) -> None:
    table = importance_table(rows, "semicoupled")
    assert [line[0] for line in table.rows] == ["all", "straight", "curve", "sharp"]
    assert next(line[-1] for line in table.rows) == 210
    assert sum(cast(int, line[-1]) for line in table.rows[1:]) == 210
    by = road_table(rows, "semicoupled", "rmse")
    assert [line[0] for line in by.rows] == ["semicoupled", "mean"]
    assert "deg" in by.caption


def test_sections_are_a_whole_report(rows: list[Row]) -> None:
    text = render("t", score_sections(rows, DRIVES, MEASURES, "semicoupled"))
    assert text.count("<figure>") == 4
    assert "How important time is" in text
    plain = [drive._replace(spatial=None, temporal=None) for drive in DRIVES]
    few = score_answers({"cnn": plain}, MEASURES)
    assert "How important" not in render("t", score_sections(few, plain, MEASURES, "cnn"))


def test_the_drives_that_are_shown_go_from_best_to_worst() -> None:
    def wrong(name: str, by: float) -> DriveAnswers:
        drive = answered(name, 20)
        return drive._replace(main=drive.truth + by)

    drives = [wrong("a", 3), wrong("b", 1), wrong("c", 2), wrong("d", 4), wrong("none", np.nan)]
    assert [drive.drive for drive in choose_drives(drives, 2)] == ["b", "d"]
    assert [drive.drive for drive in choose_drives(drives, 9)] == ["b", "c", "a", "d"]


def test_the_headline_is_short(rows: list[Row]) -> None:
    shown = headline(rows)
    assert 0 < len(shown) < len(rows) / 4
    assert not any("run" in row.condition for row in shown)
