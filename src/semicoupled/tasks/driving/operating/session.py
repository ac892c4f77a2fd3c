"""Steering frame by frame, with the state that the model carries: for a camera, a car, or a replay."""

from __future__ import annotations

import logging
import time as clock
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from semicoupled.description import Description
from semicoupled.errors import DataError, ShapeError
from semicoupled.nn import PackedStack, SemiCoupledStack, pack
from semicoupled.nn.streams import Stream
from semicoupled.tasks.driving.angles import denormalize
from semicoupled.tasks.driving.data import to_frames
from semicoupled.tasks.driving.images import shrink
from semicoupled.tasks.driving.model import DrivingModel
from semicoupled.tasks.driving.settings import DrivingSettings

_LOG = logging.getLogger(__name__)
_SOONEST = 0.7
"""Of the interval between two frames of the model: a state that is younger belongs to a later frame."""
_MOST_STATES = 16
_CLOSEST = 12
"""States that are kept in an interval of the model at most: `_MOST_STATES` then reach back over more than one."""


class Steering(NamedTuple):
    """What the model says about a frame.

    Attributes:
        angle: in the session's unit, positive to the right.
        spatial: the answer from space alone; None where it was not asked for.
        temporal: the answer from time; None likewise.
        seconds: that this frame took, from the image to the angle.
    """

    angle: float
    spatial: float | None
    temporal: float | None
    seconds: float


class _Kept(NamedTuple):
    """A state and when it was left."""

    time: float
    state: Any


class DriveSession:
    """Answers frame after frame. What it keeps does not grow with their number.

    A model that learned 10 frames a second and gets 30 has three states that take turns, so that every frame is
    answered from frames that lie as far apart as in training.
    """

    def __init__(
        self,
        settings: DrivingSettings,
        description: Description,
        model: DrivingModel,
        *,
        streams: Sequence[Stream] = ("main",),
        every: int | None = None,
        packed: bool = True,
    ) -> None:
        """Begin before the first frame.

        Args:
            settings: of the run.
            description: of its data.
            model: in eval mode.
            streams: ``main``, and those side streams whose answers are wanted, too; they take time.
            every: the frames come evenly, and so many lie from one frame of the model to the next; None goes by the
                times of the frames.
            packed: lay the network out for one CPU core where that can be done (`nn.pack`): a `semicoupled` network
                with the `rnn` cell on the CPU, the main stream alone. The answers are the same up to rounding.
        """
        self.unit = str(description["unit"])
        self._data, self._model = settings.data, model
        self._streams: tuple[Stream, ...] = ("main", *(name for name in streams if name in model.streams[1:]))
        self._scale = settings.data.scale(self.unit)
        self._every = every
        stated = description.get("frame_seconds")
        rate = settings.data.rate
        self.frame_seconds = float(stated) if isinstance(stated, int | float) and stated else 1 / rate if rate else None
        """Seconds from one frame of the model to the next; None where it takes every frame."""
        self._device = next(model.parameters()).device
        self.packed = self._pack() if packed and self._streams == ("main",) else None
        """The network laid out for one core; None where it runs as it was trained."""
        self._kept: deque[_Kept] = deque(maxlen=_MOST_STATES if every is None else every)

    def reset(self) -> None:
        """Forget what was seen."""
        self._kept.clear()

    def update(self, image: np.ndarray, time: float | None = None) -> Steering:
        """Answer for the next frame.

        Args:
            image: H W 3, uint8, RGB, as it was learned from; it is cropped and resized as the run's settings say.
            time: seconds, later than the last; None where the frames come evenly (`every`), or for the time now. After
                a gap (``data.gap_seconds``) the model begins anew.

        Raises:
            DataError: it is no image.
        """
        begun = clock.perf_counter()
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise DataError(f"a frame: expected H W 3, uint8, RGB, got {image.shape}, {image.dtype}")
        now = clock.monotonic() if time is None else time
        frame = to_frames(shrink(image, self._data)[None], self._data).to(self._device)
        with torch.no_grad():
            angles, state = self._answer(frame, self._state(now))
        if not self._is_close(now):
            self._kept.append(_Kept(now, state))
        said = [self._angle(angles.get(name)) for name in ("main", "spatial", "temporal")]
        assert said[0] is not None
        return Steering(said[0], said[1], said[2], clock.perf_counter() - begun)

    def _state(self, now: float) -> Any:
        """Choose the state that was left one frame of the model ago."""
        if self._every is not None:
            return self._kept[0].state if len(self._kept) == self._every else None
        if self._kept and not 0 <= now - self._kept[-1].time <= max(self._data.gap_seconds, 2 * self._interval()):
            self.reset()
        if not self._kept:
            return None
        if self.frame_seconds is None:
            return self._kept[-1].state
        wanted = now - self.frame_seconds
        nearest = min(self._kept, key=lambda kept: abs(kept.time - wanted))
        return nearest.state if now - nearest.time >= _SOONEST * self.frame_seconds else None

    def _is_close(self, now: float) -> bool:
        """Whether the state left last is so young that another one would only push out the one that is wanted."""
        if self._every is not None or self.frame_seconds is None or not self._kept:
            return False
        return now - self._kept[-1].time < self.frame_seconds / _CLOSEST

    def _interval(self) -> float:
        """Give the seconds between the last frames: a slow camera is no gap."""
        if len(self._kept) < 2:
            return 0.0
        return (self._kept[-1].time - self._kept[0].time) / (len(self._kept) - 1)

    def _answer(self, frame: torch.Tensor, state: Any) -> tuple[dict[Stream, torch.Tensor], Any]:
        if self.packed is not None:
            features, state = self.packed.step(frame, state)
            return {"main": self._model.main_head(features[:, None])}, state
        output = self._model.answer(frame[:, None], state, streams=self._streams)
        return {name: getattr(output, name) for name in self._streams}, output.state

    def _angle(self, answer: torch.Tensor | None) -> float | None:
        if answer is None:
            return None
        return float(denormalize(np.asarray(float(answer)), self._scale, self.unit))

    def _pack(self) -> PackedStack | None:
        network = self._model.network
        if not isinstance(network, SemiCoupledStack) or self._device.type != "cpu":
            return None
        try:
            return pack(network, (self._data.height, self._data.width))
        except ShapeError as error:
            _LOG.info("the network runs as it was trained, not packed: %s", error)
            return None
