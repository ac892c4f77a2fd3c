from __future__ import annotations

import time

import pytest

from semicoupled.training.clock import Clock
from semicoupled.training.settings import TimeBudget


class Watch:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_without_a_budget_steps_count() -> None:
    clock = Clock(10, now=Watch())
    assert [clock.share(step, 1e9) for step in (0, 5, 10, 11)] == [0.0, 0.5, 1.0, 1.0]
    assert clock.total == 10


def test_with_a_budget_seconds_count_and_steps_do_not() -> None:
    clock = Clock(10, TimeBudget(60.0), now=Watch())
    assert [clock.share(10**6, elapsed) for elapsed in (0.0, 15.0, 61.0)] == [0.0, 0.25, 1.0]
    assert clock.total == 60.0
    assert clock.left(3, 45.0) == 15.0


def test_seconds_go_on_over_a_resume() -> None:
    watch = Watch()
    clock = Clock(10, TimeBudget(60.0), step=4, elapsed=20.0, now=watch)
    watch.time += 7.5
    assert clock.elapsed == 27.5


def test_time_left_follows_the_speed_since_the_resume() -> None:
    clock = Clock(10, step=4, elapsed=1000.0, now=Watch())
    assert clock.left(4, 1000.0) is None
    assert clock.left(6, 1010.0) == pytest.approx(20.0)


def test_a_budget_of_cpu_time_goes_on_while_the_process_computes_and_stands_still_while_it_waits() -> None:
    walls, cpus = Clock(1, TimeBudget(60.0)), Clock(1, TimeBudget(60.0, of_cpu=True))
    time.sleep(0.3)
    assert walls.elapsed >= 0.3
    assert cpus.elapsed < 0.15
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    assert cpus.elapsed >= 0.2
