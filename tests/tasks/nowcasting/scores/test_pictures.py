from __future__ import annotations

import numpy as np
import pytest

from semicoupled.report import png
from semicoupled.rows import Row
from semicoupled.tasks.nowcasting.scores.pictures import (
    blur_audit,
    blur_curves,
    difference_table,
    over_all,
    reliability_diagram,
    score_curves,
)

MODELS = ("semicoupled", "persistence")


def test_curves_have_a_line_a_model_and_show_pooled_scores_alone():
    rows = [
        Row(model, "csi", {"lead_minutes": lead, "threshold_dbz": 15}, 0.5, 10, interval=(0.4, 0.6))
        for model in MODELS
        for lead in (5, 10)
    ]
    other = [
        Row("advection", "csi", {"lead_minutes": 5, "threshold_dbz": 15, **limit}, 0.5, 10)
        for limit in ({"event": "x"}, {"pooling": "per_frame"}, {"against": "persistence"})
    ]
    (axes,) = score_curves([*rows, *other], "csi", 15.0).axes
    assert [line.get_label() for line in axes.lines] == list(MODELS)
    assert axes.get_ylabel() == "CSI at 15 dBZ"


def test_the_blur_audit_has_a_line_a_model_and_the_waves_first():
    rows = []
    for index, model in enumerate(MODELS):
        rows += [Row(model, "maximum_ratio", {}, 0.9 - index, 10)]
        rows += [Row(model, "frequency_bias", {"threshold_dbz": 15}, 0.7 - index, 10)]
        rows += [Row(model, "spectrum_ratio", {"band_km": band}, 0.5 - index, 10) for band in ("4-8", "8-16")]
        rows += [Row(model, "spectrum_ratio", {"band_km": "4-8", "lead_minutes": 5}, 7.0, 10)]
    table = blur_audit(rows)
    assert list(table.columns) == ["model", "power 4-8 km", "power 8-16 km", "area 15 dBZ", "highest dBZ"]
    assert table.rows[0] == ["semicoupled", 0.5, 0.5, 0.7, 0.9]
    left, right = blur_curves(rows).axes
    assert [line.get_label() for line in left.lines[1:]] == list(MODELS)
    assert [label.get_text() for label in left.get_xticklabels()] == ["4-8", "8-16"]
    assert right.get_title() == "area of rain (frequency bias)"


@pytest.mark.parametrize(
    ("metric", "interval", "verdict"),
    [
        ("mse", (-2.0, -1.0), "better"),
        ("mse", (1.0, 2.0), "worse"),
        ("csi", (0.1, 0.2), "better"),
        ("csi", (-0.2, -0.1), "worse"),
        ("csi", (-0.1, 0.1), "undecided"),
        ("mse", None, "undecided"),
    ],
)
def test_whether_ours_is_better_is_said_with_the_interval(
    metric: str, interval: tuple[float, float] | None, verdict: str
):
    condition = {"against": "advection", **({"threshold_dbz": 15} if metric == "csi" else {})}
    row = Row("semicoupled", f"{metric}_difference", condition, 0.5, 10, interval=interval)
    by_lead = Row("semicoupled", f"{metric}_difference", {**condition, "lead_minutes": 5}, 0.5, 10)
    (line,) = difference_table([row, by_lead]).rows
    assert (line[1], line[2], line[-1]) == ("advection", "csi at 15 dBZ" if metric == "csi" else "mse", verdict)


def reliability_rows(count: int) -> list[Row]:
    rows = []
    for model in ("semicoupled", "advection"):
        for place in range(10):
            at = {"threshold_dbz": 15, "probability_bin": f"{place / 10:.1f}-{(place + 1) / 10:.1f}"}
            value = place / 10 + 0.05 if count and place != 7 else np.nan
            number = count if place != 7 else 0
            spread = None if np.isnan(value) else (value - 0.1, value + 0.05)
            rows.append(Row(model, "forecast_probability", at, value, number))
            rows.append(Row(model, "observed_frequency", at, value, number, interval=spread))
    return rows


def test_a_reliability_diagram_shows_both_models_and_leaves_empty_bins_out():
    figure = reliability_diagram(reliability_rows(50), 15.0)
    above, below = figure.axes
    assert [text.get_text() for text in above.get_legend().get_texts()] == ["semicoupled", "advection"]
    points = above.containers[0].lines[0]
    assert len(points.get_xdata()) == 9
    assert len(below.patches) == 20
    assert png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("rows", [[], reliability_rows(0)])
def test_nothing_can_be_drawn(rows: list[Row]):
    for figure in (reliability_diagram(rows, 15.0), blur_curves(rows), score_curves(rows, "mse")):
        assert png(figure).startswith(b"\x89PNG")
    assert blur_audit(rows).rows == []
    assert difference_table(rows).rows == []


def test_over_all_leaves_limited_rows_out():
    rows = [
        Row("a", "mse", condition, 1.0, 1)
        for condition in ({}, {"lead_minutes": 5}, {"event": "x"}, {"pooling": "per_frame"})
    ]
    assert over_all(rows, "mse") == rows[:1]
    assert over_all(rows, "mae") == []
