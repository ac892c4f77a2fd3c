"""One picture of a moment of a drive: the view with a steering wheel on it, the angle against time, and importance."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import cv2
import numpy as np

from semicoupled.tasks.driving.drives import Unit

WIDTH = 480
_TALLEST = 360
"""Pixels that a view takes at most; a taller one is made narrower."""
_TRACE, _GAIN = 84, 64
"""Heights of the two traces."""
_LEFT, _RIGHT, _EDGE = 58, 10, 8
_SECONDS = 10.0
_MOST = 2000
"""Moments that are kept for the traces."""
_FULL_LOCK = 90.0
"""Degrees that the drawn wheel turns at full lock, where angles are normalized."""

Color = tuple[int, int, int]
MAIN: Color = (0, 114, 178)
TRUTH: Color = (17, 17, 17)
TIME: Color = (0, 158, 115)
SPACE: Color = (213, 94, 0)
_PAPER: Color = (255, 255, 255)
_INK: Color = (60, 60, 60)
_LINE: Color = (210, 210, 210)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SIGN = {"degrees": " deg", "radians": " rad", "normalized": ""}
_LEAST_RANGE = {"degrees": 10.0, "radians": 0.2, "normalized": 1.0}


class Moment(NamedTuple):
    """What is known about a frame; NaN where it is not.

    Attributes:
        time: seconds.
        angle: that was predicted, in the unit of the drive, positive to the right.
        truth: that was steered, likewise.
        importance: of time: above 0, time says more than space.
    """

    time: float
    angle: float
    truth: float = math.nan
    importance: float = math.nan


class Renderer:
    """Draws moment after moment; keeps the last ten seconds for the traces."""

    def __init__(self, unit: Unit, importance: str | None = None, most: float | None = None) -> None:
        """Take what all pictures share.

        Args:
            unit: of the angles.
            importance: what stands beside the trace of importance, such as ``time - space``; None leaves it away.
            most: largest angle that the trace shows; None for one that grows with what comes.
        """
        self._unit, self._importance = unit, importance
        self._most = _LEAST_RANGE[unit] if most is None else max(most, 1e-6)
        self._most_gain = 1e-3
        self._past: deque[Moment] = deque(maxlen=_MOST)

    def reset(self) -> None:
        """Begin the traces anew, for another drive."""
        self._past.clear()

    def draw(self, view: np.ndarray, moment: Moment, caption: str = "") -> np.ndarray:
        """Draw a moment.

        Args:
            view: the frame, H W 3, uint8, RGB.
            moment: what is known about it, later than the last.
            caption: a few words for the upper edge.

        Returns:
            H W 3, uint8, RGB; all of one size for views of one size.
        """
        self._past.append(moment)
        while self._past[0].time < moment.time - _SECONDS:
            self._past.popleft()
        for value in (moment.angle, moment.truth):
            self._most = max(self._most, abs(value)) if math.isfinite(value) else self._most
        if math.isfinite(moment.importance):
            self._most_gain = max(self._most_gain, abs(moment.importance))
        parts = [self._view(view, moment, caption), self._angles()]
        if self._importance is not None:
            parts.append(self._gains(self._importance))
        return np.concatenate(parts)

    def _view(self, view: np.ndarray, moment: Moment, caption: str) -> np.ndarray:
        scale = min(WIDTH / view.shape[1], _TALLEST / view.shape[0])
        height, width = max(1, round(view.shape[0] * scale)), max(1, round(view.shape[1] * scale))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        canvas = np.zeros((max(height, 160), WIDTH, 3), np.uint8)
        left, top = (WIDTH - width) // 2, (canvas.shape[0] - height) // 2
        canvas[top : top + height, left : left + width] = cv2.resize(view, (width, height), interpolation=way)
        radius = max(44, canvas.shape[0] // 7)
        _wheel(canvas, (radius + 14, canvas.shape[0] - radius - 14), radius, self._turn(moment))
        said = [(f"angle {self._number(moment.angle)}", MAIN)]
        if math.isfinite(moment.truth):
            said.append((f"driver {self._number(moment.truth)}", TRUTH))
        for row, (text, color) in enumerate(said):
            _label(canvas, text, (2 * radius + 34, canvas.shape[0] - 20 - 26 * (len(said) - 1 - row)), color)
        if caption:
            _label(canvas, caption, (10, 24), _INK)
        return canvas

    def _turn(self, moment: Moment) -> tuple[float, float]:
        degrees = {"degrees": 1.0, "radians": 180 / math.pi, "normalized": _FULL_LOCK}[self._unit]
        return moment.angle * degrees, moment.truth * degrees

    def _number(self, angle: float) -> str:
        if not math.isfinite(angle):
            return "--"
        digits = 1 if self._unit == "degrees" else 2
        return f"{angle:+.{digits}f}{_SIGN[self._unit]}"

    def _angles(self) -> np.ndarray:
        panel = _panel(_TRACE, ("right", "left"), f"{self._most:.3g}", "angle")
        self._trace(panel, [each.truth for each in self._past], self._most, TRUTH)
        self._trace(panel, [each.angle for each in self._past], self._most, MAIN)
        return panel

    def _gains(self, name: str) -> np.ndarray:
        panel = _panel(_GAIN, ("time", "space"), f"{self._most_gain:.2g}", name)
        middle = panel.shape[0] // 2
        for x, each in zip(self._columns(), self._past, strict=True):
            if math.isfinite(each.importance):
                y = _row(panel, each.importance, self._most_gain)
                cv2.line(panel, (x, middle), (x, y), TIME if each.importance > 0 else SPACE, 2)
        return panel

    def _columns(self) -> list[int]:
        now = self._past[-1].time
        wide = WIDTH - _LEFT - _RIGHT
        return [round(WIDTH - _RIGHT - (now - each.time) / _SECONDS * wide) for each in self._past]

    def _trace(self, panel: np.ndarray, values: list[float], most: float, color: Color) -> None:
        run: list[tuple[int, int]] = []
        for x, value in [*zip(self._columns(), values, strict=True), (0, math.nan)]:
            if math.isfinite(value):
                run.append((x, _row(panel, value, most)))
            elif run:
                cv2.polylines(panel, [np.array(run, np.int32)], False, color, 1 if color == TRUTH else 2, cv2.LINE_AA)
                run = []


def _wheel(canvas: np.ndarray, center: tuple[int, int], radius: int, turn: tuple[float, float]) -> None:
    """Draw the predicted wheel, and a mark on the rim where the driver's stands."""
    reach = radius + 12
    around = canvas[max(0, center[1] - reach) : center[1] + reach, max(0, center[0] - reach) : center[0] + reach]
    shade = around.copy()
    middle = (center[0] - max(0, center[0] - reach), center[1] - max(0, center[1] - reach))
    cv2.circle(shade, middle, radius + 10, _PAPER, -1, cv2.LINE_AA)
    cv2.addWeighted(shade, 0.75, around, 0.25, 0, around)
    predicted, true = turn
    color = MAIN if math.isfinite(predicted) else _LINE
    cv2.circle(canvas, center, radius, color, max(4, radius // 9), cv2.LINE_AA)
    angle = predicted if math.isfinite(predicted) else 0.0
    for spoke in (-90.0, 90.0, 180.0):
        cv2.line(canvas, center, _on_rim(center, radius, angle + spoke), color, max(3, radius // 12), cv2.LINE_AA)
    cv2.circle(canvas, center, max(5, radius // 5), color, -1, cv2.LINE_AA)
    if math.isfinite(predicted):
        cv2.line(canvas, _on_rim(center, radius - 8, angle), _on_rim(center, radius + 8, angle), SPACE, 5, cv2.LINE_AA)
    if math.isfinite(true):
        cv2.line(canvas, _on_rim(center, radius - 14, true), _on_rim(center, radius + 9, true), TRUTH, 3, cv2.LINE_AA)


def _on_rim(center: tuple[int, int], radius: int, degrees: float) -> tuple[int, int]:
    """Give the point of a circle at an angle, clockwise from above."""
    turn = math.radians(degrees)
    return round(center[0] + radius * math.sin(turn)), round(center[1] - radius * math.cos(turn))


def _label(canvas: np.ndarray, text: str, place: tuple[int, int], color: Color) -> None:
    """Write on paper, so that it can be read on any view."""
    (width, height), below = cv2.getTextSize(text, _FONT, 0.5, 1)
    x, y = place
    cv2.rectangle(canvas, (x - 5, y - height - 5), (x + width + 5, y + below), _PAPER, -1)
    cv2.putText(canvas, text, place, _FONT, 0.5, color, 1, cv2.LINE_AA)


def _panel(height: int, sides: tuple[str, str], most: str, name: str) -> np.ndarray:
    panel = np.full((height, WIDTH, 3), 255, np.uint8)
    cv2.line(panel, (0, 0), (WIDTH, 0), _LINE, 1)
    cv2.line(panel, (_LEFT, height // 2), (WIDTH - _RIGHT, height // 2), _LINE, 1)
    for text, row in ((sides[0], 16), (sides[1], height - 6)):
        cv2.putText(panel, text, (6, row), _FONT, 0.4, _INK, 1, cv2.LINE_AA)
    cv2.putText(panel, most, (6, 30), _FONT, 0.35, _INK, 1, cv2.LINE_AA)
    cv2.putText(panel, name, (_LEFT + 4, 14), _FONT, 0.4, _INK, 1, cv2.LINE_AA)
    return panel


def _row(panel: np.ndarray, value: float, most: float) -> int:
    half = panel.shape[0] / 2 - _EDGE
    return round(panel.shape[0] / 2 - half * max(-1.0, min(1.0, value / most)))
