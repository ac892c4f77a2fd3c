"""Makers of small tubs, in the form of the real ones: a band on the horizon moves against the angle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

RATE = 20.0
HEIGHT, WIDTH = 30, 40


def course(frames: int, seed: int = 0) -> np.ndarray:
    """Give smooth angles, -1..1."""
    rng = np.random.default_rng(seed)
    phases, lengths = rng.uniform(0, 6, 3), rng.uniform(0.05, 0.4, 3)
    return np.tanh(
        sum(np.sin(phase + length * np.arange(frames)) for phase, length in zip(phases, lengths, strict=True))
    )


def view(angle: float) -> np.ndarray:
    """Give an image whose bright post stands the farther to the left, the more the wheel is to the right."""
    image = np.full((HEIGHT, WIDTH, 3), (40, 60, 80), np.uint8)
    image[HEIGHT // 2 :] = (90, 90, 90)
    center = round((0.5 - 0.4 * angle) * (WIDTH - 1))
    image[5:25, max(0, center - 2) : center + 3] = (220, 200, 180)
    return image


def write_tub(
    folder: Path,
    runs: Mapping[str, np.ndarray],
    *,
    deleted: Sequence[int] = (),
    changes: Mapping[int, Mapping[str, Any]] | None = None,
    rate: float = RATE,
) -> Path:
    """Write a tub.

    Args:
        folder: of the tub.
        runs: angles of each session, by its name.
        deleted: indexes that the manifest calls deleted.
        changes: what replaces values of records, by index; None takes one out.
        rate: frames a second.
    """
    (folder / "images").mkdir(parents=True)
    lines: list[str] = []
    index, time = 0, 1_700_000_000_000
    for name, angles in runs.items():
        for angle in angles:
            file = f"{index}_cam_image_array_.jpg"
            assert cv2.imwrite(str(folder / "images" / file), view(float(angle))[..., ::-1])
            record: dict[str, Any] = {
                "_index": index,
                "_session_id": name,
                "_timestamp_ms": time,
                "cam/image_array": file,
                "user/angle": float(angle),
                "user/mode": "user",
                "user/throttle": 0.5,
            }
            for key, value in (changes or {}).get(index, {}).items():
                record[key] = value
            lines.append(json.dumps({key: value for key, value in record.items() if value is not None}))
            index += 1
            time += round(1000 / rate)
        time += 60_000
    half = len(lines) // 2
    (folder / "catalog_0.catalog").write_text("\n".join(lines[:half]) + "\n", encoding="utf-8")
    (folder / "catalog_1.catalog").write_text("\n".join(lines[half:]) + "\n", encoding="utf-8")
    about = {
        "paths": ["catalog_0.catalog", "catalog_1.catalog"],
        "current_index": index,
        "max_len": 1000,
        "deleted_indexes": list(deleted),
    }
    head = [["cam/image_array", "user/angle"], ["image_array", "float"], {}, {"created_at": 0}, about]
    (folder / "manifest.json").write_text("\n".join(json.dumps(part) for part in head) + "\n", encoding="utf-8")
    return folder
