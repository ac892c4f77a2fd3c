"""How important time is: the score of the temporal stream minus that of the spatial stream (Table 6).

Both streams must predict the main goal. The score is minus the loss of the main goal, so that this works for every
task; beside it stands the accuracy where a task has one answer among classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, default_collate

from semicoupled.errors import RunError
from semicoupled.task_parts import TaskModel
from semicoupled.training.objective import Losses
from semicoupled.training.progress import NoProgress, Progress
from semicoupled.training.sampling import SampleKey


class Sample(NamedTuple):
    """The scores of one sample; importance is temporal minus spatial.

    Attributes:
        index: of the sample in its split.
        main: score of the whole network: minus the loss of the main goal.
        spatial: score of the spatial stream.
        temporal: score of the temporal stream.
        conditions: values of the sample that it may be grouped by, by name.
    """

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]
    main: float
    spatial: float
    temporal: float
    conditions: Mapping[str, int]

    @property
    def importance(self) -> float:
        """Of time, for this sample."""
        return self.temporal - self.spatial


class Importance(NamedTuple):
    """The importance of time for a group of samples.

    Attributes:
        name: of the group.
        count: its samples.
        main: mean score of the whole network.
        spatial: mean score of the spatial stream.
        temporal: mean score of the temporal stream.
        importance: their difference.
        error: standard error of the difference; NaN for a single sample.
    """

    name: str
    count: int  # pyright: ignore[reportIncompatibleMethodOverride]
    main: float
    spatial: float
    temporal: float
    importance: float
    error: float


def score_samples(
    model: TaskModel,
    losses: Callable[[Any, Any], Losses],
    data: Dataset[Any],
    count: int,
    *,
    conditions: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Sample]:
    """Score both streams on samples of a split.

    Args:
        model: in eval mode; its output's `spatial` and `temporal` have the form of `main`.
        losses: the task's goals; the main loss is what counts.
        data: the split, asked with `SampleKey`.
        count: so many samples, evenly spread over the split.
        conditions: names of the batch's integer fields to group by; the last frame's value counts.
        progress: who is told how far it is.

    Raises:
        RunError: a stream does not predict the main goal.
    """
    shown = progress or NoProgress()
    device = next(cast(nn.Module, model).parameters()).device
    found: list[Sample] = []
    shown.begin("scoring both streams", count)
    try:
        for index in spread(len(cast(Any, data)), count):
            batch = default_collate([data[SampleKey(index)]])
            batch = type(batch)(*(tensor.to(device) for tensor in batch))
            with torch.no_grad():
                output = model(batch, streams=("main", "spatial", "temporal"))
            check_streams(output)
            main, spatial, temporal = _scores(losses, output, batch, slice(None))
            groups = {name: _last(getattr(batch, name)) for name in conditions}
            found.append(Sample(index, main, spatial, temporal, groups))
            shown.update(len(found))
    finally:
        shown.end()
    return found


def score_frames(
    model: TaskModel,
    losses: Callable[[Any, Any], Losses],
    cut: Callable[[Any, int], Any],
    batch: Any,
) -> list[Importance]:
    """Score both streams frame by frame.

    Args:
        model: in eval mode, with an answer for every frame.
        losses: the task's goals.
        cut: gives the part of a batch that lies in one frame.
        batch: the samples.

    Returns:
        One entry a frame, a mean over the samples.
    """
    with torch.no_grad():
        output = model(batch, streams=("main", "spatial", "temporal"))
    check_streams(output)
    frames: list[Importance] = []
    for frame in range(output.main.shape[1]):
        part = cut(batch, frame)
        main, spatial, temporal = _scores(losses, output, part, slice(frame, frame + 1))
        frames.append(Importance(f"{frame}", len(part[0]), main, spatial, temporal, temporal - spatial, math.nan))
    return frames


def check_streams(output: Any) -> None:
    """Refuse a model whose streams answer other questions.

    Raises:
        RunError: a stream does not predict the main goal.
    """
    for name in ("spatial", "temporal"):
        prediction = getattr(output, name)
        if prediction is None or prediction.shape != output.main.shape:
            raise RunError(
                f"importance compares how well both streams reach the main goal, but the {name} stream of this run "
                "learned another one, or none. Train with the main goal among the sub-goals of both streams."
            )


def summarize(name: str, samples: Sequence[Sample]) -> Importance:
    """Average over a group of samples.

    Args:
        name: of the group.
        samples: at least one.
    """
    count = len(samples)
    main, spatial, temporal = (
        sum(getattr(sample, field) for sample in samples) / count for field in ("main", "spatial", "temporal")
    )
    importance = temporal - spatial
    squares = sum((sample.importance - importance) ** 2 for sample in samples)
    error = math.sqrt(squares / (count - 1) / count) if count > 1 else math.nan
    return Importance(name, count, main, spatial, temporal, importance, error)


def by_condition(samples: Sequence[Sample], condition: str) -> Iterator[Importance]:
    """Average over the samples of each value of a condition (Table 6)."""
    for value in sorted({sample.conditions[condition] for sample in samples}):
        yield summarize(f"{condition} {value}", [s for s in samples if s.conditions[condition] == value])


def integer_fields(batch: Any) -> tuple[str, ...]:
    """Name the fields of a batch that hold classes: what samples can be grouped by.

    Args:
        batch: a sample or a batch of them, a NamedTuple of tensors. Classes are whole numbers, one a sample or one a
            frame; pixels and what is true or false are none.
    """
    return tuple(
        name
        for name, tensor in zip(batch._fields, batch, strict=True)
        if tensor.dtype != torch.bool
        and not tensor.is_floating_point()
        and not tensor.is_complex()
        and tensor.dim() <= 2  # B T
    )


def spread(size: int, count: int) -> list[int]:
    """Give indices spread evenly over a split, at most all of them."""
    count = min(size, count)
    return [i * size // count for i in range(count)]


def _scores(losses: Callable[[Any, Any], Losses], output: Any, batch: Any, frames: slice) -> tuple[float, ...]:
    """Minus the main loss, had each stream given the main prediction; over some of the frames."""
    cut: list[Tensor] = [output.main, output.spatial, output.temporal]
    if frames != slice(None):
        cut = [prediction[:, frames] for prediction in cut]
    return tuple(-float(losses(output._replace(main=prediction), batch).main) for prediction in cut)


def _last(value: Tensor) -> int:
    return int(value.flatten()[-1])
