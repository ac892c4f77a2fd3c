"""Small pictures of known objects, and settings that train in a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.formats import coco
from semicoupled.tasks.outline.formats.records import Annotations, Instance, Part, Picture
from semicoupled.tasks.outline.settings import ModelSettings, OutlineSettings

SMALL_DATA = {"size": 64, "grid": 16, "points": 12, "least_area": 16.0}
SMALL_MODEL = {"features": 8, "widths": (8, 8)}


def blob(rng: np.random.Generator, center: tuple[float, float], reach: float, count: int = 9) -> np.ndarray:
    """A star-shaped polygon, clockwise on the screen, N x 2 px."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, count)) if count > 4 else np.arange(count) * 2 * np.pi / count
    radius = reach * rng.uniform(0.6, 1.0, count)
    return np.round(np.array(center) + np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None], 1)


def make_pictures(folder: Path, count: int, seed: int = 0) -> tuple[Picture, ...]:
    """Write pictures of two light objects on a dark ground."""
    rng = np.random.default_rng(seed)
    pictures: list[Picture] = []
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image = Image.new("RGB", (120, 90), (30, 40, 50))
        instances: list[Instance] = []
        for label, center, color in (("disc", (35, 45), (220, 200, 40)), ("blob", (85, 40), (40, 200, 220))):
            polygon = blob(rng, center, 22)
            ImageDraw.Draw(image).polygon([tuple(point) for point in polygon], fill=color)
            instances.append(Instance(label, (Part(polygon),)))
        name = f"images/{seed}_{number}.png"
        image.save(folder / name)
        pictures.append(Picture(name, 120, 90, tuple(instances)))
    return tuple(pictures)


def make_root(folder: Path, train: int = 4, validation: int = 2) -> Path:
    """Write a folder with two COCO files."""
    for name, count, seed in (("instances_train", train, 0), ("instances_val", validation, 1)):
        coco.write(Annotations(folder, make_pictures(folder, count, seed), ("disc", "blob")), folder / f"{name}.json")
    return folder


def small_settings(root: Path | None = None, **model: object) -> OutlineSettings:
    """Settings of a tiny network."""
    data = DataSettings(root=None if root is None else str(root), **SMALL_DATA)  # pyright: ignore[reportArgumentType]
    return OutlineSettings(data=data, model=ModelSettings(**{**SMALL_MODEL, **model}))  # pyright: ignore[reportArgumentType]
