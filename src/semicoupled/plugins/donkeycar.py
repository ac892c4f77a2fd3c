"""A pilot for DonkeyCar: a part of its vehicle that steers by a trained run, frame by frame, with its state.

In ``manage.py``, where the other pilots are added::

    from semicoupled.plugins.donkeycar import SteeringPilot

    V.add(
        SteeringPilot("runs/track", throttle=0.25),
        inputs=["cam/image_array"],
        outputs=["pilot/angle", "pilot/throttle"],
        run_condition="run_pilot",
    )

DonkeyCar need not be installed here: a part is any object with ``run`` (and ``update``, ``run_threaded`` and
``shutdown`` for parts with ``threaded=True``), https://docs.donkeycar.com/parts/about/.
"""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from semicoupled.errors import SettingsError
from semicoupled.run_folder import load
from semicoupled.tasks.driving.operating.predictor import DrivingPredictor


class Control(NamedTuple):
    """What a pilot gives its vehicle.

    Attributes:
        angle: -1 (full left) to 1 (full right).
        throttle: -1 to 1.
    """

    angle: float
    throttle: float


_STILL = Control(0.0, 0.0)


class SteeringPilot:
    """Steers by a trained run; the throttle is constant, lower in curves, or given by another part."""

    def __init__(
        self,
        run: Path | str = "pretrained",
        throttle: float = 0.2,
        *,
        curve_throttle: float | None = None,
        full_lock: float | None = None,
        device: str = "cpu",
    ) -> None:
        """Load a run.

        Args:
            run: a run folder, or ``"pretrained[:NAME]"``.
            throttle: when driving straight on, -1 to 1.
            curve_throttle: at full lock; in between it falls evenly. None for the same everywhere.
            full_lock: the angle that is full lock, in the unit that the run learned; needed unless that is -1..1.
            device: where to compute. A small network is quickest on one core of the CPU.

        Raises:
            RunError: no such run, or one of another task.
            SettingsError: a throttle out of range, or an angle whose full lock is not known.
        """
        loaded = load(run, device, "driving")
        predictor = cast(DrivingPredictor, loaded.task.predictor(loaded.settings, loaded.description, loaded.model))
        self._session = predictor.session()
        for name, value in (("throttle", throttle), ("curve_throttle", curve_throttle)):
            if value is not None and not -1 <= value <= 1:
                raise SettingsError(f"SteeringPilot: {name}: expected -1 to 1, got {value!r}.")
        if full_lock is None and predictor.unit != "normalized":
            raise SettingsError(
                f"SteeringPilot: this run learned {predictor.unit}; full_lock: expected the angle in {predictor.unit} "
                "that is full lock of this car. Give full_lock=..."
            )
        if full_lock is not None and not (math.isfinite(full_lock) and full_lock > 0):
            raise SettingsError(f"SteeringPilot: full_lock: expected an angle above 0, got {full_lock!r}.")
        self._full_lock = full_lock or 1.0
        self._throttle = throttle
        self._curve_throttle = throttle if curve_throttle is None else curve_throttle
        self._condition = threading.Condition()
        self._waiting: np.ndarray | None = None
        self._last, self._on = _STILL, True
        self._failed: Exception | None = None
        self.milliseconds = 0.0
        """That the last frame took."""

    def run(self, image: np.ndarray | None, throttle: float | None = None) -> Control:
        """Answer for the vehicle's next frame; called in every round of its loop.

        Args:
            image: H W 3, uint8, RGB, as the car's camera gives it, or gray (H W, or H W 1). None before the camera is
                ready: the car stands still.
            throttle: of another part (``pilot/throttle``), which is passed on; None for the pilot's own.

        Returns:
            The angle and the throttle.

        Raises:
            DataError: it is no image.
        """
        if image is None:
            return _STILL
        said = self._session.update(_colored(image))
        self.milliseconds = 1000 * said.seconds
        angle = max(-1.0, min(1.0, said.angle / self._full_lock))
        if throttle is None:
            throttle = self._throttle + (self._curve_throttle - self._throttle) * abs(angle)
        return Control(angle, float(throttle))

    def run_threaded(self, image: np.ndarray | None, throttle: float | None = None) -> Control:
        """The same for a part with ``threaded=True``: takes the frame (see `run`) and gives the newest answer at once.

        Raises:
            DataError: what `run` raised in the thread; the answers would be old.
        """
        with self._condition:
            if self._failed is not None:
                raise self._failed
            if image is not None:
                self._waiting = image
                self._condition.notify()
            return self._last if throttle is None or image is None else self._last._replace(throttle=float(throttle))

    def update(self) -> None:
        """Answer in a thread of its own, until `shutdown`; of frames that come meanwhile the newest counts."""
        while True:
            with self._condition:
                while self._on and self._waiting is None:
                    self._condition.wait(0.2)
                image, self._waiting = self._waiting, None
                if not self._on:
                    return
            try:
                answer = self.run(image)
            except Exception as error:  # noqa: BLE001 - it is raised again where the vehicle looks
                with self._condition:
                    self._failed, self._last = error, _STILL
                return
            with self._condition:
                self._last = answer

    def reset(self) -> None:
        """Forget what was seen, before another run."""
        self._session.reset()

    def shutdown(self) -> None:
        """End the thread; called when the vehicle stops."""
        with self._condition:
            self._on, self._last = False, _STILL
            self._condition.notify_all()


def _colored(image: np.ndarray) -> np.ndarray:
    """Give gray images three equal colors."""
    if image.ndim == 2:
        image = image[..., None]
    return np.repeat(image, 3, axis=2) if image.ndim == 3 and image.shape[2] == 1 else image
