"""The part of a run's report that shows how well it steers, and how much of that is time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semicoupled.report import Cell, Picture, Section, Table, number, rows_table
from semicoupled.rows import Row
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.scores.conditions import in_order
from semicoupled.tasks.driving.scores.evaluation import Measures
from semicoupled.tasks.driving.scores.pictures import UNITS, against_label, along_drive, by_road

SHOWN = 4
"""Drives that have a picture of their own."""


def score_sections(
    rows: Sequence[Row], answers: Sequence[DriveAnswers], measures: Measures, model: str
) -> list[Section]:
    """Show answers along drives, scores, and the importance of time.

    Args:
        rows: as `evaluation.score_answers` makes them.
        answers: of the model.
        measures: how they were scored.
        model: whose report it is.
    """
    threshold = measures.thresholds[0]
    shown = choose_drives(answers)
    everywhere = [row for row in rows if not {"road", "run", "stream", "against", "score"} & set(row.condition)]
    sections = [
        Section(
            "Along the drives",
            f"{len(shown)} of {len(answers)} drives, from the best answered to the worst. The angle is positive to the "
            f"right, in {UNITS[answers[0].unit] if answers else 'its unit'}.",
            [
                Picture(
                    along_drive(drive, threshold, measures.smoothing_seconds),
                    f"Drive {drive.drive}: angle, error against the smoothed label, and importance of time (difference "
                    f"of the soft accuracies at {threshold:g}, mean of a second)",
                )
                for drive in shown
            ],
        ),
        Section(
            "Scores",
            "Over all frames in which every model has an answer. mse is of the angles normalized by a sigmoid, "
            "rmse and mae are in the unit of the angles; the smoothed label is the mean of "
            f"{measures.smoothing_seconds:g} seconds around a frame. "
            "whiteness is how much the wheel trembles; beside the models stands the driver. "
            f"Intervals hold 90 % of draws of stretches of {measures.part_seconds:g} s.",
            [
                Picture(
                    against_label(answers, threshold, measures.smoothing_seconds), "Answers against the smoothed label"
                ),
                rows_table(everywhere, "Over all frames"),
                road_table(rows, model, "rmse"),
            ],
        ),
    ]
    if any(row.metric == "importance" and row.model == model for row in rows):
        sections.append(
            Section(
                "How important time is",
                "The temporal stream's score minus the spatial stream's (Table 6). Above 0, time says more than space; "
                "where the interval holds 0, they say the same.",
                [
                    Picture(by_road(rows, model, threshold), "Both streams by kind of road; bars hold 90 %"),
                    importance_table(rows, model),
                ],
            )
        )
    return sections


def choose_drives(answers: Sequence[DriveAnswers], count: int = SHOWN) -> list[DriveAnswers]:
    """Give some drives from the best answered to the worst, spread evenly between.

    Args:
        answers: along all drives; those without a single error to tell are left out.
        count: so many.
    """
    errors = {
        index: float(np.nanmean((drive.main - drive.truth) ** 2))
        for index, drive in enumerate(answers)
        if not np.isnan(drive.main - drive.truth).all()
    }
    ordered = sorted(errors, key=lambda index: errors[index])
    chosen = dict.fromkeys(np.linspace(0, len(ordered) - 1, min(count, len(ordered))).round().astype(int).tolist())
    return [answers[ordered[place]] for place in chosen]


def importance_table(rows: Sequence[Row], model: str, label: str = "raw") -> Table:
    """Lay Table 6 out: soft accuracy of both streams and their difference, by kind of road.

    Args:
        rows: as `evaluation.score_answers` makes them.
        model: whose streams.
        label: raw or smoothed.
    """
    own = [row for row in rows if row.model == model and row.condition.get("label") == label]
    thresholds = list(dict.fromkeys(row.condition["angle_threshold"] for row in own if row.metric == "acc_soft"))
    roads = in_order([str(row.condition["road"]) for row in own if "road" in row.condition])
    lines: list[list[Cell]] = []
    for road in ("", *roads):
        where = {"road": road} if road else {}
        cells: list[Cell] = []
        count = 0
        for threshold in thresholds:
            about = {"angle_threshold": threshold, "label": label, **where}
            for metric, key in (
                ("acc_soft", {"stream": "spatial"}),
                ("acc_soft", {"stream": "temporal"}),
                ("importance", {"score": "acc_soft"}),
            ):
                found = [row for row in own if row.metric == metric and dict(row.condition) == {**about, **key}]
                cells.append(_cell(found[0], metric == "importance") if found else None)
                count = found[0].count if found else count
        lines.append([road or "all", *cells, count])
    heads = [f"{name}, {threshold}" for threshold in thresholds for name in ("spatial", "temporal", "importance")]
    caption = (
        f"Soft accuracy (24) against the {label} label, by threshold; importance with the interval that holds 90 %"
    )
    return Table(["road", *heads, "frames"], lines, caption)


def road_table(rows: Sequence[Row], model: str, metric: str, label: str = "smoothed") -> Table:
    """Lay a score of everyone out by kind of road.

    Args:
        rows: as `evaluation.score_answers` makes them.
        model: comes first.
        metric: without thresholds.
        label: raw or smoothed.
    """
    own = [
        row
        for row in rows
        if row.metric == metric and row.condition.get("label") == label and not {"stream", "run"} & set(row.condition)
    ]
    roads = in_order([str(row.condition["road"]) for row in own if "road" in row.condition])
    models = sorted(dict.fromkeys(row.model for row in own), key=lambda name: name != model)
    lines: list[list[Cell]] = []
    for name in models:
        found = {str(row.condition.get("road", "")): row for row in own if row.model == name}
        lines.append([name, *(_cell(found[road]) if road in found else None for road in ("", *roads))])
    unit = f", {own[0].unit}" if own and own[0].unit != "1" else ""
    return Table(
        ["", "all", *roads], lines, f"{metric}{unit}, against the {label} label, with intervals that hold 90 %"
    )


def headline(rows: Sequence[Row]) -> Sequence[Row]:
    """Give the rows that a terminal shows: all frames, the main stream, and the importance of time by road."""
    return [
        row
        for row in rows
        if (row.metric in ("mse", "rmse", "r2", "acc_soft", "whiteness") and _is_plain(row))
        or (row.metric == "importance" and row.condition.get("score") == "acc_soft" and row.condition["label"] == "raw")
    ]


def _is_plain(row: Row) -> bool:
    return not {"road", "run", "stream", "against"} & set(row.condition)


def _cell(row: Row, signed: bool = False) -> str:
    value = f"{row.value:+.3f}" if signed else number(row.value)
    if row.interval is None:
        return value
    ends = [f"{end:+.3f}" if signed else number(end) for end in row.interval]
    return f"{value} ({ends[0]} to {ends[1]})"
