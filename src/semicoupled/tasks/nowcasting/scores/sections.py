"""The part of a run's report that shows how good its forecasts are."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.report import Picture, Section, rows_table
from semicoupled.rows import Row
from semicoupled.tasks.nowcasting.scores.pictures import (
    blur_audit,
    blur_curves,
    difference_table,
    over_all,
    reliability_diagram,
    score_curves,
)
from semicoupled.tasks.nowcasting.settings import EvaluationSettings


def score_sections(rows: Sequence[Row], settings: EvaluationSettings) -> list[Section]:
    """Show scores: by lead, against each baseline, what fading costs, whether probabilities keep what they say.

    Args:
        rows: as `evaluation.evaluate_sequences` makes them.
        settings: what was scored.
    """
    threshold = settings.thresholds[0]
    sections = [
        Section(
            "Scores",
            "On some starts of the validation data; `semicoupled evaluate` scores all. Shaded: 90 % of a "
            "bootstrap over start times. Blurred advection shows why squared error alone misleads: it is "
            "low where nothing is risked.",
            [
                Picture(score_curves(rows, "mse"), "Squared error by lead; lower is better"),
                Picture(score_curves(rows, "csi", threshold), "Critical success index by lead; higher is better"),
                difference_table(rows),
                rows_table(over_all(rows, "mse", "mae", "csi", "far", "pod", "hss", "fss"), "Over all leads"),
            ],
        ),
        Section(
            "What fading costs",
            "A forecast that fades what it is not sure of has a low squared error, little power at short waves, too "
            "little area of heavy rain, and low peaks.",
            [blur_audit(rows), Picture(blur_curves(rows), "Forecast over observed; 1 is as much as there was")],
        ),
    ]
    if settings.probabilities:
        sections.append(_probabilities(rows, settings.thresholds))
    return sections


def _probabilities(rows: Sequence[Row], thresholds: Sequence[float]) -> Section:
    pictures = [
        Picture(reliability_diagram(rows, threshold), f"Reliability at {threshold:g} dBZ; below, how often it was said")
        for threshold in thresholds
    ]
    skills = [row for row in rows if row.metric == "brier_skill" and not {"lead_minutes", "event"} & set(row.condition)]
    scores = [*over_all(rows, "brier", "reliability", "sharpness"), *skills]
    return Section(
        "Probabilities",
        "How often it rained at least so hard where it was said to be so likely; on the diagonal, probabilities keep "
        "what they say. Calibrated on other starts than those shown, and so is advection.",
        [*pictures, rows_table(scores, "Over all leads")],
    )
