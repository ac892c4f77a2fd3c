"""Small videos of a square that moves to the left or to the right, and folders of them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np


def square(frames: int, direction: int = 1, seed: int = 0, size: tuple[int, int] = (32, 48)) -> np.ndarray:
    """T H W 3, uint8: a bright square on a dark ground, that goes right (1) or left (-1)."""
    random = np.random.default_rng(seed)
    row, column = random.integers(4, size[0] - 12), random.integers(0, size[1])
    images = np.full((frames, *size, 3), 40, np.uint8)
    for index in range(frames):
        columns = (column + 3 * direction * index + np.arange(8)) % size[1]
        images[index, row : row + 8, columns] = (220, 180, 60 + seed % 100)
    return images


def write_video(
    path: Path,
    images: np.ndarray | None = None,
    *,
    frames: int = 8,
    direction: int = 1,
    seed: int = 0,
    rate: int = 10,
    times: list[int] | None = None,
    size: tuple[int, int] = (32, 48),
) -> Path:
    """Write a video; `times` are its frames' times in milliseconds, where they come unevenly."""
    images = square(frames, direction, seed, size) if images is None else images
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.height, stream.width = images.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        if times is not None:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[index], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_frames(folder: Path, images: np.ndarray) -> Path:
    """Write the frames of a video as a folder of PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        assert cv2.imwrite(str(folder / f"frame_{index + 1}.png"), image[..., ::-1])
    return folder


def make_tree(root: Path, groups: int = 3, frames: int = 6) -> Path:
    """A videos.csv with two classes, left and right, of some groups."""
    lines = ["video,label,group"]
    for group in range(groups):
        for label, direction in (("left", -1), ("right", 1)):
            name = f"videos/{label}/p{group}.mp4"
            write_video(root / name, frames=frames + group, direction=direction, seed=group)
            lines.append(f"{name},{label},p{group}")
    (root / "videos.csv").write_text("\n".join(lines) + "\n")
    return root
