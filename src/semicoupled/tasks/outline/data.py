"""Samples: an object cut out of its image, and its outline as a sequence of cells, each a pure function of its key."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from semicoupled.errors import DataError
from semicoupled.tasks.outline.augment import jittered, mirrored, recolored, slipped
from semicoupled.tasks.outline.crops import cut_out, window_of
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.formats.records import Annotations, Instance, Picture
from semicoupled.tasks.outline.geometry.polygons import (
    Cells,
    Points,
    centers,
    classes_of,
    evenly,
    outline_cells,
    signed_area,
)
from semicoupled.tasks.outline.geometry.raster import rasterize
from semicoupled.tasks.outline.geometry.window import Window
from semicoupled.tasks.outline.images import read_image
from semicoupled.tasks.outline.network.prompts import teach
from semicoupled.training.sampling import SampleKey

log = logging.getLogger(__name__)

IMAGES_KEPT = 16
"""Decoded images that are kept in memory: neighboring samples of a split that is walked through share theirs."""

MAPS = ("object", "border", "points")
"""What is read from the features of an image."""

CONTOUR = 256
"""Points, evenly along the true outline, by which what is drawn in training is judged."""


class OutlineBatch(NamedTuple):
    """A sample, or with a leading B a batch of them. What is fed in each step comes first, so that it can be cut.

    Attributes:
        frames: T 3 grid grid: the first point, t-2 and t-1.
        image: 3 size size, uint8, RGB.
        target: T, int64: the class of the next point; the last class is "closed".
        weight: T, sums up to T; 0 behind the end.
        maps: 3 grid grid, 0 to 1: the object, its border, and its points (see `MAPS`).
        contour: `CONTOUR` 2, the true outline, x and y in cells.
    """

    frames: Tensor
    image: Tensor
    target: Tensor
    weight: Tensor
    maps: Tensor
    contour: Tensor


class Source(NamedTuple):
    """An object in a file.

    Attributes:
        file: the image.
        picture: its record.
        instance: the object's.
    """

    file: Path
    picture: Picture
    instance: Instance


class View(NamedTuple):
    """An object as the network sees it.

    Attributes:
        image: size size 3, uint8.
        polygons: outline and holes of its largest part, in cells.
        cells: its outline, N x 2, clockwise; empty where it is thinner than a cell.
    """

    image: NDArray[np.uint8]
    polygons: list[Points]
    cells: Cells


class OutlineData(Dataset[OutlineBatch]):
    """Samples of one split; objects that cannot be drawn on the grid are left out of it."""

    def __init__(self, sources: Sequence[Source], settings: DataSettings, *, training: bool, seed: int = 0) -> None:
        """Take the objects.

        Args:
            sources: objects; crowds, tiny ones, and those thinner than a cell are left out.
            settings: how they become samples.
            training: whether samples vary from draw to draw.
            seed: what varies follows from it.
        """
        self.settings, self.training, self.seed = settings, training, seed
        self.sources = [source for source in sources if _learnable(source, settings)]
        if len(self.sources) < len(sources):
            log.info(
                "%d of %d objects are crowds, tiny, or thinner than a cell",
                len(sources) - len(self.sources),
                len(sources),
            )

    def __len__(self) -> int:
        """Give the number of samples."""
        return len(self.sources)

    def __getitem__(self, key: SampleKey | int) -> OutlineBatch:
        """Make a sample."""
        asked = key if isinstance(key, SampleKey) else SampleKey(key)
        source, settings = self.sources[asked.index], self.settings
        varied = self.training and asked.draw >= 0
        shown = asked.draw if settings.views is None else asked.draw % settings.views
        rng = np.random.default_rng((self.seed, asked.index, shown + 1))
        view = see(source, settings, rng if varied else None)
        if settings.views is not None:  # the crop comes again, what is told of the outline does not
            rng = np.random.default_rng((self.seed, asked.index, asked.draw + 1, 1))
        cells = view.cells
        with_end = True
        if varied:
            cells = np.roll(cells, int(rng.integers(len(cells))), axis=0)
            with_end = bool(rng.random() < settings.end_share)
        fed = slipped(cells, settings.slip, settings.grid, rng) if varied and settings.slip else None
        taught = teach(cells, fed=fed, grid=settings.grid, length=settings.points, with_end=with_end)
        return OutlineBatch(
            torch.from_numpy(taught.maps),
            torch.from_numpy(view.image).permute(2, 0, 1).contiguous(),
            torch.from_numpy(taught.target),
            torch.from_numpy(taught.weight),
            torch.from_numpy(maps_of(view, settings.grid)),
            torch.from_numpy(evenly(view.polygons[0], CONTOUR).astype(np.float32)),
        )


def see(source: Source, settings: DataSettings, rng: np.random.Generator | None = None) -> View:
    """Look at an object: its window, and its outline there.

    Args:
        source: the object.
        settings: how.
        rng: what varies; None shows it as it is.

    Raises:
        DataError: the image cannot be read, or the object is larger than any image.
    """
    instance = source.instance
    part = instance.largest
    image = _image(source.file)
    window = window_of(instance.box, settings.crop)
    if rng is None or not settings.box_jitter:
        cells = cells_in(part.outline, window, settings)
    else:
        moved = window_of(jittered(instance.box, settings.box_jitter, rng), settings.crop)
        cells = cells_in(part.outline, moved, settings)
        window = moved if len(cells) else window
        cells = cells if len(cells) else cells_in(part.outline, window, settings)
    try:
        crop = cut_out(image, window, settings.size)
    except DataError as error:
        raise DataError(f"{source.file}: {error}") from None
    polygons = [window.to_grid(polygon, settings.grid) for polygon in part.polygons]
    if rng is not None and settings.mirror and rng.random() < 0.5:
        crop = np.ascontiguousarray(crop[:, ::-1])
        polygons = [mirrored(polygon, settings.grid) for polygon in polygons]
        flipped = outline_cells(polygons[0], grid=settings.grid, most=settings.points, tolerance=settings.tolerance)
        cells = (
            flipped
            if len(flipped)
            else np.roll(np.stack([settings.grid - 1 - cells[:, 0], cells[:, 1]], 1)[::-1], 1, 0)
        )
    if rng is not None and settings.color:
        crop = recolored(crop, settings.color, rng)
    return View(crop, polygons, cells)


def maps_of(view: View, grid: int) -> NDArray[np.float32]:
    """Draw the maps of `MAPS`."""
    maps = np.zeros((len(MAPS), grid, grid), dtype=np.float32)
    maps[0] = rasterize(view.polygons, Window(0, 0, grid, grid))
    following = np.roll(view.cells, -1, axis=0)
    for start, stop in zip(view.cells, following, strict=True):
        count = int(np.abs(stop - start).max()) + 1
        along = np.rint(start + np.linspace(0, 1, count)[:, None] * (stop - start)).astype(int)
        maps[1, along[:, 1], along[:, 0]] = 1.0
    maps[2].reshape(-1)[classes_of(view.cells, grid)] = 1.0
    return maps


def sources_of(annotations: Annotations, images: Path | None, labels: Sequence[str]) -> list[Source]:
    """List the objects of annotations.

    Args:
        annotations: of one split.
        images: folder of the images; that of the annotations if None.
        labels: classes to take; all if empty.
    """
    folder = annotations.folder if images is None else images
    return [
        Source(folder / picture.file, picture, instance)
        for picture, instance in annotations.instances
        if not labels or instance.label in labels
    ]


def _learnable(source: Source, settings: DataSettings) -> bool:
    instance = source.instance
    if instance.crowd or abs(signed_area(instance.largest.outline)) < settings.least_area:
        return False
    return bool(len(cells_in(instance.largest.outline, window_of(instance.box, settings.crop), settings)))


def cells_in(outline: Points, window: Window, settings: DataSettings) -> Cells:
    """The cells of an outline (px) in a window, as the settings have them; empty where it is thinner than a cell."""
    points = window.to_grid(outline, settings.grid)
    return outline_cells(points, grid=settings.grid, most=settings.points, tolerance=settings.tolerance)


def on_grid(source: Source, settings: DataSettings) -> Points:
    """The best outline of an object that the grid allows, N x 2, px; empty where it is thinner than a cell."""
    window = window_of(source.instance.box, settings.crop)
    return window.to_image(centers(cells_in(source.instance.largest.outline, window, settings)), settings.grid)


@lru_cache(maxsize=IMAGES_KEPT)
def _image(file: Path) -> NDArray[np.uint8]:
    return read_image(file)
