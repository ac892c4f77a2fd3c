"""A drawn drive for those who have none at hand: a car on a track between pale walls, made by code.

It is a pure function of its name. The track's curvature is a sum of slow waves; the driver steers by the curvature a
little ahead, late by a moment and with a trembling hand, so that there is something to compare an answer with.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from semicoupled.errors import DataError, nearest

WIDTH, HEIGHT = 160, 120
RATE = 20.0
FRAMES = 320
_SPEED = 1.6
_STEP = 0.05
_REACH = 7.0
_HALF_WIDTH = 0.75
_EYE, _WALL = 0.16, 0.24
_FOCAL = 105.0
_HORIZON = 26
_AHEAD = 0.55
_FULL_LOCK = 1.05
"""Curvature, 1/m, that takes full lock."""


@dataclass(frozen=True)
class Track:
    """What a drawn track is like.

    Args:
        title: for people.
        seed: of its waves.
        bend: largest curvature, nearly, 1/m.
        wall: brightness of the walls, 0 to 255.
        floor: brightness of the floor.
    """

    title: str
    seed: int
    bend: float
    wall: int
    floor: int


SAMPLES: dict[str, Track] = {
    "curves": Track("A track of long curves (drawn)", 2, 0.5, 205, 92),
    "winding": Track("A winding track (drawn)", 5, 1.15, 176, 66),
}


def find_sample(name: str) -> Track:
    """Give a sample by name.

    Raises:
        DataError: there is none of this name.
    """
    if name not in SAMPLES:
        raise DataError(f"there is no sample {name[:100]!r}. {nearest(name[:100], SAMPLES)}")
    return SAMPLES[name]


class TrackFrames:
    """The view of the driver; see `semicoupled.tasks.driving.drives.Frames`."""

    def __init__(self, name: str, count: int = FRAMES) -> None:
        """Lay the track.

        Args:
            name: of the sample.
            count: frames.
        """
        self._name, self._track, self._count = name, find_sample(name), count
        length = count / RATE * _SPEED + 2 * _REACH
        self._along = np.arange(0.0, length, _STEP)
        self._curvature = _curvature(self._track, self._along)
        self._heading = np.cumsum(self._curvature) * _STEP
        self._place = np.cumsum(np.stack([np.cos(self._heading), np.sin(self._heading)], 1), 0) * _STEP
        random = np.random.default_rng(self._track.seed)
        self._grain = random.normal(0, 7, (HEIGHT * 2, WIDTH * 2)).astype(np.float32)

    def __len__(self) -> int:
        """The number of frames."""
        return self._count

    @property
    def times(self) -> np.ndarray:
        """Seconds."""
        return np.arange(self._count) / RATE

    @property
    def angles(self) -> np.ndarray:
        """What the driver steers, -1 to 1 of full lock, positive to the right."""
        random = np.random.default_rng(self._track.seed + 1)
        late = self.times * _SPEED + _AHEAD - 0.12
        steered = np.interp(late, self._along, self._curvature) / _FULL_LOCK
        tremble = np.convolve(random.normal(0, 0.09, self._count + 8), np.ones(9) / 9, "valid")
        return np.clip(steered + tremble, -1, 1)

    def name(self, index: int) -> str:
        """Say where a frame lies."""
        return f"drawn {self._name}, frame {index}"

    def read(self, index: int) -> np.ndarray:
        """Draw a frame: H W 3, uint8, RGB."""
        at = index / RATE * _SPEED
        first = int(at / _STEP)
        turn = np.interp(at, self._along, self._heading)
        here = np.array([np.interp(at, self._along, self._place[:, axis]) for axis in (0, 1)])
        ahead = slice(first, first + int(_REACH / _STEP))
        forward, right = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        side = np.stack([-np.sin(self._heading[ahead]), np.cos(self._heading[ahead])], 1)
        picture = self._ground(index)
        walls = [(self._place[ahead] + sign * _HALF_WIDTH * side - here) @ np.stack([forward, right], 1)
                 for sign in (-1, 1)]  # fmt: skip
        self._stripes(picture, walls, self._along[ahead])
        self._walls(picture, walls, self._along[ahead])
        return np.clip(picture, 0, 255).astype(np.uint8)

    def _ground(self, index: int) -> np.ndarray:
        rows = np.arange(HEIGHT)[:, None]
        picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
        near = np.clip((rows - _HORIZON) / (HEIGHT - _HORIZON), 0, 1)
        floor = self._track.floor * (0.72 + 0.4 * near)
        grain = np.roll(self._grain, (index * 29) % HEIGHT, 0)[:HEIGHT, :WIDTH] * (0.4 + near)
        below = floor + grain
        sky = 42 + 0.5 * rows + 0.15 * grain
        for channel, tint in enumerate((1.0, 1.0, 1.06)):
            picture[..., channel] = np.where(rows > _HORIZON, below * tint, sky * (1.12 - 0.08 * channel))
        return picture

    def _stripes(self, picture: np.ndarray, walls: list[np.ndarray], along: np.ndarray) -> None:
        """Draw dark tape across the floor every two meters, by which speed can be seen."""
        left, right = (_project(wall, -_EYE) for wall in walls)
        ahead = np.minimum(*(wall[:, 0] for wall in walls)) > 0.12
        for index in np.flatnonzero((np.diff(np.floor(along[:-3] / 2.0)) > 0) & ahead[:-4] & ahead[3:-1]):
            corners = np.stack([left[index], right[index], right[index + 3], left[index + 3]])
            cv2.fillConvexPoly(picture, corners, (24.0, 24.0, 26.0), cv2.LINE_AA)

    def _walls(self, picture: np.ndarray, walls: list[np.ndarray], along: np.ndarray) -> None:
        """Draw both walls piece by piece, the farthest first."""
        pieces: list[tuple[float, np.ndarray, float]] = []
        joint = np.where((along / _STEP).astype(int) % 24 < 3, 0.82, 1.0)
        for wall in walls:
            low, high, far = _project(wall, -_EYE), _project(wall, _WALL), np.hypot(*wall.T)
            shade = self._track.wall * joint * (0.55 + 0.45 / (1 + 0.12 * far**1.5))
            for one in range(0, len(wall) - 3, 3):
                two = one + 3
                if wall[one, 0] > 0.06 and wall[two, 0] > 0.06:
                    corners = np.stack([low[one], low[two], high[two], high[one]])
                    pieces.append((float(far[one]), corners, float(shade[one])))
        for _, corners, shade in sorted(pieces, key=lambda piece: -piece[0]):
            cv2.fillConvexPoly(picture, corners, (shade, shade * 0.99, shade * 0.95), cv2.LINE_AA)


def _project(places: np.ndarray, height: float) -> np.ndarray:
    """Give the pixels, N 2, of places ahead and to the right, N 2, m, at a height above the eye, m."""
    forward = np.maximum(0.06, places[:, 0])
    x = WIDTH / 2 + _FOCAL * places[:, 1] / forward
    y = _HORIZON + 6 - _FOCAL * height * 0.55 / forward
    return np.clip(np.stack([x, y], 1), -4000, 4000).astype(np.int32)


def _curvature(track: Track, along: np.ndarray) -> np.ndarray:
    """Give the curvature at places along the track, positive to the right; it begins straight."""
    random = np.random.default_rng(track.seed)
    length, phase = random.uniform(6, 22, 7), random.uniform(0, 2 * np.pi, 7)
    waves = sum(np.sin(2 * np.pi * along / each + shift) for each, shift in zip(length, phase, strict=True))
    bends = np.tanh(1.3 * (np.abs(waves / 2.2) - 0.35).clip(0)) * np.sign(waves)
    return track.bend * bends * np.clip(along / 3.0, 0, 1)
