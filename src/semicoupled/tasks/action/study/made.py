"""Made clips of which it is known which classes need time: for some only motion tells the class, for others any frame.

A square that moves to the east, north, west or south is four classes: no single frame tells them apart, since it goes
out on one side and comes in on the other. A disc and a cross are a class each, whichever of these ways they go: any
single frame tells them.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from semicoupled.data.shapes import ClipSettings, generator, moving_shape
from semicoupled.errors import DataError

DIRECTIONS = {"E": 0, "N": 2, "W": 4, "S": 6}
"""Of `data.shapes.DIRECTIONS`."""
MOVING = tuple(f"square_{name}" for name in DIRECTIONS)
"""Classes that need time."""
STILL = ("disc", "cross")
"""Classes that any frame tells."""
CLASSES = (*MOVING, *STILL)
LOOKS = ClipSettings(size=16, frames=6, radius=(4.0, 5.5), speed=(1.0, 2.0), noise=0.02)


class Counts(NamedTuple):
    """Clips of each class in each split.

    Attributes:
        train: to learn from.
        validation: to choose the weights on.
        test: to report on.
    """

    train: int = 120
    validation: int = 10
    test: int = 30


def write_clips(folder: Path, counts: Counts | None = None, looks: ClipSettings = LOOKS, *, family: int = 0) -> Path:
    """Write the clips as a folder of classes, with the frames of each clip in a folder; one that is there is kept.

    Args:
        folder: of the splits.
        counts: clips of each class.
        looks: of the clips.
        family: of clips: no two families have a clip in common.

    Raises:
        DataError: the folder holds other clips.
    """
    counts, said = counts or Counts(), folder / ".made"
    about = f"{counts} {looks}{f' family {family}' if family else ''}\n"
    if said.exists():
        if said.read_text(encoding="utf-8") != about:
            raise DataError(f"{folder}: holds clips that were made otherwise; expected {about.strip()}. Delete it")
        return folder
    for split, (name, count) in enumerate(zip(("train", "val", "test"), counts, strict=True)):
        for number, label in enumerate(CLASSES):
            seed = (family * len(counts) + split) * len(CLASSES) + number
            for index in range(count):
                images = clip(label, seed, index, looks)
                place = folder / name / label / f"{label}{index:03d}"
                place.mkdir(parents=True, exist_ok=True)
                for frame, image in enumerate(images):
                    Image.fromarray(image).save(place / f"{frame:03d}.png")
    said.write_text(about, encoding="utf-8")
    return folder


def clip(label: str, seed: int, index: int, looks: ClipSettings = LOOKS) -> np.ndarray:
    """Make the frames of a clip, T H W, uint8.

    Args:
        label: one of `CLASSES`.
        seed: which family of clips.
        index: which of it.
        looks: of the clip.
    """
    shape, _, way = label.partition("_")
    wanted = [DIRECTIONS[way]] if way else list(DIRECTIONS.values())
    # all clips of a seed in turn, until one goes the right way
    random = generator(10_000 + seed, index)
    while True:
        made = moving_shape(int(random.integers(2**31)), index, (shape,), looks)
        if made.direction in wanted:
            return np.clip(128 + 100 * made.frames[:, 0], 0, 255).astype(np.uint8)
