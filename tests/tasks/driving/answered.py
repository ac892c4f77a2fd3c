"""Answers made up for tests, and the scores of them as plain loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from semicoupled.tasks.driving.answers import DriveAnswers


def answered(
    name: str = "a", frames: int = 120, rate: float = 20.0, seed: int = 0, size: float = 10.0, **changes: object
) -> DriveAnswers:
    """Make a drive whose label swings, with answers that miss it by chance; the temporal one by least."""
    random = np.random.default_rng(seed)
    times = 100.0 + np.arange(frames) / rate
    truth = size * np.sin(np.arange(frames) / 9.0 + seed) + random.normal(0, size / 20, frames)

    def miss(much: float) -> np.ndarray:
        return truth + random.normal(0, much * size, frames)

    made = DriveAnswers(name, name.split("+")[0], "degrees", times, truth, miss(0.3), miss(0.6), miss(0.4))
    return made._replace(**changes)


def slow_smooth(values: np.ndarray, times: np.ndarray, seconds: float) -> list[float]:
    """Average by two loops."""
    found: list[float] = []
    for value, now in zip(values, times, strict=True):
        near = [
            float(v)
            for v, t in zip(values, times, strict=True)
            if not math.isnan(v) and abs(t - now) <= seconds / 2 + 1e-6
        ]
        found.append(math.nan if math.isnan(value) else math.fsum(near) / len(near))
    return found


def slow_scores(answer: np.ndarray, label: np.ndarray, thresholds: list[float], scale: float) -> dict[str, Any]:
    """Score by a loop over frames."""
    pairs = [(float(a), float(b)) for a, b in zip(answer, label, strict=True)]
    count = len(pairs)
    mean = math.fsum(b for _, b in pairs) / count
    square = math.fsum((a - b) ** 2 for a, b in pairs)

    def squeeze(angle: float) -> float:
        return 1 / (1 + math.exp(-angle / scale))

    return {
        "mse": math.fsum((squeeze(a) - squeeze(b)) ** 2 for a, b in pairs) / count,
        "rmse": math.sqrt(square / count),
        "mae": math.fsum(abs(a - b) for a, b in pairs) / count,
        "r2": 1 - square / math.fsum((b - mean) ** 2 for _, b in pairs),
        "acc_soft": [math.fsum(min(la / (abs(a - b) + 1e-9), 1) for a, b in pairs) / count for la in thresholds],
        "acc_hard": [sum(abs(a - b) < la for a, b in pairs) / count for la in thresholds],
    }
