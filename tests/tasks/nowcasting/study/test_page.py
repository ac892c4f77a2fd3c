"""What the study of rain says of its rows: goals met or not, tables, the section of a page."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from semicoupled.rows import Condition, Row
from semicoupled.tasks.nowcasting.study.goals import goals
from semicoupled.tasks.nowcasting.study.page import (
    blur_table,
    difference_table,
    goal_table,
    paper_table,
    plot,
    score_table,
    section,
    tables,
)

EVENTS = ("wet", "sparse")


def row(model: str, metric: str, value: float, **condition: Condition) -> Row:
    return Row(model, metric, {"data": "validation", **condition}, value, 10)


def scored(event: str | None, mse: float, csi: float, model: str = "semicoupled", **condition: Condition) -> list[Row]:
    """Scores of one run, or of a baseline."""
    where = {} if event is None else {"event": event}
    found = [row(model, "mse", mse, **condition, **where)]
    for threshold in (15, 20, 30):
        more = {**condition, **where, "threshold_dbz": threshold}
        found += [row(model, "csi", csi, **more), row(model, "frequency_bias", 0.9, **more)]
        found += [row(model, metric, csi / 2, **more) for metric in ("far", "pod", "correlation")]
    found.append(row(model, "spectrum_ratio", 0.5, band_km="4-8", **condition, **where))
    found += [row(model, "mse", mse + lead, lead_minutes=lead, **condition, **where) for lead in (5, 10)]
    found += [row(model, "csi", csi, lead_minutes=5, threshold_dbz=15, **condition, **where)]
    return found


def runs(event: str | None, variant: str, *mse: float, csi: float = 0.6, model: str = "semicoupled") -> list[Row]:
    return [
        one for seed, value in enumerate(mse) for one in scored(event, value, csi, model, variant=variant, seed=seed)
    ]


def study() -> list[Row]:
    """Two seeds: best form of ours and ConvLSTM; plain ones too, in the wet event alone."""
    rows = [
        Row(variant, metric, {"variant": variant, "seed": seed}, value + seed * (metric == "steps"), 1)
        for variant in ("semicoupled", "convlstm")
        for seed in (0, 1)
        for metric, value in (("parameters", 1000), ("steps", 50))
    ]
    for event in (None, *EVENTS):
        rows += runs(event, "semicoupled", 4.0, 5.0) + runs(event, "convlstm", 4.6, 4.6, model="convlstm")
        where: dict[str, Condition] = {} if event is None else {"event": event}
        for name, value in (("mse_difference", -0.1), ("mse_difference_lowest", -0.6), ("mse_difference_highest", 0.4)):
            about = {"data": "validation", "variant": "semicoupled", "against": "convlstm", **where}
            rows.append(Row("semicoupled", name, about, value, 2, "dBZ^2", (-0.2, 0.05)))
    for event, advection, blurred, csi in (("wet", 5.0, 4.5, 0.6), ("sparse", 4.99, 4.49, 0.61), (None, 5.0, 4.5, 0.6)):
        rows += scored(event, advection, csi, "advection") + scored(event, blurred, 0.2, "advection_blur")
    rows += runs("wet", "semicoupled_plain", 6.0) + runs("wet", "convlstm_plain", 5.5, model="convlstm")
    return rows


ROWS = study()


def verdicts(rows: Sequence[Row], event: str | None) -> list[bool | None]:
    return [goal.is_met for goal in goals(rows, event)]


def test_goals_are_met_at_their_bounds_and_not_beyond() -> None:
    # mean 4.5: 10 % below 5.0 and as blurred; CSI as advection's; below ConvLSTM's 4.6; plain 6.0 against 5.5
    assert verdicts(ROWS, "wet") == [True, True, True, True, True, False]
    # 4.5 > .9 * 4.99, 4.5 > 4.49; .6 < .61; no plain run
    assert verdicts(ROWS, "sparse") == [False, False, False, False, True, None]


def test_a_goal_has_both_sides_and_the_interval() -> None:
    first, *_, best, plain = goals(ROWS, "wet")
    assert (first.value, first.bound) == (4.5, pytest.approx(4.5))
    assert best.note == "difference -0.1, 90 % of a bootstrap over start times: -0.2 to 0.05"
    assert plain.note == ""


def test_undefined_scores_are_neither_met_nor_missed() -> None:
    dry = [
        Row(one.model, one.metric, one.condition, math.nan if one.metric == "csi" else one.value, one.count)
        for one in ROWS
    ]
    assert verdicts(dry, "wet") == [True, True, None, None, True, False]
    assert {line[-2] for line in goal_table(dry).rows} == {"met", "not met", "not known"}


def test_the_table_of_an_event_has_mean_and_range_over_seeds_and_the_baselines() -> None:
    shown = score_table(ROWS, "validation", "wet")
    assert list(shown.columns) == ["", "parameters", "steps", "MSE, dBZ^2", "CSI 15 dBZ", "CSI 20 dBZ"]
    lines = {str(line[0]): list(line[1:]) for line in shown.rows}
    assert lines["Semi-Coupled Structure, best form"] == ["1000", "50 to 51", "4.5 (4 - 5)", "0.6", "0.6"]
    assert lines["advection"] == ["", "", "5", "0.6", "0.6"]
    assert "persistence" not in lines
    assert shown.caption == "wet: all leads together. Seeds 0, 1: mean (lowest - highest)."
    blur = blur_table(ROWS, "validation", "wet")
    assert list(blur.columns) == ["", "area 15 dBZ", "area 20 dBZ", "area 30 dBZ", "power 4-8 km"]
    assert list(blur.rows[0][1:]) == [0.9, 0.9, 0.9, 0.5]


def test_differences_show_their_interval_and_the_seeds() -> None:
    lines = [list(line) for line in difference_table(ROWS).rows]
    pair = "Semi-Coupled Structure, best form - ConvLSTM, same form"
    assert lines == [[pair, event, "-0.1", "-0.2 to 0.05", "-0.6 to 0.4"] for event in EVENTS]


def test_table_7_has_the_papers_figures_and_says_that_the_data_differ() -> None:
    shown = paper_table(ROWS)
    assert list(shown.columns) == ["", "MSE", "CSI", "FAR", "POD", "COR"]
    ours, *_ = shown.rows
    assert list(ours[1:]) == ["0.00125 (0.001111 - 0.001389)", "0.6", "0.3", "0.3", "0.3"]
    printed = {line[0]: list(line[1:]) for line in shown.rows if str(line[0]).endswith("paper (REEC-2018)")}
    assert len(printed) == 4
    assert printed["ConvLSTM, plain, paper (REEC-2018)"] == ["0.01156", "0.5349", "0.1733", "0.5986", "0.6851"]
    best = printed["Semi-Coupled Structure, plain, p = .5, paper (REEC-2018)"]
    assert best == ["0.01022", "0.5636", "0.1682", "0.6368", "0.7072"]
    assert "on other data (REEC-2018)" in shown.caption


def test_a_single_event_has_tables_of_its_own() -> None:
    one = [row for row in ROWS if "event" not in row.condition]
    assert [next(iter(line)) for line in goal_table(one).rows] == ["held back"] * 6
    assert score_table(one, "validation").caption.startswith("held back: ")
    assert len(tables(one)) == 5


def test_the_plot_has_a_column_for_each_event_and_a_line_for_each_variant() -> None:
    figure = plot(ROWS)
    assert [axes.get_title() for axes in figure.axes] == ["wet", "sparse", "", ""]
    wet = figure.axes[0]
    assert [list(bars.lines[0].get_ydata()) for bars in wet.containers[:2]] == [[9.5, 14.5], [9.6, 14.6]]  # type: ignore[attr-defined]
    assert [line.get_label() for line in wet.lines if not str(line.get_label()).startswith("_")] == [
        "advection",
        "advection, blurred",
    ]


def test_the_section_holds_the_command_every_table_and_the_picture() -> None:
    text = section(ROWS, "semicoupled study rain --seeds 0,1", [("study-rain.png", "By lead")])
    assert "    semicoupled study rain --seeds 0,1\n" in text
    for table in tables(ROWS):
        assert table.caption in text
    assert "](study-rain.png)" in text
    assert "* ConvLSTM, plain: `--preset plain` `--preset convlstm` `--model.width=28`" in text
    assert "| wet | squared error at least 10 % below advection's | 4.5 | 4.5 | met |" in text
