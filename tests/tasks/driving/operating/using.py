"""What tests of driving in use share."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from semicoupled.data.video_writer import video_writer
from semicoupled.run_folder import LoadedRun
from semicoupled.tasks.driving.operating.predictor import DrivingPredictor


def predictor(loaded: LoadedRun) -> DrivingPredictor:
    return loaded.task.predictor(loaded.settings, loaded.description, loaded.model)


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def write_film(path: Path, images: np.ndarray, rate: float = 20) -> Path:
    with video_writer(path, rate) as video:
        for image in images:
            video.write(image)
    return path
