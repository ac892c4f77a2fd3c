"""Annotations as they are between formats: images, their instances, and the parts and holes of these."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from semicoupled.tasks.outline.crops import Box, box_of
from semicoupled.tasks.outline.geometry.polygons import Points, signed_area


@dataclass(frozen=True, eq=False)
class Part:
    """One connected piece of an object.

    Args:
        outline: N x 2, px, in any order; points may lie outside of the image.
        holes: polygons inside of it that do not belong to the object.
        confidence: of each point of the outline, 0 to 1, where a network drew it; else empty.
    """

    outline: Points
    holes: tuple[Points, ...] = ()
    confidence: tuple[float, ...] = ()

    @property
    def polygons(self) -> list[Points]:
        """The outline and its holes, fit for `raster.rasterize`."""
        return [self.outline, *self.holes]


@dataclass(frozen=True, eq=False)
class Instance:
    """An object.

    Args:
        label: its class.
        parts: at least one.
        crowd: several objects that nobody told apart; not learned from.
    """

    label: str
    parts: tuple[Part, ...]
    crowd: bool = False

    @property
    def polygons(self) -> list[Points]:
        """All outlines and holes."""
        return [polygon for part in self.parts for polygon in part.polygons]

    @property
    def box(self) -> Box:
        """Around all parts."""
        return box_of(np.concatenate([part.outline for part in self.parts]))

    @property
    def largest(self) -> Part:
        """The part that encloses most: what a network that draws one outline is asked for."""
        return max(self.parts, key=lambda part: abs(signed_area(part.outline)))


@dataclass(frozen=True, eq=False)
class Picture:
    """An image and what was found in it.

    Args:
        file: its file, below the annotations' folder or absolute; always with forward slashes.
        width: px.
        height: px.
        instances: in order.
    """

    file: str
    width: int
    height: int
    instances: tuple[Instance, ...] = ()


@dataclass(frozen=True, eq=False)
class Annotations:
    """All that one file or one folder of annotations holds.

    Args:
        folder: what files of images are relative to.
        pictures: in order.
        labels: the classes there are, in the order of the file; also those that no instance has.
        notes: what was left out and why, one sentence each.
    """

    folder: Path
    pictures: tuple[Picture, ...]
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def instances(self) -> list[tuple[Picture, Instance]]:
        """All instances with their picture."""
        return [(picture, instance) for picture in self.pictures for instance in picture.instances]
