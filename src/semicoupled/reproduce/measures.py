"""Our scores beside the columns of the paper's tables. Tasks are imported once there are rows: they need torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from semicoupled.reproduce.comparison import Measure
from semicoupled.rows import Row
from semicoupled.studies.answers import VALIDATION


def top1(columns: tuple[str, ...]) -> Callable[[Sequence[Row]], Sequence[Measure]]:
    """Give the accuracy, beside columns of the paper."""

    def measures(rows: Sequence[Row]) -> Sequence[Measure]:
        from semicoupled.tasks.action.study.page import decides

        return [Measure("top-1, %", "top1", {"data": decides(rows)}, columns, 100)]

    return measures


def iou(rows: Sequence[Row]) -> Sequence[Measure]:
    """Give the IoU of Table 4: start and end given."""
    from semicoupled.tasks.outline.study.goals import PROMPT
    from semicoupled.tasks.outline.study.paper import TABLE_4_COLUMNS

    del rows
    return [Measure("IoU, %", "iou", {"prompt": PROMPT}, TABLE_4_COLUMNS, 100)]


def angles(rows: Sequence[Row]) -> Sequence[Measure]:
    """Give soft accuracies and the squared error of Table 5, at the thresholds of the rows."""
    from semicoupled.tasks.driving.study.lines import TABLE_5_COLUMNS
    from semicoupled.tasks.driving.study.page import thresholds_of

    about = {"data": VALIDATION, "label": "raw"}
    wide, narrow, error = (TABLE_5_COLUMNS[first::3] for first in range(3))
    found = [
        Measure(f"accuracy at {threshold}, %", "acc_soft", {**about, "angle_threshold": threshold}, columns, 100)
        for threshold, columns in zip(thresholds_of(rows), (wide, narrow), strict=False)
    ]
    return [*found, Measure("MSE", "mse", about, error)]


def streams(rows: Sequence[Row]) -> Sequence[Measure]:
    """Give the streams' accuracies and the importance of time of Table 6."""
    from semicoupled.tasks.driving.study.lines import TABLE_6_COLUMNS
    from semicoupled.tasks.driving.study.page import thresholds_of

    found: list[Measure] = []
    for index, threshold in enumerate(thresholds_of(rows)[:2]):
        about = {"data": VALIDATION, "label": "raw", "angle_threshold": threshold}
        spatial, temporal, importance = TABLE_6_COLUMNS[3 * index : 3 * index + 3]
        found += [
            Measure(f"T1 at {threshold}, %", "acc_soft", {**about, "stream": "spatial"}, (spatial,), 100),
            Measure(f"T2 at {threshold}, %", "acc_soft", {**about, "stream": "temporal"}, (temporal,), 100),
            Measure(f"T2 - T1 at {threshold}", "importance", {**about, "score": "acc_soft"}, (importance,), 100),
        ]
    return found


def forecasts(rows: Sequence[Row]) -> Sequence[Measure]:
    """Give the scores of Table 7."""
    from semicoupled.tasks.nowcasting.study.page import TABLE_7, TABLE_7_THRESHOLD
    from semicoupled.tasks.nowcasting.units import HIGHEST_DBZ

    del rows
    return [
        Measure(
            head,
            metric,
            {"data": VALIDATION} if metric == "mse" else {"data": VALIDATION, "threshold_dbz": TABLE_7_THRESHOLD},
            (head,),
            HIGHEST_DBZ**-2 if metric == "mse" else 1,
        )
        for metric, head in TABLE_7
    ]
