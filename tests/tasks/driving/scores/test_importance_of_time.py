"""Importance where it is known: none where nothing moves, much where the motion alone tells the angle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.tasks.driving.tubs import view

from semicoupled.rows import Row
from semicoupled.settings_file import parse_settings
from semicoupled.tasks.driving.answering import answer_drive
from semicoupled.tasks.driving.data import DrivingBatch, to_frames
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.goals import make_goals
from semicoupled.tasks.driving.images import SeenDrive
from semicoupled.tasks.driving.model import DrivingModel, build_network
from semicoupled.tasks.driving.scores.evaluation import Measures, score_answers
from semicoupled.tasks.driving.settings import DrivingSettings

SETTINGS = parse_settings(
    DrivingSettings,
    [
        "--data.width=40",
        "--data.height=30",
        "--data.rate=null",
        "--data.frames=8",
        "--model.widths=[8,12]",
        "--model.strides=[2,2]",
        "--model.pool_first=false",
        "--sub_goals.temporal=[main]",
    ],
)
MEASURES = Measures(thresholds=(0.2, 0.1), scale=1.0, curve=0.1, sharp=0.5, part_seconds=2.0)
FRAMES = 40


class Pictures:
    """Frames that are in memory already."""

    def __init__(self, images: np.ndarray) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int) -> np.ndarray:
        return self._images[index]

    def name(self, index: int) -> str:
        return str(index)


def drive(name: str, places: np.ndarray, angles: np.ndarray) -> SeenDrive:
    """Make a drive whose post stands at `places`, -1..1, while the wheel is at `angles`."""
    images = np.stack([view(float(place)) for place in places])
    times = np.arange(len(places)) / 20
    return SeenDrive(Drive(name, name, Path(name), Pictures(images), times, angles, "normalized"), images, 1)


def still(name: str, place: float) -> SeenDrive:
    return drive(name, np.full(FRAMES, place), np.full(FRAMES, place))


def swaying(name: str, rng: np.random.Generator, *, by_motion: bool) -> SeenDrive:
    """Make a drive that goes to and fro; the angle is where the post stands, or which way it moves."""
    steps = np.repeat(rng.choice([-0.1, 0.1], FRAMES // 4), 4)
    places = np.empty(FRAMES)
    place = rng.uniform(-0.8, 0.8)
    for frame in range(FRAMES):
        if abs(place + steps[frame]) > 1:
            steps[frame:] *= -1
        place += steps[frame]
        places[frame] = place
    return drive(name, places, np.sign(steps) * 0.7 if by_motion else places)


def learned(*, by_motion: bool, steps: int) -> DrivingModel:
    """Train a small model for a few seconds."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model = DrivingModel(build_network(SETTINGS.model), SETTINGS.model, SETTINGS.sub_goals).train()
    drives = [swaying(str(index), rng, by_motion=by_motion) for index in range(24)]
    losses = make_goals(SETTINGS.sub_goals)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (1 - step / steps) + 1e-4
        starts = [(drives[rng.integers(len(drives))], int(rng.integers(FRAMES - 8))) for _ in range(8)]
        frames = torch.stack([to_frames(one.images[start : start + 8], SETTINGS.data) for one, start in starts])
        angles = np.stack([one.drive.angles[start : start + 8] for one, start in starts])
        weight = torch.ones(8, 8)
        weight[:, 0] = 0  # no motion is seen yet
        label = torch.sigmoid(torch.from_numpy(angles).float())
        batch = DrivingBatch(frames, label, weight, torch.empty(8, 8, 0))
        found = losses(model(batch, streams=("main", "spatial", "temporal")), batch)  # pyright: ignore[reportArgumentType]
        assert found.spatial is not None
        assert found.temporal is not None
        (found.main + found.spatial + found.temporal).backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval()


def importance(model: DrivingModel, drives: list[SeenDrive]) -> dict[str, Row]:
    """Give the rows of importance over all frames, by score."""
    answers = [answer_drive(model, seen, SETTINGS.data) for seen in drives]
    rows = score_answers({"ours": answers}, MEASURES)
    found = [row for row in rows if row.metric == "importance" and "road" not in row.condition]
    return {
        str(row.condition["score"]): row
        for row in found
        if row.condition["label"] == "raw" and row.condition.get("angle_threshold", 0.2) == 0.2
    }


def test_time_is_of_no_importance_where_nothing_moves() -> None:
    model = learned(by_motion=False, steps=80)
    drives = [still(str(index), place) for index, place in enumerate(np.linspace(-0.9, 0.9, 7))]
    answers = [answer_drive(model, seen, SETTINGS.data) for seen in drives]
    rows = score_answers({"ours": answers}, MEASURES)
    assert next(row.value for row in rows if row.metric == "r2") > 0.8  # it can steer
    found = importance(model, drives)
    assert abs(found["acc_soft"].value) < 0.05
    assert abs(found["mse"].value) < 0.002


@pytest.mark.slow
def test_time_is_of_importance_where_the_motion_tells_the_angle() -> None:
    model = learned(by_motion=True, steps=100)
    rng = np.random.default_rng(1)
    found = importance(model, [swaying(str(index), rng, by_motion=True) for index in range(6)])
    assert found["acc_soft"].value > 0.2
    assert found["acc_soft"].interval is not None
    assert found["acc_soft"].interval[0] > 0.1
