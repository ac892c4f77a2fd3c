"""What the bench measures, and in which rows it says so. How fast it is stands in docs/performance.md, not here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import pytest
import torch

from semicoupled.bench import memory, presets, speed, streaming
from semicoupled.bench.arithmetic import flops
from semicoupled.bench.presets import Preset
from semicoupled.bench.timing import paired, ratio, spread
from semicoupled.nn import SemiCoupledStack
from semicoupled.rows import Row

CPU = torch.device("cpu")


def test_repeats_are_taken_in_turn_and_the_first_does_not_count() -> None:
    order: list[str] = []
    seconds = paired({"a": partial(order.append, "a"), "b": partial(order.append, "b")}, 2, CPU)
    assert order == ["a", "b"] * 3
    assert [len(values) for values in seconds.values()] == [2, 2]


def test_seconds_are_seconds() -> None:
    (seconds,) = paired({"sleep": partial(time.sleep, 0.02)}, 1, CPU)["sleep"]
    assert 0.02 <= seconds < 0.5


def test_a_ratio_is_taken_within_each_repeat() -> None:
    """A minute that is slow for both changes neither ratio."""
    assert ratio([2.0, 20.0, 4.0], [1.0, 10.0, 1.0]) == (2.0, 2.0, 4.0, 3)
    assert spread([3.0, 1.0, 2.0]) == (2.0, 1.0, 3.0, 3)


def test_arithmetic_is_counted_exactly() -> None:
    """Forward: Conv_s, Conv_u and Conv_c in both layers; backward: twice that, but nothing below the first layer."""
    net = SemiCoupledStack(3, [8, 8], norm="none", shortcut_every=None)
    clip = torch.randn(2, 5, 3, 6, 6)
    macs = 2 * 5 * 36 * 9
    forward = macs * (2 * 3 * 8 + 8 * 8 + 3 * 8 * 8)

    def infer() -> None:
        with torch.no_grad():
            _ = net(clip)

    def step() -> None:
        features = net(clip).main
        assert features is not None
        features.mean().backward()

    assert flops(infer) == 2 * forward
    below_first = macs * 2 * 3 * 8
    first_gates = 2 * 2 * 36 * 9 * 8 * 8  # of c_0, which no one learns, in each of the two layers
    assert flops(step) == 2 * (3 * forward - below_first - first_gates)


SMALL = {
    "paper15x64": Preset("paper15x64", lambda norm: SemiCoupledStack(8, [8, 8], norm=norm), 8, 9, 3),
    "table1": Preset("table1", lambda norm: SemiCoupledStack(3, [8, 8], norm=norm), 3, 9, 3),
}
"""In place of the networks that are measured: what the rows say does not depend on how large they are."""


@pytest.fixture(scope="module", params=["small", pytest.param("as measured", marks=pytest.mark.slow)])
def machine(request: pytest.FixtureRequest) -> Iterator[speed.Machine]:
    """A machine whose peaks are known, and networks to measure on it."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "small":
            patch.setattr(presets, "PRESETS", SMALL)
            patch.setattr(speed, "PAPER_WIDTH", 8)
            patch.setattr(speed, "PAPER_DEPTH", 2)
        yield speed.Machine(CPU, {"bf16": 1e12, "float32": 5e11})


@pytest.fixture(scope="module")
def quick(machine: speed.Machine) -> list[Row]:
    return [row for part in speed.quick_parts(machine) for row in part()]


def test_rows_are_as_promised(quick: list[Row]) -> None:
    found = {(row.metric, row.condition.get("against")) for row in quick}
    assert {("speedup", against) for against in ("reference", "convlstm", "convgru", "published")} <= found
    assert ("share_of_peak", None) in found
    for row in quick:
        assert {"preset", "mode", "dtype", "batch", "frames", "streams"} <= set(row.condition)
        assert row.value > 0
        if row.interval is not None:
            assert row.interval[0] <= row.value <= row.interval[1]


def test_growth_is_measured_to_its_end(machine: speed.Machine) -> None:
    short = len(speed.quick_parts(machine))
    found = [part() for part in speed.quick_parts(machine, growth=True)[short:]]
    assert len(found) == 2
    assert {(row.model, row.metric) for row in found[1]} == {("semicoupled", "seconds"), ("reference", "seconds")}
    assert {row.condition["layers"] for row in found[1]} == {2}
    assert {row.condition["frames"] for row in found[0]} == {1}
    kinds = {part.func for part in speed.growth_parts(machine)}  # pyright: ignore[reportAttributeAccessIssue]
    assert kinds == {part.func for part in speed.quick_parts(machine, growth=True)[short:]}  # pyright: ignore[reportAttributeAccessIssue]


def test_a_share_is_speed_over_peak(quick: list[Row]) -> None:
    (share,) = (row for row in quick if row.metric == "share_of_peak" and row.model == "reference")
    (operations,) = (row for row in quick if row.metric == "flops_per_second" and row.model == "reference")
    assert share.value == pytest.approx(operations.value / 5e11)


def test_every_promised_figure_is_measured_by_default() -> None:
    names = [(part.func.__name__, part.args[1:]) for part in speed.parts(speed.Machine(CPU, {}))]  # pyright: ignore[reportAttributeAccessIssue]
    for precision in ("bf16", "float32"):
        for mode in ("training", "inference"):
            for batch in (2, 8):
                assert ("compare", (batch, mode, precision)) in names
            assert ("time_table1", (mode, precision)) in names
            assert ("compare_action", (mode, precision)) in names
        assert ("compare_switches", (8, precision)) in names
        assert ("compare_streams", (2, precision)) in names


def test_streams_are_timed_on_one_core() -> None:
    threads = torch.get_num_threads()
    with streaming.one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == threads
    smallest = next(iter(streaming.streamed_presets()))
    took, weight = streaming.time_streaming(smallest, "float32")
    assert (took.metric, took.unit, took.condition["threads"]) == ("ms_per_frame", "ms", 1)
    # the gates of nine layers at 112 px, one after the other
    sides = (56, 28, 28, 14, 14, 7, 7, 4, 4)
    widths = (16, 24, 24, 48, 48, 96, 96, 128, 128)
    assert weight.value == 4 * sum(side**2 * width for side, width in zip(sides, widths, strict=True))


@pytest.mark.slow
def test_memory_counts_what_a_run_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the frames of a whole clip need about twice the memory."""
    short, long = (
        memory.measure(memory.Case("whole", frames=frames, layers=3, batch=1))[0].value for frames in (20, 40)
    )
    assert 1.5 < long / short < 2.5


@pytest.mark.slow
def test_checkpointing_keeps_one_map_a_layer() -> None:
    """Without it a layer keeps five: what Conv_s gave, the gates, relu(s), its output, the output with the shortcut."""
    whole, saved = (
        memory.measure(memory.Case(way, frames=20, layers=8, batch=1))[0].value for way in ("whole", "checkpointing")
    )
    assert saved < 0.45 * whole


def test_a_process_that_dies_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_child", _die)
    with pytest.raises(memory.SemicoupledError, match="ended with code 3 and no answer"):
        _ = memory.measure(memory.Case("whole"))


def _die(*_: object) -> None:
    raise SystemExit(3)
