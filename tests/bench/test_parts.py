"""Parts are measured in turn, until the time is up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from semicoupled.bench.parts import Part, measure_parts
from semicoupled.rows import Row
from semicoupled.training.progress import NoProgress


def parts(count: int) -> list[Part]:
    return [lambda at=at: [Row("m", "x", {}, float(at), 1)] for at in range(count)]


def ticking() -> Iterator[float]:
    """Ten seconds a look."""
    now = 0.0
    while True:
        yield now
        now += 10.0


@pytest.mark.parametrize(("until", "measured"), [(None, 5), (25.0, 3), (0.0, 0), (1000.0, 5)])
def test_no_part_begins_after_the_time_is_up(until: float | None, measured: int) -> None:
    clock = ticking()
    found = measure_parts("bench", parts(5), NoProgress(), until=until, now=lambda: next(clock))
    assert [row.value for row in found.rows] == list(range(measured))
    assert found.left == 5 - measured


def test_the_progress_ends_even_when_a_part_fails() -> None:
    told: list[str] = []

    class Told(NoProgress):
        def begin(self, title: str, total: float | None = None) -> None:
            told.append(f"{title} of {total}")

        def end(self) -> None:
            told.append("end")

    def broken() -> list[Row]:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        _ = measure_parts("bench", [*parts(1), broken], Told())
    assert told == ["bench of 2", "end"]
