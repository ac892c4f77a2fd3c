"""Augmentation of clips: one draw for all frames (Sec. 5.5). Resizing, crop, mirror, zoom, turn, color.

Geometry is one affine map, so that a frame is resampled once. Arrays go in and out: this module needs no torch.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from semicoupled.data.augment_settings import AugmentSettings
from semicoupled.errors import ShapeError

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class Size(NamedTuple):
    """Of an image, px.

    Attributes:
        height: at least 1.
        width: at least 1.
    """

    height: int
    width: int


class ClipDraw(NamedTuple):
    """What is the same for all frames of a clip.

    Attributes:
        place: where the middle of the crop lies between the leftmost and topmost (0) and the rightmost and lowest (1)
            position inside the frame: across, down.
        shift: shares of the crop's width and height that it lies off that: across, down.
        scale: the crop's size in px of the frame over its size in px of the result: across, down.
        angle: radians.
        mirror: left and right are changed.
        brightness: added, a share of the range.
        contrast: factor.
        saturation: factor.
        noise: standard deviation, a share of the range.
        noise_seed: of the noise.
        tempo: frames that one step of the result goes on.
    """

    place: tuple[float, float] = (0.5, 0.5)
    shift: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)
    angle: float = 0.0
    mirror: bool = False
    brightness: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0
    noise: float = 0.0
    noise_seed: int = 0
    tempo: float = 1.0


NO_CHANGE = ClipDraw()
"""The middle crop."""


def draw_clip(settings: AugmentSettings, random: np.random.Generator) -> ClipDraw:
    """Draw what a clip looks like; always takes as many random numbers.

    Args:
        settings: what may change.
        random: the clip's own numbers.
    """
    across, down, off_across, off_down, turn = (float(value) for value in random.uniform(size=5))
    zoom, aspect, contrast, saturation, tempo = (
        factor ** float(value)
        for factor, value in zip(
            (settings.zoom, settings.aspect, settings.contrast, settings.saturation, settings.tempo),
            random.uniform(-1, 1, size=5),
            strict=True,
        )
    )
    brightness, mirror = settings.brightness * float(random.uniform(-1, 1)), bool(random.uniform() < 0.5)
    return ClipDraw(
        place=(across, down) if settings.crop else (0.5, 0.5),
        shift=(settings.shift * (2 * off_across - 1), settings.shift * (2 * off_down - 1)),
        scale=(zoom * math.sqrt(aspect), zoom / math.sqrt(aspect)),
        angle=math.radians(settings.rotate) * (2 * turn - 1),
        mirror=mirror and settings.flip,
        brightness=brightness,
        contrast=contrast,
        saturation=saturation,
        noise=settings.noise,
        noise_seed=int(random.integers(1 << 32)),
        tempo=tempo,
    )


def covering(image: Size, crop: Size, short_side: int | None = None) -> Size:
    """Give the size that an image is brought to before a crop is taken.

    Args:
        image: its own size.
        crop: of what the network sees.
        short_side: length of the shorter side; None for the smallest size that covers the crop.

    Returns:
        A size of the image's own proportions, never smaller than the crop.
    """
    factor = max(crop.height / image.height, crop.width / image.width)
    if short_side is not None:
        factor = max(factor, short_side / min(image))
    return Size(max(crop.height, round(image.height * factor)), max(crop.width, round(image.width * factor)))


def resize(image: np.ndarray, size: Size) -> np.ndarray:
    """Bring an image H W C, uint8, to a size; averages where it becomes smaller."""
    if image.shape[:2] == tuple(size):
        return image
    smaller = size.height < image.shape[0] or size.width < image.shape[1]
    resized = cv2.resize(
        image, (size.width, size.height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    )
    return resized if image.ndim == resized.ndim else resized[..., None]


def place(frames: np.ndarray, draw: ClipDraw, size: Size) -> np.ndarray:
    """Take the crop of a draw out of every frame.

    Args:
        frames: T H W C, uint8.
        draw: where it lies.
        size: of the result.

    Returns:
        T H W C, uint8, of `size`; beyond the frame its border goes on.

    Raises:
        ShapeError: no such clip.
    """
    if frames.ndim != 4 or frames.dtype != np.uint8:
        raise ShapeError(f"clip: expected T H W C of uint8, got {frames.shape} of {frames.dtype}")
    height, width = frames.shape[1:3]
    free = width - size.width, height - size.height
    if draw._replace(brightness=0, contrast=1, saturation=1, noise=0, noise_seed=0, tempo=1, mirror=False) == ClipDraw(
        place=draw.place
    ):  # nothing but a crop: no pixel needs to be resampled
        left, top = (round(share * length) for share, length in zip(draw.place, free, strict=True))
        cut = frames[:, top : top + size.height, left : left + size.width]
        return np.ascontiguousarray(cut[:, :, ::-1] if draw.mirror else cut)
    matrix = _matrix(draw, size, (free[0], free[1]))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = [
        cv2.warpAffine(frame, matrix, (size.width, size.height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        for frame in frames
    ]
    return np.stack(warped).reshape(len(frames), *size, frames.shape[-1])


def recolor(frames: np.ndarray, draw: ClipDraw) -> np.ndarray:
    """Change the colors of all frames alike.

    Args:
        frames: T H W C, uint8.
        draw: how.

    Returns:
        T H W C, float32, from 0 to 1 (a little beyond with noise).
    """
    values = frames.astype(np.float32) / 255
    if draw.saturation != 1 and frames.shape[-1] == 3:
        gray = (values @ _LUMA)[..., None]
        values = gray + draw.saturation * (values - gray)
    if draw.contrast != 1 or draw.brightness:
        mean = values.mean()
        values = np.clip(mean + draw.contrast * (values - mean) + draw.brightness, 0, 1)
    if draw.noise:
        random = np.random.Generator(np.random.Philox(draw.noise_seed))
        values = values + draw.noise * random.standard_normal(values.shape, np.float32)
    return values


def to_gray(frames: np.ndarray) -> np.ndarray:
    """Give the luminance of T H W 3, float32, as T H W; of T H W 1 its one channel."""
    return frames[..., 0] if frames.shape[-1] == 1 else frames @ _LUMA


def _matrix(draw: ClipDraw, size: Size, free: tuple[int, int]) -> np.ndarray:
    """From pixels of the result to pixels of the frame, 2 x 3."""
    middle = np.array([size.width - 1, size.height - 1]) / 2
    cosine, sine = math.cos(draw.angle), math.sin(draw.angle)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    scale = np.diag([-draw.scale[0] if draw.mirror else draw.scale[0], draw.scale[1]])
    linear = turn @ scale
    there = middle + np.array(free) * draw.place + np.array(draw.shift) * (size.width, size.height)
    return np.concatenate([linear, (there - linear @ middle)[:, None]], 1).astype(np.float64)
