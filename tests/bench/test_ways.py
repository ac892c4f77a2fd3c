"""Single ways are timed beside the plain ones, once both have given the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from semicoupled.bench import ways
from semicoupled.bench.plots import ways_figure
from semicoupled.errors import EqualityError, SemicoupledError
from semicoupled.nn.onednn import has_onednn
from semicoupled.rows import Row

CPU = torch.device("cpu")


def check_rows(rows: list[Row], way: str, against: str) -> None:
    """A speedup with both names, and the seconds that it is made of."""
    (speedup,) = (row for row in rows if row.metric == "speedup")
    assert (speedup.condition["way"], speedup.condition["against"]) == (way, against)
    seconds = {row.condition["way"]: row.value for row in rows if row.metric == "seconds"}
    assert set(seconds) == {way, against}
    assert all(value > 0 for value in seconds.values())
    low, high = speedup.interval or (0.0, 0.0)
    assert low <= speedup.value <= high


@pytest.mark.parametrize("precision", ["bf16", "float32"])
def test_operations(precision: ways.Precision) -> None:
    check_rows(
        ways.time_stretches(precision, CPU, batch=2, width=8), "stopped frames in stretches", "open frames gathered"
    )
    check_rows(ways.time_bias(precision, CPU, batch=1, width=8), "bias's gradient by a sum", "by the library")
    if has_onednn(ways.DTYPES[precision]):
        check_rows(ways.time_prepared(precision, 16, 4, 3), "prepared weights", "weights laid out in every call")


def test_the_linear_cell() -> None:
    check_rows(ways.time_linear_cell("float32", 1, CPU, depth=2), "cell: linear", "cell: rnn")


@pytest.mark.slow
def test_freed_memory_is_kept_in_one_process_alone() -> None:
    rows = ways.time_freed_memory("float32", batch=1, depth=2)
    check_rows(rows, "freed memory kept", "usual thresholds")
    faults = {row.condition["way"]: row.value for row in rows if row.metric == "page_faults"}
    assert faults["freed memory kept"] < faults["usual thresholds"]


def test_a_process_that_dies_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "_steps", print)  # it needs no torch, and answers nothing
    with pytest.raises(SemicoupledError, match="ended without an answer"):
        _ = ways.time_freed_memory("float32", batch=1, depth=1)


def test_a_way_that_gives_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    right = ways.through_open

    def wrong(*arguments: Tensor) -> Tensor:
        return right(*arguments) * 1.5  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(ways, "through_open", wrong)
    with pytest.raises(EqualityError, match=r"in float32, stopped frames in stretches, result 0 of the timed path"):
        _ = ways.time_stretches("float32", CPU, batch=2, width=8)


def test_all_ways_are_measured_in_both_precisions() -> None:
    found = {(part.func.__name__, part.args[0]) for part in ways.parts(CPU)}  # pyright: ignore[reportAttributeAccessIssue]
    for precision in ("bf16", "float32"):
        for name in ("time_freed_memory", "time_stretches", "time_bias", "time_linear_cell"):
            assert (name, precision) in found
    assert "time_freed_memory" not in {part.func.__name__ for part in ways.parts(torch.device("cuda"))}  # pyright: ignore[reportAttributeAccessIssue]


def test_the_plot_has_a_bar_a_way() -> None:
    where = {"way": "a", "against": "b", "dtype": "bf16", "batch": 2}
    rows = [
        Row("semicoupled", "speedup", where, 2.0, 3, "1", (1.0, 3.0)),
        Row("semicoupled", "seconds", {"way": "a", "dtype": "bf16", "batch": 2}, 5.0, 3, "s"),
        Row("semicoupled", "speedup", where | {"way": "c"}, 4.0, 3),
    ]
    (axes,) = ways_figure(rows).axes
    assert [patch.get_width() for patch in axes.patches] == [4.0, 2.0]  # pyright: ignore[reportAttributeAccessIssue]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["c, bf16, 2 batch", "a, bf16, 2 batch"]
