"""Running a model along a drive: frame after frame with its state, or clip by clip as in training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from semicoupled.nn.streams import StackState, Stream
from semicoupled.tasks.driving.angles import denormalize
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.data import to_frames
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.images import SeenDrive, shrink, step_of
from semicoupled.tasks.driving.model import DrivingModel
from semicoupled.tasks.driving.settings import Way

SEGMENT = 32
"""Frames that a stream takes at once; the memory that a drive needs follows from it, and nothing else."""

CLIPS = 16
"""Clips that are answered at once."""

Load = Callable[[Sequence[int]], Tensor]
"""Gives frames by number, T 3 H W, as the network takes them."""


class _Answers(NamedTuple):
    """Angles between 0 and 1 by stream, each N."""

    by_stream: dict[Stream, np.ndarray]


def answer_drive(
    model: DrivingModel,
    drive: Drive | SeenDrive,
    settings: DataSettings,
    *,
    unit: str | None = None,
    way: Way = "stream",
    streams: Sequence[Stream] | None = None,
    segment: int = SEGMENT,
) -> DriveAnswers:
    """Answer every frame of a drive.

    A model that sees every n-th frame runs n times side by side, each a frame later, so that every frame is answered.

    Args:
        model: in eval mode.
        drive: cut at gaps; images of a `Drive` are decoded as they are needed.
        settings: of the run's data: size, crop, rate, scale.
        unit: of the angles that the model learned; None for the drive's own.
        way: ``stream`` carries the state from the drive's first frame on; ``clips`` answers each frame from the clip
            that ends with it, and gives NaN before the first whole clip.
        streams: which; None for all that answer the main goal.
        segment: frames that are taken at once; the answers do not depend on it.

    Returns:
        The answers, in `unit`.

    Raises:
        DataError: an image cannot be read.
    """
    if isinstance(drive, SeenDrive):
        seen, load, step = drive.drive, _from_memory(drive, settings), drive.step
    else:
        seen, load, step = drive, _from_files(drive, settings), step_of(drive.times, settings.rate)
    wanted = model.streams if streams is None else tuple(streams)
    ran = (
        _stream(model, load, len(seen), step, wanted, segment)
        if way == "stream"
        else _clips(model, load, len(seen), step, wanted, settings.frames)
    )
    known = seen.unit if unit is None else unit
    scale = settings.scale(known)
    angles = {name: denormalize(values, scale, known) for name, values in ran.by_stream.items()}
    return DriveAnswers(
        drive=seen.name,
        run=seen.run,
        unit=seen.unit if unit is None else unit,  # pyright: ignore[reportArgumentType]
        times=seen.times,
        truth=seen.angles,
        main=angles["main"],
        spatial=angles.get("spatial"),
        temporal=angles.get("temporal"),
        roads=seen.roads,
    )


def _from_memory(seen: SeenDrive, settings: DataSettings) -> Load:
    return lambda indices: to_frames(seen.images[np.asarray(indices)], settings)


def _from_files(drive: Drive, settings: DataSettings) -> Load:
    return lambda indices: to_frames(
        np.stack([shrink(drive.frames.read(index), settings) for index in indices]), settings
    )


def _stream(
    model: DrivingModel, load: Load, count: int, step: int, streams: Sequence[Stream], segment: int
) -> _Answers:
    """Run `step` streams side by side: frame t * step + s is step t of stream s."""
    found: dict[Stream, np.ndarray] = {name: np.full(count, np.nan) for name in streams}
    device = next(model.parameters()).device
    state: StackState | None = None
    for start in range(0, count, segment * step):
        indices = np.arange(start, min(start + segment * step, count))
        steps = -(-len(indices) // step)
        # the last step of a drive may lack frames for some streams; the newest frame fills in, and is not answered
        padded = np.minimum(np.arange(start, start + steps * step), count - 1)
        frames = load(np.unique(padded).tolist())[padded - start].unflatten(0, (steps, step)).transpose(0, 1)
        with torch.no_grad():
            output = model.answer(frames.to(device), state, streams=streams)
        state = output.state
        for name in streams:
            said = _numbers(getattr(output, name)).T.reshape(-1)  # T S: in order of the drive
            found[name][indices] = said[: len(indices)]
    return _Answers(found)


def _clips(model: DrivingModel, load: Load, count: int, step: int, streams: Sequence[Stream], length: int) -> _Answers:
    """Answer each frame from the clip that ends with it."""
    found: dict[Stream, np.ndarray] = {name: np.full(count, np.nan) for name in streams}
    device = next(model.parameters()).device
    reach = (length - 1) * step
    for ends in _chunks(range(reach, count), CLIPS):
        first = ends[0] - reach
        frames = load(range(first, ends[-1] + 1))
        clips = [frames[end - reach - first : end - first + 1 : step] for end in ends]
        with torch.no_grad():
            output = model.answer(torch.stack(clips).to(device), streams=streams)
        for name in streams:
            found[name][list(ends)] = _numbers(getattr(output, name))[:, -1]
    return _Answers(found)


def _chunks(numbers: range, size: int) -> Iterator[range]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def _numbers(answer: Tensor) -> np.ndarray:
    """B T 1 to B T, float64."""
    return answer.squeeze(-1).double().cpu().numpy()
