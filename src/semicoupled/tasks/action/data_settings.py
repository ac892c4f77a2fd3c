"""Settings of the videos: where they are, how they are read, how they become clips. Imports no torch, no numpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from semicoupled.data.augment_settings import AugmentSettings
from semicoupled.errors import SettingsError
from semicoupled.ranges import at_least
from semicoupled.skipping import OnError

Normalize = Literal["fixed", "first", "frame", "pixel"]


@dataclass(frozen=True)
class DataSettings:
    """Which videos, and what a clip of them is.

    Args:
        root: the folder of the videos, or a list of them; what it is is told by its content (docs/data.md).
        split: of UCF-101 and HMDB-51: 1, 2 or 3.
        validation: groups or clips that choose the best weights: patterns with commas between them. Null takes what the
            list calls validation, else a fifth of the groups that are learned from.
        test: groups or clips that nothing sees before `evaluate --split test`; null takes what the list calls test.
        classes: only these; nothing for all.
        rate: frames a second that are seen; null for every frame of the file. Videos of other or varying rates are
            brought to it by their time stamps.
        frame_rate: frames a second of folders of frames, which do not say.
        height: of the frames that the network sees, px.
        width: of the frames, px.
        short_side: frames are first brought to this length of their shorter side, px (paper: 368), and a crop of
            height x width is taken; null makes the smallest that covers height x width.
        color: ``rgb``, ``gray``, or ``flow``: in place of images the network sees how pixels moved since the frame
            before, the temporal stream of two-stream networks (see `evaluation.fuse`); ``rgb_flow``: both, the flow's
            two channels behind the three of the image.
        normalize: ``fixed`` (pixels from 0..1 less 0.45, over 0.225), ``first`` (less the mean of the first frame's
            pixels, over their spread), ``frame`` (each frame's own mean and spread), or ``pixel`` (each pixel less its
            mean over all frames so far, over their spread: what stays as it is is not seen, nor who it is).
        frames: of a clip that is learned from.
        sampling: which frames: a ``window`` of successive ones, or ``spread`` over the whole video in equal parts, so
            that all videos last as long (some frames come twice in those shorter than `frames`).
        augment: how clips differ from draw to draw.
        cache_gigabytes: decoded videos, at their small size, are kept in memory up to this; 0 decodes each time anew.
        cache_folder: keep them in this folder as well, for later runs.
        on_error: ``fail`` stops at the first video that cannot be read; ``skip`` leaves it out and counts it, and
            fails above 1 %.
    """

    root: str | None = None
    split: int = 1
    validation: str | None = None
    test: str | None = None
    classes: tuple[str, ...] = ()
    rate: float | None = None
    frame_rate: float = 25.0
    height: int = 112
    width: int = 112
    short_side: int | None = None
    color: Literal["rgb", "gray", "flow", "rgb_flow"] = "rgb"
    normalize: Normalize = "fixed"
    frames: int = 16
    sampling: Literal["window", "spread"] = "window"
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    cache_gigabytes: float = 1.0
    cache_folder: str | None = None
    on_error: OnError = "fail"

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("split", "height", "width", "frames"):
            at_least(f"data.{name}", getattr(self, name), 1)
        for name in ("rate", "frame_rate"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise SettingsError(f"data.{name}: expected frames a second above 0, got {value!r}.")
        if self.short_side is not None and self.short_side < min(self.height, self.width):
            raise SettingsError(
                f"data.short_side: {self.short_side} px are smaller than the crop of {self.height} x {self.width}. "
                "Raise it, or leave it out."
            )
        at_least("data.cache_gigabytes", self.cache_gigabytes, 0)

    @property
    def channels(self) -> int:
        """Of a frame."""
        return {"rgb": 3, "gray": 1, "flow": 2, "rgb_flow": 5}[self.color]
