"""Generated pictures with objects whose outlines are known, for the page to begin with."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from semicoupled.errors import DataError, nearest
from semicoupled.serving.outline_document import Corner, Piece, Thing

SAMPLES = {"shapes": 6}
"""Names, and how many pictures there are."""
_WIDTH, _HEIGHT = 480, 360
_COLORS = {"leaf": (96, 143, 70), "stone": (140, 132, 122), "shell": (214, 160, 118)}


def find_sample(name: str) -> int:
    """Give how many pictures a sample has.

    Raises:
        DataError: there is none of this name.
    """
    if name not in SAMPLES:
        raise DataError(f"there is no sample {name!r}. {nearest(name, SAMPLES)}")
    return SAMPLES[name]


def write_sample(name: str, folder: Path) -> list[tuple[str, int, int]]:
    """Write the pictures of a sample.

    Returns:
        Name, width and height of each.
    """
    files: list[tuple[str, int, int]] = []
    for number in range(find_sample(name)):
        image, _ = picture(number)
        file = f"{name}_{number + 1}.png"
        image.save(folder / file)
        files.append((file, *image.size))
    return files


@functools.lru_cache(maxsize=4)
def truth_of(name: str) -> dict[int, tuple[Thing, ...]]:
    """The objects of a sample's pictures."""
    found: dict[int, tuple[Thing, ...]] = {}
    for number in range(find_sample(name)):
        things: list[Thing] = []
        for place, (label, outline) in enumerate(picture(number)[1], 1):
            corners = tuple(Corner(x, y, given=True) for x, y in np.round(outline, 1).tolist())
            (left, top), (right, bottom) = outline.min(0).tolist(), outline.max(0).tolist()
            piece = Piece((left, top, right - left, bottom - top), corners, None, True)
            things.append(Thing(place, label, (piece,), accepted=True))
        found[number] = tuple(things)
    return found


@functools.lru_cache(maxsize=8)
def picture(number: int) -> tuple[Image.Image, list[tuple[str, np.ndarray]]]:
    """Draw a picture.

    Args:
        number: which one.

    Returns:
        It, and its objects: a label and an outline, N x 2 px, clockwise.
    """
    rng = np.random.default_rng([77, number])
    coarse = Image.fromarray(rng.normal(0, 1, (9, 12)).astype(np.float32))
    ground = np.asarray(coarse.resize((_WIDTH, _HEIGHT), Image.Resampling.BICUBIC), dtype=np.float64)
    base = np.array([206, 198, 180]) + 6 * ground[..., None] + rng.normal(0, 14, (_HEIGHT, _WIDTH, 1))
    image = Image.fromarray(np.clip(base, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.5))
    outlines: list[tuple[str, np.ndarray]] = []
    places = [(115, 120), (350, 110), (240, 260)]
    for place, label in zip(places, rng.permutation(list(_COLORS)), strict=True):
        outline = _outline(rng, str(label)) * rng.uniform(58, 84) + np.array(place) + rng.uniform(-14, 14, 2)
        shade = Image.new("L", image.size, 0)
        ImageDraw.Draw(shade).polygon([(x + 5, y + 8) for x, y in outline.tolist()], fill=110)
        image.paste((70, 62, 54), (0, 0), shade.filter(ImageFilter.GaussianBlur(6)))
        inside = Image.new("L", image.size, 0)
        ImageDraw.Draw(inside).polygon([(x, y) for x, y in outline.tolist()], fill=255)
        grain = np.array(_COLORS[str(label)]) + rng.normal(0, 9, (_HEIGHT, _WIDTH, 1)) + 14 * ground[..., None] * 0.5
        skin = Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.2))
        image.paste(skin, (0, 0), inside.filter(ImageFilter.GaussianBlur(0.7)))
        outlines.append((str(label), outline))
    return image, outlines


def _outline(rng: np.random.Generator, label: str) -> np.ndarray:
    """A closed curve about 1 in reach."""
    count = 40
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    turn = rng.uniform(0, 2 * np.pi)
    if label == "leaf":
        reach = (
            1
            / np.sqrt(np.cos(angle - turn) ** 2 + (np.sin(angle - turn) / 0.45) ** 2)
            * (1 + 0.12 * np.cos(angle - turn))
        )
    elif label == "shell":
        reach = 0.82 + 0.1 * np.cos(5 * (angle - turn)) + 0.08 * np.cos(angle - turn)
    else:
        reach = 0.85 + sum(rng.uniform(-0.09, 0.09) * np.cos(k * angle + rng.uniform(0, 6)) for k in (2, 3, 4))
    return np.stack([np.cos(angle), np.sin(angle)], 1) * np.asarray(reach)[:, None]


@functools.lru_cache(maxsize=4)
def preview(name: str) -> np.ndarray:
    """A gray film of an outline that grows, T H W, about -1 to 1; for a card."""
    find_sample(name)
    image, outlines = picture(1)
    frames: list[np.ndarray] = []
    for frame in range(16):
        shown = image.copy()
        pen = ImageDraw.Draw(shown)
        for _, outline in outlines:
            points = [(x, y) for x, y in outline[: 2 + frame * len(outline) // 13 : 2].tolist()]
            done = len(points) * 2 >= len(outline)
            if len(points) > 1:
                pen.line([*points, *(points[:1] if done else [])], fill=(20, 24, 30), width=5)
            for x, y in points:
                pen.ellipse((x - 6, y - 6, x + 6, y + 6), fill=(255, 255, 255), outline=(20, 24, 30), width=2)
        frames.append(np.asarray(shown.convert("L").resize((192, 144), Image.Resampling.LANCZOS), dtype=np.float32))
    return (np.stack(frames) / 255 - 0.5) / 0.45
