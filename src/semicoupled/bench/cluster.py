"""What training on many processes moves and holds, on paper, from the parameters of every preset's network.

Processes of N, parameters P, samples of a batch B, bytes of a sample S:

    gradients sent and received by each process, a step   2 (N - 1) / N * 4 P
    held by each process, beside the maps                 (4 weights + 4 gradients + 8 Adam + 4 sent together) P
    decoded input of all processes, a step                B S, each a share of B / N

The first is what a ring of processes moves, whatever their number (Patarasuk and Yuan: Bandwidth optimal all-reduce
algorithms for clusters of workstations, 2009); no algorithm moves less.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import nn

from semicoupled.bench.parts import Part
from semicoupled.errors import SemicoupledError
from semicoupled.find_task import find_task, settings_class, task_folders
from semicoupled.rows import Condition, Row
from semicoupled.settings_file import parse_settings
from semicoupled.task import Task

PROCESSES = 64
FLOAT = 4
"""Bytes of a number."""
_CLASSES = 101
"""Of the data set that is thought of for action: UCF-101. The head is a small part."""
_log = logging.getLogger(__name__)


class Sample(NamedTuple):
    """A sample as it goes in.

    Attributes:
        frames: of the video.
        bytes: of it, decoded.
    """

    frames: int
    bytes: int


def parts(processes: int = PROCESSES) -> list[Part]:
    """Give a part for each task whose data are files."""

    def part(task: str) -> Part:
        return lambda: rows_of(find_task(task), processes)

    return [part(name) for name in _SAMPLES if name in task_folders()]


def rows_of(task: Task[Any], processes: int = PROCESSES) -> list[Row]:
    """Give the rows of a task's default settings and of each of its presets.

    Args:
        task: one of nowcasting, driving, action, outline.
        processes: that train together.
    """
    files: list[Path | None] = [None, *sorted((task_folders()[task.name] / "presets").glob("*.yaml"))]
    rows: list[Row] = []
    for file in files:
        settings = parse_settings(settings_class(task.name), files=[] if file is None else [file])
        preset = "default" if file is None else file.stem
        try:
            parameters = parameters_of(task, settings)
        except SemicoupledError as error:
            _log.warning("%s, preset %s: left out, its network cannot be built here: %s", task.name, preset, error)
            continue
        rows += plan(task.name, preset, parameters, settings, processes)
    return rows


def parameters_of(task: Task[Any], settings: Any) -> int:
    """Count the parameters of the network that a task builds from its settings.

    Raises:
        SemicoupledError: something that it needs is not installed.
    """
    with torch.device("meta"):  # no memory, no initialization
        model = cast(nn.Module, task.build(settings, {"classes": [str(number) for number in range(_CLASSES)]}))
    return sum(parameter.numel() for parameter in model.parameters())


def plan(task: str, preset: str, parameters: int, settings: Any, processes: int) -> list[Row]:
    """Compute what a step moves and holds.

    Args:
        task: its name.
        preset: for the rows.
        parameters: P.
        settings: of the task: batch and size of a sample.
        processes: N.

    Returns:
        Parameters; bytes sent by each process a step; bytes held by each; bytes of input of a step, all together.
    """
    batch = settings.training.batch * settings.training.accumulate
    sample = _SAMPLES[task](settings)
    average = FLOAT if settings.training.weight_average else 0
    found = {
        "parameters": (float(parameters), "1"),
        "gradient_bytes": (2 * (processes - 1) / processes * FLOAT * parameters, "B"),
        "held_bytes": (float((5 * FLOAT + average) * parameters), "B"),
        "input_bytes": (float(batch * sample.bytes), "B"),
    }
    where: dict[str, Condition] = {"task": task, "preset": preset, "batch": batch, "frames": sample.frames}
    shared = {"gradient_bytes", "held_bytes"}
    return [
        Row("semicoupled", name, where | ({"processes": processes} if name in shared else {}), value, 1, unit)
        for name, (value, unit) in found.items()
    ]


def largest(rows: Sequence[Row]) -> list[Row]:
    """Keep what was measured, and of each task the preset whose gradients are most: what a cluster must be made for.

    Args:
        rows: of `bench scaling`.
    """
    most: dict[Condition, Row] = {}
    for row in rows:
        if row.metric == "gradient_bytes":
            task = row.condition["task"]
            most[task] = max(row, most.get(task, row), key=lambda each: each.value)
    kept = {(task, row.condition["preset"]) for task, row in most.items()}
    return [
        row for row in rows if "task" not in row.condition or (row.condition["task"], row.condition["preset"]) in kept
    ]


def _video(channels: Callable[[Any], int]) -> Callable[[Any], Sample]:
    def sample(settings: Any) -> Sample:
        data = settings.data
        return Sample(data.frames, data.frames * channels(data) * data.height * data.width * FLOAT)

    return sample


def _radar(settings: Any) -> Sample:
    frames = settings.data.input_frames + settings.data.output_frames
    return Sample(frames, frames * settings.data.crop**2 * FLOAT)


def _outline(settings: Any) -> Sample:
    data = settings.data
    return Sample(data.points, 3 * data.size**2 + 3 * data.points * data.grid**2 * FLOAT)


_SAMPLES: dict[str, Callable[[Any], Sample]] = {
    "nowcasting": _radar,
    "driving": _video(lambda data: 3),
    "action": _video(lambda data: data.channels),
    "outline": _outline,
}
"""Frames of float32; of outlines an image of bytes, and three maps of the grid for each point."""
