"""Settings of clip augmentation. Imports no numpy, so that help is quick."""

from __future__ import annotations

from dataclasses import dataclass

from semicoupled.errors import SettingsError
from semicoupled.ranges import at_least


@dataclass(frozen=True)
class AugmentSettings:
    """How a clip may look differently from draw to draw; every draw holds for all frames of a clip.

    Args:
        crop: the crop lies anywhere in the frame; else in its middle.
        flip: mirrored left and right half of the time. Off where left and right mean something.
        zoom: the crop is up to this factor larger or smaller, at least 1.
        aspect: its sides are stretched against each other up to this factor, at least 1.
        shift: it lies up to this share of its height and width farther off.
        rotate: degrees that it is turned by at most.
        brightness: largest change of the brightness, a share of the range of the pixels.
        contrast: the distances from the mean are multiplied by at most this factor, or divided, at least 1.
        saturation: the colors likewise.
        noise: standard deviation of noise on each pixel, a share of the range.
        tempo: the clip is up to this factor faster or slower, at least 1.
    """

    crop: bool = True
    flip: bool = True
    zoom: float = 1.0
    aspect: float = 1.0
    shift: float = 0.0
    rotate: float = 0.0
    brightness: float = 0.1
    contrast: float = 1.2
    saturation: float = 1.2
    noise: float = 0.0
    tempo: float = 1.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("zoom", "aspect", "contrast", "saturation", "tempo"):
            if not getattr(self, name) >= 1:
                raise SettingsError(f"augment.{name}: expected a factor of at least 1, got {getattr(self, name)!r}.")
        for name in ("shift", "rotate", "brightness", "noise"):
            at_least(f"augment.{name}", getattr(self, name), 0)
