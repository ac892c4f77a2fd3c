from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from semicoupled.errors import DataError
from semicoupled.rows import Row, read_rows, write_rows

ROWS = (
    Row(
        "semicoupled",
        "csi",
        {"lead_minutes": 30, "threshold_dbz": 15.0, "event": "2021-02-05"},
        0.5,
        12,
        "1",
        (0.4, 0.6),
    ),
    Row("persistence", "mse", {}, 13.8, 36, "dBZ^2"),
)


def test_the_file_is_as_promised(tmp_path: Path) -> None:
    write_rows(tmp_path / "scores.json", "nowcasting", "radar", ROWS)
    assert json.loads((tmp_path / "scores.json").read_text()) == {
        "format": 1,
        "task": "nowcasting",
        "data": "radar",
        "rows": [
            {
                "model": "semicoupled",
                "metric": "csi",
                "condition": {"lead_minutes": 30, "threshold_dbz": 15.0, "event": "2021-02-05"},
                "value": 0.5,
                "count": 12,
                "unit": "1",
                "interval": [0.4, 0.6],
            },
            {
                "model": "persistence",
                "metric": "mse",
                "condition": {},
                "value": 13.8,
                "count": 36,
                "unit": "dBZ^2",
                "interval": None,
            },
        ],
    }


def test_reading_gives_what_was_written(tmp_path: Path) -> None:
    write_rows(tmp_path / "scores.json", "nowcasting", "radar", ROWS)
    assert read_rows(tmp_path / "scores.json") == ("nowcasting", "radar", ROWS)


def test_an_undefined_value_is_null_in_the_file_and_nan_in_python(tmp_path: Path) -> None:
    write_rows(tmp_path / "scores.json", "t", "d", [Row("m", "csi", {}, math.nan, 0)])
    assert json.loads((tmp_path / "scores.json").read_text())["rows"][0]["value"] is None
    assert math.isnan(read_rows(tmp_path / "scores.json").rows[0].value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "holds format None; expected format 1"),
        ('{"format": 2}', "holds format 2; expected format 1"),
        ('{"format": 1, "task": "t", "data": "d", "rows": [{"model": "m"}]}', "a part is missing or wrong"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "scores.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read_rows(tmp_path / "scores.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json: cannot be read"):
        read_rows(tmp_path / "none.json")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "scores.json"
    write_rows(file, "t", "d", ROWS)
    before = file.read_bytes()
    with pytest.raises(ValueError, match="Out of range"):
        write_rows(file, "t", "d", [Row("m", "mse", {}, math.inf, 1)])
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
