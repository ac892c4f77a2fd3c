"""Scores as rows: one number with its model, its metric, the condition it holds under, and how sure it is.

The file format is a promise (format 1):

    {"format": 1, "task": "toy", "data": "generated",
     "rows": [{"model": "semicoupled", "metric": "accuracy", "condition": {"test": "seen"},
               "value": 0.98, "count": 1024, "unit": "1", "interval": [0.97, 0.99]}]}

Undefined values (a score over nothing) are NaN in Python and null in the file, because JSON has no NaN.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

from semicoupled.errors import DataError
from semicoupled.files import write_text

FORMAT = 1

Condition = str | int | float


@dataclass(frozen=True)
class Row:
    """One score.

    Args:
        model: who was scored: ``"semicoupled"``, or a rival or baseline such as ``"persistence"``.
        metric: what was measured: ``"accuracy"``, ``"mse"``, ``"csi"``, ...
        condition: what the score is limited to: ``{"lead_minutes": 30, "threshold_dbz": 15}``; empty for no limit.
        value: the score; NaN where it is undefined.
        count: how many samples, frames or pixels the score is over.
        unit: ``"1"`` for a plain number, else the unit, such as ``"dBZ^2"``.
        interval: low and high end of its confidence interval, if one was made.
    """

    model: str
    metric: str
    condition: Mapping[str, Condition]
    value: float
    count: int
    unit: str = "1"
    interval: tuple[float, float] | None = None


def plain(number: float) -> Condition:
    """Write a whole number without a decimal point."""
    return int(number) if float(number).is_integer() else float(number)


class Rows(NamedTuple):
    """What a file of rows holds.

    Attributes:
        task: its name.
        data: what was scored on, in words.
        rows: the scores.
    """

    task: str
    data: str
    rows: tuple[Row, ...]


def write_rows(path: Path, task: str, data: str, rows: Iterable[Row]) -> None:
    """Write rows to a JSON file; an older file is replaced only once the new one is whole.

    Args:
        path: the file; its folder is made if need be.
        task: the task's name.
        data: which data was scored, in words: a folder's name, a split, ``"generated"``.
        rows: the scores, baselines beside ours.
    """
    document = {"format": FORMAT, "task": task, "data": data, "rows": [_to_json(row) for row in rows]}
    write_text(path, json.dumps(document, indent=1, allow_nan=False) + "\n")


def read_rows(path: Path) -> Rows:
    """Read what `write_rows` wrote.

    Raises:
        DataError: no such file, no JSON, or another format.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); expected a file of scores made with --json"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is not JSON ({error}); expected scores made with --json") from error
    found = document.get("format") if isinstance(document, dict) else None
    if found != FORMAT:
        raise DataError(f"{path}: holds format {found!r}; expected format {FORMAT}. Make it anew with --json")
    try:
        rows = tuple(_from_json(row) for row in document["rows"])
        return Rows(document["task"], document["data"], rows)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{path}: format {FORMAT}, but a part is missing or wrong: {error!r}. Make it anew with --json"
        ) from error


def _to_json(row: Row) -> dict[str, object]:
    return {
        "model": row.model,
        "metric": row.metric,
        "condition": dict(row.condition),
        "value": _finite(row.value),
        "count": int(row.count),
        "unit": row.unit,
        "interval": None if row.interval is None else [_finite(end) for end in row.interval],
    }


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _from_json(row: Mapping[str, object]) -> Row:
    interval = cast("list[float | None] | None", row["interval"])
    if interval is not None and len(interval) != 2:
        raise ValueError(f"interval has {len(interval)} ends, expected 2")
    return Row(
        model=cast(str, row["model"]),
        metric=cast(str, row["metric"]),
        condition=dict(cast("Mapping[str, Condition]", row["condition"])),
        value=_number(cast("float | None", row["value"])),
        count=cast(int, row["count"]),
        unit=cast(str, row["unit"]),
        interval=None if interval is None else (_number(interval[0]), _number(interval[1])),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
