"""What training on many processes costs: measured, and on paper."""

from __future__ import annotations

import pytest

from semicoupled.bench import cluster, scaling
from semicoupled.bench.plots import scaling_figure
from semicoupled.bench.scaling import Load, Turns
from semicoupled.find_task import find_task, settings_class, task_folders
from semicoupled.rows import Row
from semicoupled.settings_file import parse_settings


def values(rows: list[Row]) -> dict[str, float]:
    return {row.metric: row.value for row in rows}


def test_what_a_step_moves_and_holds_follows_from_parameters_and_samples() -> None:
    options = ["--training.batch=6", "--training.accumulate=2", "--data.frames=5", "--data.height=4", "--data.width=10"]
    settings = parse_settings(settings_class("action"), options)
    found = values(cluster.plan("action", "p", 1000, settings, processes=4))
    assert found["parameters"] == 1000
    assert found["gradient_bytes"] == 2 * 3 / 4 * 4 * 1000
    assert found["held_bytes"] == 20 * 1000
    assert found["input_bytes"] == 12 * (5 * 3 * 4 * 10 * 4)
    averaged = parse_settings(settings_class("action"), [*options, "--training.weight_average=.9"])
    assert values(cluster.plan("action", "p", 1000, averaged, processes=4))["held_bytes"] == 24 * 1000


@pytest.mark.parametrize("task", ["driving", "outline", "nowcasting"])
def test_parameters_are_those_of_the_network_that_is_trained(task: str) -> None:
    found = find_task(task)
    settings = parse_settings(settings_class(task), files=[task_folders()[task] / "presets/small.yaml"])
    model = found.build(settings, {})
    assert cluster.parameters_of(found, settings) == sum(each.numel() for each in model.parameters())  # pyright: ignore[reportAttributeAccessIssue]


def test_a_page_shows_what_was_measured_and_the_largest_of_each_task() -> None:
    where = [("a", "small", 1.0), ("a", "big", 3.0), ("b", "one", 2.0)]
    rows = [Row("m", "gradient_bytes", {"task": task, "preset": preset}, value, 1) for task, preset, value in where]
    measured = Row("m", "share_of_ideal", {"processes": 2, "clock": "wall"}, 0.9, 5)
    assert cluster.largest([measured, *rows]) == [measured, rows[1], rows[2]]
    axes = scaling_figure([measured, *rows]).axes[0]
    assert axes.get_title() == "two processes: 90% of twice the speed of one"
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a small", "b one", "a big"]


def test_the_share_is_of_twice_the_speed_of_one() -> None:
    turns = Turns([1.0, 1.0], [1.25, 2.0], [0.25, 0.5], alone_cpu=[0.9], together_cpu=[1.0], frames=10, parameters=7)
    rows = scaling.rows_of(turns, Load())
    speeds = {row.condition["processes"]: row.value for row in rows if row.metric == "frames_per_second"}
    assert speeds[1] == 10
    assert speeds[2] == (20 / 1.25 + 20 / 2) / 2
    found = values(rows)
    shares = {row.condition["clock"]: row.value for row in rows if row.metric == "share_of_ideal"}
    assert shares == {"wall": (1 / 1.25 + 1 / 2) / 2, "cpu": 0.9}
    assert found["averaging_share"] == pytest.approx((0.2 + 0.25) / 2)


@pytest.mark.slow
def test_two_processes_are_measured() -> None:
    turns = scaling.measure(scaling.QUICK)
    assert len(turns.alone) == len(turns.together) == 2
    assert all(0 < part < whole for part, whole in zip(turns.averaging, turns.together, strict=True))
