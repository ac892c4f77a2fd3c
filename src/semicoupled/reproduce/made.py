"""Small made data of each task for ``--quick``: they show that an experiment runs, not what comes out."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from semicoupled.files import write_bytes, write_text
from semicoupled.task_requests import MakeRequest


class Made(NamedTuple):
    """How data of a task are made.

    Attributes:
        write: writes them into a folder; what is there already stays, or is written again, the same.
        settings: that use them, given the folder.
    """

    write: Callable[[Path], object]
    settings: Callable[[Path], Sequence[str]]


def clips() -> Made:
    """Videos of moving squares, a disc and a cross (`tasks.action.study.made`)."""

    def write(folder: Path) -> None:
        from semicoupled.tasks.action.study.made import Counts, write_clips

        _ = write_clips(folder, Counts(2, 1, 2))

    return Made(write, lambda folder: [f"--data.root={folder}", "--data.validation=null", "--data.test=null"])


def outlines() -> Made:
    """Pictures of forms and figures with their outlines (`Task.make` of outlines)."""

    def write(folder: Path) -> None:
        from semicoupled.tasks.outline.made.make import make

        if not folder.exists():
            _ = make(MakeRequest(folder, count=4))

    return Made(write, lambda folder: [f"--data.root={folder}", "--data.labels=[]", "--data.validation=null"])


def drives() -> Made:
    """Runs along a bright line that bends, with the angle that follows it, as a CSV table."""
    return Made(_write_drives, lambda folder: [f"--data.root={folder}", "--data.validation=last:1"])


def radar() -> Made:
    """Two events of showers that move on, as NumPy files."""
    return Made(
        _write_radar,
        lambda folder: [f"--data.root={folder}", "--data.validation=two", "--evaluation.sprog=off"],
    )


def _write_drives(folder: Path, runs: int = 3, frames: int = 40) -> None:
    lines = ["# angle_unit: normalized", "# angle_positive: right", "sequence,frame,time,angle"]
    for run in range(runs):
        random = np.random.default_rng(run)
        bend = np.sin(np.linspace(0, 9, frames) + random.uniform(0, 6)) * 0.8
        for index, angle in enumerate(bend):
            image = np.full((24, 32, 3), 60, np.uint8)
            for row in range(8, 24):
                column = int(16 + angle * (24 - row) * 0.8)
                image[row, max(0, column - 1) : column + 2] = 220
            name = f"images/{run}_{index:03d}.png"
            _write_image(folder / name, image)
            lines.append(f"run{run},{name},{index / 20:.2f},{angle:.4f}")
    write_text(folder / "frames.csv", "\n".join(lines) + "\n")


def _write_radar(folder: Path, frames: int = 10, side: int = 48) -> None:
    rows, columns = np.mgrid[:side, :side]
    for day, name in enumerate(("one", "two"), start=1):
        random = np.random.default_rng(day)
        places, reach = random.uniform(0, side, (6, 2)), random.uniform(3, 7, 6)
        fields = np.zeros((frames, side, side), np.float32)
        for frame in range(frames):
            for (row, column), size in zip(places, reach, strict=True):
                away = (rows - (row + frame) % side) ** 2 + (columns - (column + 1.5 * frame) % side) ** 2
                fields[frame] = np.maximum(fields[frame], 45 * np.exp(-away / (2 * size**2)))
        begin = datetime(2021, 2, day, 12, tzinfo=UTC)
        times = [(begin + timedelta(minutes=5 * frame)).strftime("%Y-%m-%dT%H:%M:%SZ") for frame in range(frames)]
        buffer = io.BytesIO()
        np.savez(buffer, dbz=fields, times=np.array(times), quantity=np.array("dBZ"), kilometers=np.array(1.0))
        write_bytes(folder / name / "fields.npz", buffer.getvalue())


def _write_image(path: Path, image: np.ndarray) -> None:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    write_bytes(path, buffer.getvalue())
