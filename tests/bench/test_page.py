"""A figure on a page has as many digits as were measured."""

from __future__ import annotations

import pytest

from semicoupled.bench.page import Figure, figure, table
from semicoupled.rows import Row


@pytest.mark.parametrize(
    ("value", "interval", "unit", "said"),
    [
        (855_247_655_475.0, None, "FLOP/s", Figure("855", "-", "GFLOP/s")),
        (999_600_000.0, (9.996e8, 1.2e9), "FLOP/s", Figure("1", "1 to 1.2", "GFLOP/s")),
        (4.2e9, (9e8, 1.1e12), "FLOP/s", Figure("4.2", "0.9 to 1 100", "GFLOP/s")),
        (409_206_784.0, None, "B", Figure("409", "-", "MB")),
        (480_512.0, None, "B", Figure("481", "-", "kB")),
        (999.7, None, "B", Figure("1", "-", "kB")),
        (0.0, None, "B", Figure("0", "-", "B")),
        (12_714_117.0, None, "1", Figure("12 714 117", "-", "1")),  # parameters are counted, not measured
        (0.60512, (0.444, 0.61999), "1", Figure("0.605", "0.444 to 0.62", "1")),
        (999.7, None, "s", Figure("1 000", "-", "s")),
    ],
)
def test_a_figure_has_three_digits_and_a_prefix(
    value: float, interval: tuple[float, float] | None, unit: str, said: Figure
) -> None:
    assert figure(Row("m", "x", {}, value, 1, unit, interval)) == said


def test_what_a_row_is_not_limited_to_is_a_dash() -> None:
    rows = [
        Row("m", "peak_bytes", {"way": "whole", "layers": 15}, 3.41086208e8, 1, "B"),
        Row("m", "peak_bytes", {"way": "streaming"}, 10_498_048.0, 1, "B"),
    ]
    assert [list(line) for line in table(rows).rows] == [
        ["m", "whole", "15", "341", "-", "MB"],
        ["m", "streaming", "-", "10.5", "-", "MB"],
    ]
