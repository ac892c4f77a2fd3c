"""The pilot in a vehicle whose loop treats parts as DonkeyCar's does: values by name, run or run_threaded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semicoupled.errors import DataError, RunError, SettingsError
from semicoupled.plugins.donkeycar import SteeringPilot


class Vehicle:
    """A loop over parts and a memory of named values."""

    def __init__(self) -> None:
        self.parts: list[tuple[Any, list[str], list[str], bool, str | None]] = []
        self.memory: dict[str, Any] = {}

    def add(
        self, part: Any, inputs: list[str], outputs: list[str], threaded: bool = False, run_condition: str | None = None
    ) -> None:
        self.parts.append((part, inputs, outputs, threaded, run_condition))

    def start(self, rounds: int, rate: float = 100.0) -> None:
        for part, _, _, threaded, _ in self.parts:
            if threaded:
                threading.Thread(target=part.update, daemon=True).start()
        try:
            for _ in range(rounds):
                for part, inputs, outputs, threaded, condition in self.parts:
                    if condition is None or self.memory.get(condition):
                        given = [self.memory.get(name) for name in inputs]
                        said = (part.run_threaded if threaded else part.run)(*given)
                        if said is not None:
                            values = list(said) if isinstance(said, tuple) else [said]
                            self.memory.update(zip(outputs, values, strict=True))
                time.sleep(1 / rate)
        finally:
            for part, *_ in self.parts:
                part.shutdown()


class Camera:
    """Gives no image at first, then noise."""

    def __init__(self, empty: int = 2) -> None:
        self._rng, self._empty = np.random.default_rng(0), empty

    def run(self) -> np.ndarray | None:
        self._empty -= 1
        return None if self._empty >= 0 else self._rng.integers(0, 255, (120, 160, 3), np.uint8)

    def shutdown(self) -> None:
        pass


class Recorder:
    """Remembers what would go to the motors."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float]] = []

    def run(self, angle: float, throttle: float) -> None:
        self.seen.append((angle, throttle))

    def shutdown(self) -> None:
        pass


@pytest.fixture(scope="module")
def run(make_driving_run: Callable[..., Path]) -> Path:
    return make_driving_run()


def drive(pilot: SteeringPilot, rounds: int, *, threaded: bool = False, inputs: tuple[str, ...] = ()) -> Recorder:
    car, recorder = Vehicle(), Recorder()
    car.memory.update({"run_pilot": True, "given/throttle": 0.7, "pilot/angle": 0.0, "pilot/throttle": 0.0})
    car.add(Camera(), [], ["cam/image_array"])
    car.add(pilot, ["cam/image_array", *inputs], ["pilot/angle", "pilot/throttle"], threaded, "run_pilot")
    car.add(recorder, ["pilot/angle", "pilot/throttle"], [])
    car.start(rounds)
    return recorder


def test_a_car_drives(run: Path):
    pilot = SteeringPilot(run, throttle=0.3)
    seen = drive(pilot, 12).seen
    assert seen[:2] == [(0.0, 0.0)] * 2, "without an image it stands still"
    assert all(-1 <= angle <= 1 and throttle == 0.3 for angle, throttle in seen[2:])
    assert len({angle for angle, _ in seen[2:]}) > 5
    assert 0 < pilot.milliseconds < 5000


def test_throttle_is_given_or_lower_in_curves(run: Path):
    assert {throttle for _, throttle in drive(SteeringPilot(run), 6, inputs=("given/throttle",)).seen[2:]} == {0.7}
    slower = drive(SteeringPilot(run, 0.4, curve_throttle=0.1), 8).seen[2:]
    assert [throttle for _, throttle in slower] == pytest.approx([0.4 - 0.3 * abs(angle) for angle, _ in slower])


def test_in_a_thread_the_loop_never_waits(run: Path):
    pilot = SteeringPilot(run, throttle=0.3)
    seen = drive(pilot, 60, threaded=True).seen
    assert seen[-1][1] == 0.3
    assert len({angle for angle, _ in seen}) > 2
    assert pilot.run_threaded(None) == (0.0, 0.0), "after the vehicle has stopped it stands still"


def test_what_fails_in_the_thread_is_heard_in_the_loop(run: Path):
    pilot = SteeringPilot(run)
    thread = threading.Thread(target=pilot.update, daemon=True)
    thread.start()
    pilot.run_threaded(np.zeros((4, 4, 2), np.uint8))
    thread.join(5)
    assert not thread.is_alive()
    with pytest.raises(DataError, match="a frame: expected H W 3"):
        pilot.run_threaded(np.zeros((24, 32, 3), np.uint8))


def test_gray_cameras_and_the_state(run: Path):
    pilot = SteeringPilot(run)
    image = np.random.default_rng(1).integers(0, 255, (24, 32), np.uint8)
    first = pilot.run(image).angle
    pilot.reset()
    assert pilot.run(image[..., None]).angle == pytest.approx(first, abs=1e-6)
    pilot.reset()
    assert pilot.run(np.repeat(image[..., None], 3, 2)).angle == pytest.approx(first, abs=1e-6)


def test_degrees_need_the_cars_full_lock(make_driving_run: Callable[..., Path]):
    run = make_driving_run(unit="degrees")
    with pytest.raises(SettingsError, match=r"learned degrees; full_lock: expected the angle in degrees"):
        SteeringPilot(run)
    image = np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8)
    wide, narrow = (
        SteeringPilot(run, full_lock=1000).run(image).angle,
        SteeringPilot(run, full_lock=0.001).run(image).angle,
    )
    assert 0 < abs(wide) < 0.2
    assert abs(narrow) == 1.0
    assert np.sign(wide) == np.sign(narrow)
    with pytest.raises(SettingsError, match="full_lock: expected an angle above 0"):
        SteeringPilot(run, full_lock=-3)


def test_what_is_wrong_is_said_before_it_drives(run: Path, tmp_path: Path):
    with pytest.raises(SettingsError, match=r"throttle: expected -1 to 1, got 3"):
        SteeringPilot(run, throttle=3)
    with pytest.raises(RunError, match="no such folder"):
        SteeringPilot(tmp_path / "none")
