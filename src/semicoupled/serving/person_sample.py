"""A drawn person who moves, for those who have no video at hand: made by code, a pure function of its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from semicoupled.data.video import VideoFrame
from semicoupled.errors import DataError, nearest

WIDTH, HEIGHT = 160, 120
RATE = 12.5
FRAMES = 75
_SCALE = 4
_CENTER, _HIP = WIDTH * 0.5, 74.0
_SKIN, _SHIRT, _LEGS = (222, 180, 150), (196, 84, 60), (52, 66, 96)


@dataclass(frozen=True)
class Motion:
    """What a drawn person does.

    Args:
        title: for people.
        kind: ``wave``, ``jack`` or ``bend``.
        rate: repetitions a second.
        ground: brightness of the wall behind.
    """

    title: str
    kind: str
    rate: float
    ground: int


SAMPLES: dict[str, Motion] = {
    "jack": Motion("Jumping jacks (drawn)", "jack", 0.8, 186),
    "wave": Motion("Waving (drawn)", "wave", 1.1, 170),
    "bend": Motion("Bending down (drawn)", "bend", 0.33, 200),
}


def find_sample(name: str) -> Motion:
    """Give a sample by name.

    Raises:
        DataError: there is none of this name.
    """
    if name not in SAMPLES:
        raise DataError(f"there is no sample {name[:100]!r}. {nearest(name[:100], SAMPLES)}")
    return SAMPLES[name]


def person_frames(name: str, count: int = FRAMES) -> Iterator[VideoFrame]:
    """Draw a sample.

    Args:
        name: of the sample.
        count: frames.

    Yields:
        Images 120 x 160 with their times.
    """
    motion = find_sample(name)
    wall = _wall(motion)
    for index in range(count):
        time = index / RATE
        phase = 2 * np.pi * motion.rate * time
        large = cv2.resize(wall, (WIDTH * _SCALE, HEIGHT * _SCALE), interpolation=cv2.INTER_LINEAR)
        _draw(large, *_pose(motion.kind, phase))
        yield VideoFrame(time, cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))


Joint = tuple[float, float]


def _pose(kind: str, phase: float) -> tuple[Joint, Joint, list[list[Joint]], list[list[Joint]]]:
    """Give hip, neck, arms and legs, px."""
    open_share = 0.5 - 0.5 * np.cos(phase)
    lean, rise, spread = 0.0, 0.0, 6.0
    arms = [(0.22, 0.1), (-0.22, -0.1)]  # angles of the upper arm and the forearm, from hanging, radians outward
    if kind == "jack":
        rise, spread = 5.0 * abs(np.sin(phase)), 6.0 + 15.0 * open_share
        upper = 0.25 + 2.55 * open_share
        arms = [(upper, upper + 0.15), (-upper, -upper - 0.15)]
    elif kind == "wave":
        arms = [(2.05, 2.85 + 0.55 * np.sin(2 * phase)), (-0.2, -0.08)]
    else:
        lean = 1.5 * open_share
        arms = [(0.15 + 0.2 * open_share, 0.1), (-0.1 + 0.5 * open_share, 0.2 * open_share)]
    hip = (_CENTER, _HIP - rise)
    neck = (hip[0] + 30 * np.sin(lean), hip[1] - 30 * np.cos(lean))
    limbs: list[list[Joint]] = []
    for side, (upper, fore) in zip((1, -1), arms, strict=True):
        shoulder = (neck[0] + side * 7 * np.cos(lean), neck[1] + 4)
        elbow = (shoulder[0] + 15 * np.sin(upper), shoulder[1] + 15 * np.cos(upper))
        limbs.append([shoulder, elbow, (elbow[0] + 14 * np.sin(fore), elbow[1] + 14 * np.cos(fore))])
    legs = [
        [(hip[0] + side * off, hip[1] + down) for off, down in ((4, 0), ((4 + spread) / 2, 18), (spread, 35))]
        for side in (1, -1)
    ]
    return hip, neck, limbs, legs


def _draw(image: np.ndarray, hip: Joint, neck: Joint, arms: list[list[Joint]], legs: list[list[Joint]]) -> None:
    """Draw a person into an image that is `_SCALE` times larger."""

    def line(places: list[Joint], color: tuple[int, int, int], width: float) -> None:
        points = np.array([[int(x * _SCALE), int(y * _SCALE)] for x, y in places], np.int32)
        for one, two in pairwise(points):
            cv2.line(image, tuple(map(int, one)), tuple(map(int, two)), color, int(width * _SCALE), cv2.LINE_AA)

    for leg in legs:
        line(leg, _LEGS, 7)
    line([hip, neck], _SHIRT, 14)
    for arm in arms:
        line(arm[:2], _SHIRT, 5.5)
        line(arm[1:], _SKIN, 5)
    away = np.array(neck) - np.array(hip)
    x, y = np.array(neck) + away / max(1e-6, float(np.hypot(*away))) * 11
    cv2.circle(image, (int(x * _SCALE), int(y * _SCALE)), 8 * _SCALE, _SKIN, -1, cv2.LINE_AA)


def _wall(motion: Motion) -> np.ndarray:
    random = np.random.default_rng(len(motion.title))
    rows = np.arange(HEIGHT)[:, None, None]
    wall = np.where(rows < 98, motion.ground - 0.25 * rows, 0.55 * motion.ground)
    wall = wall * np.array([1.0, 0.985, 0.95]) + random.normal(0, 2.5, (HEIGHT, WIDTH, 1))
    return np.clip(np.broadcast_to(wall, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
