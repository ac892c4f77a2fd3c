"""Settings of the drives: where they are, what they do not say themselves, and how they become samples.

Imports no torch and no numpy, so that help is quick.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from semicoupled.errors import SettingsError
from semicoupled.ranges import at_least, share
from semicoupled.skipping import OnError

AngleUnit = Literal["degrees", "radians", "normalized"]

SCALES: dict[str, float] = {"degrees": 25.0, "radians": 0.436, "normalized": 1.0}
"""Default of `AngleSettings.scale`, by unit."""


@dataclass(frozen=True)
class AngleSettings:
    """What the label is. An angle of the files becomes ``sign * factor * (angle - offset)``, positive to the right.

    Args:
        unit: of the files' angles: ``degrees`` or ``radians`` of the steering wheel, or ``normalized``, -1..1 of what
            the car can steer. Null: what the format says.
        sign: 1 where the files' angles are positive to the right, -1 where to the left; of a format that has a
            convention, -1 where the files turn the other way than it says. Null: as the convention says; a format
            without one is then refused.
        factor: what one step of the files' angles is in `unit`. Null: 1; a format whose scale is not known is refused.
        offset: the angle when driving straight on, in the files' unit (comma2k19: once it is positive to the right).
        scale: of the normalization by a sigmoid (Sec. 5.7), ``1 / (1 + exp(-angle / scale))``, in the angle's unit.
            Small scales spread small angles and squeeze large ones. Null: 25 degrees, .436 radians, or 1.
        smooth_seconds: the label that is learned is a centered mean over so many seconds of its run; 0 leaves it raw.
            Scores know nothing of it.
    """

    unit: AngleUnit | None = None
    sign: int | None = None
    factor: float | None = None
    offset: float = 0.0
    scale: float | None = None
    smooth_seconds: float = 0.5

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.sign not in (None, 1, -1):
            raise SettingsError(f"data.angle.sign: expected 1, -1 or null, got {self.sign!r}.")
        if self.factor is not None and not (math.isfinite(self.factor) and self.factor > 0):
            raise SettingsError(f"data.angle.factor: expected more than 0, or null, got {self.factor!r}.")
        if not math.isfinite(self.offset):
            raise SettingsError(f"data.angle.offset: expected a finite number, got {self.offset!r}.")
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale > 0):
            raise SettingsError(f"data.angle.scale: expected more than 0, or null, got {self.scale!r}.")
        at_least("data.angle.smooth_seconds", self.smooth_seconds, 0)


@dataclass(frozen=True)
class AugmentSettings:
    """How training clips are varied; one draw for all frames of a clip.

    Args:
        mirror: share of clips that are mirrored, in [0, 1]; angle and horizontal flow change their sign with it.
            A track that is always driven the same way round needs none.
        brightness: frames are brightened or dimmed by up to this share of the full range.
        contrast: contrast is raised or lowered by up to this share.
        shift: frames are moved to a side by up to this share of the width; the angle stays.
        erase: share of clips in which a random box is blanked.
    """

    mirror: float = 0.0
    brightness: float = 0.15
    contrast: float = 0.25
    shift: float = 0.0
    erase: float = 0.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("mirror", "brightness", "contrast", "shift", "erase"):
            share(f"data.augment.{name}", getattr(self, name))


@dataclass(frozen=True)
class DataSettings:
    """Where the drives are and how they become samples.

    Args:
        root: a drive, or a folder of drives, of any format in docs/data.md.
        validation: runs that are held back: ``last:5`` for the last five that are as long as a clip, or names or
            patterns with commas between them, such as ``2024-01-*,17``.
        test: runs that are neither learned from nor validated on, chosen likewise before `validation` is; null for
            none. What chooses settings must not see what they are reported on.
        frames: frames of a clip.
        rate: frames a second that the network sees: every n-th frame of the drive, with the n that comes nearest. Null:
            all frames.
        file_rate: frames a second of files that hold no times; null refuses them.
        gap_seconds: where two frames lie farther apart, a drive is cut, and nothing is learned across.
        crop_top: share of the height that is cut off above (the sky).
        crop_bottom: share of the height that is cut off below (the car's own hood).
        width: of the network's frames, px.
        height: of the network's frames, px.
        standardize: every frame is brought to mean 0 and standard deviation 1, so that light and exposure count less.
        angle: what the label is.
        lag_frames: the label of a frame is the angle so many frames later; below 0, earlier.
        stride: frames of a drive between the starts of two training clips.
        augment: how training clips are varied.
        on_error: ``fail`` at an image that cannot be read, or ``skip`` the frame; above 1 % of them fail all the same.
    """

    root: str = ""
    validation: str = "last:5"
    test: str | None = None
    frames: int = 8
    rate: float | None = 10.0
    file_rate: float | None = None
    gap_seconds: float = 0.5
    crop_top: float = 0.0
    crop_bottom: float = 0.0
    width: int = 96
    height: int = 64
    standardize: bool = True
    angle: AngleSettings = field(default_factory=AngleSettings)
    lag_frames: int = 0
    stride: int = 1
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    on_error: OnError = "fail"

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("frames", "stride"):
            at_least(f"data.{name}", getattr(self, name), 1)
        for name in ("width", "height"):
            at_least(f"data.{name}", getattr(self, name), 16)
        for name in ("rate", "file_rate"):
            rate = getattr(self, name)
            if rate is not None and not (math.isfinite(rate) and rate > 0):
                raise SettingsError(f"data.{name}: expected frames a second above 0, or null, got {rate!r}.")
        if not self.gap_seconds > 0:
            raise SettingsError(f"data.gap_seconds: expected more than 0, got {self.gap_seconds!r}.")
        for name in ("crop_top", "crop_bottom"):
            share(f"data.{name}", getattr(self, name))
        if self.crop_top + self.crop_bottom > 0.9:
            raise SettingsError(
                f"data.crop_top and data.crop_bottom: together {self.crop_top + self.crop_bottom:g} of the height; "
                "expected at most .9, so that something is left. Lower one of them."
            )

    def scale(self, unit: str) -> float:
        """Give the scale of the normalization for angles of a unit."""
        return SCALES[unit] if self.angle.scale is None else self.angle.scale
