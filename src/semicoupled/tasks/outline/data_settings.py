"""Settings of outlines: where they are and how they become sequences of cells. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from semicoupled.errors import SettingsError
from semicoupled.ranges import at_least, share

CropName = Literal["stretch", "square"]


@dataclass(frozen=True)
class DataSettings:
    """Where the outlines are, and how they become sequences of cells.

    Args:
        root: annotations: a COCO file, a folder with COCO files (``*train*.json`` and ``*val*.json`` are its two
            parts), a Cityscapes folder (gtFine, with train and val in it), a folder of labelme files, or of masks.
        validation: other annotations to validate on; without it the root's own part for it, else every fifth image.
        images: folder that names of images are relative to; that of the annotations if None.
        labels: learn and score these classes alone; all if empty.
        crop: what the network sees: ``stretch`` (the box and a tenth more on every side, made square) or ``square``.
        size: pixels on a side of what the network sees, a multiple of the grid.
        grid: cells on a side; the classes are the cells and "closed".
        points: of an outline at most.
        tolerance: how far an outline may move when points are saved, in cells; 0 keeps all corners.
        least_area: px of the image; smaller objects are not learned from (but scored).
        end_share: share of the samples that are told the end point, too (the rest knows the start alone).
        mirror: mirror half of the samples; the order stays clockwise.
        box_jitter: how far the sides of a sample's box move, as a share of it.
        slip: share of the points fed back that are moved to a neighboring cell, so that the network learns to go on
            from where it is.
        color: how far brightness, contrast and the three colors of a sample vary.
        views: so many different crops of each object are learned from, in turn, so that what a frozen backbone gives
            for them can be kept; None for a new one each time.
    """

    root: str | None = None
    validation: str | None = None
    images: str | None = None
    labels: tuple[str, ...] = ()
    crop: CropName = "stretch"
    size: int = 224
    grid: int = 28
    points: int = 60
    tolerance: float = 1.0
    least_area: float = 64.0
    end_share: float = 0.5
    mirror: bool = True
    box_jitter: float = 0.1
    slip: float = 0.15
    color: float = 0.3
    views: int | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.grid < 4:
            raise SettingsError(f"data.grid: expected at least 4 cells, got {self.grid!r}.")
        if self.size < self.grid or self.size % self.grid:
            raise SettingsError(f"data.size: expected a multiple of data.grid ({self.grid}), got {self.size!r}.")
        at_least("data.points", self.points, 3)
        for name in ("tolerance", "least_area"):
            at_least(f"data.{name}", getattr(self, name), 0)
        for name in ("end_share", "slip", "color"):
            share(f"data.{name}", getattr(self, name))
        at_least("data.views", self.views, 1)
        if not 0 <= self.box_jitter < 0.5:
            raise SettingsError(f"data.box_jitter: expected a share from 0 to below 0.5, got {self.box_jitter!r}.")

    @property
    def classes(self) -> int:
        """Cells, and "closed"."""
        return self.grid * self.grid + 1
