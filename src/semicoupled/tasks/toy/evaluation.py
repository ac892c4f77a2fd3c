"""Asking a model the questions of a test, streamed frame by frame, in segments, or all at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.utils.data import default_collate

from semicoupled.nn.streams import StackState
from semicoupled.rows import Row
from semicoupled.task_parts import TaskModel, TaskOutput
from semicoupled.tasks.toy.data import TESTS, ToyBatch, ToyData
from semicoupled.tasks.toy.metrics import Share, clip_accuracy, distance_accuracy, none_accuracy
from semicoupled.tasks.toy.settings import ToySettings
from semicoupled.training.ltsc import Segment, plan_for, walk
from semicoupled.training.progress import NoProgress, Progress
from semicoupled.training.settings import SegmentSettings

Way = Literal["whole", "streamed", "segmented"]
"""The whole sequence at once; one frame at a time; or cut and carried as in training."""

BATCH = 128
DISTANCES = ((0, 10), (11, 20), (21, 30), (31, 40), (41, 50), (51, 59))
"""Ranges of distances from the star that are scored apart, in frames."""


class Answers(NamedTuple):
    """A model's scores on a split.

    Attributes:
        scores: N T K, of all samples.
        batch: the samples.
    """

    scores: Tensor
    batch: ToyBatch


def batches(data: ToyData, size: int = BATCH) -> Iterator[ToyBatch]:
    """Give a whole split in batches."""
    for start in range(0, len(data), size):
        yield collate(data, range(start, min(start + size, len(data))))


def collate(data: ToyData, indices: range) -> ToyBatch:
    """Generate samples and put them into a batch."""
    return cast(ToyBatch, default_collate([data[index] for index in indices]))


def beside(batch: ToyBatch, model: TaskModel) -> ToyBatch:
    """Give a batch on the device where a model lies."""
    device = next(cast(nn.Module, model).parameters()).device
    return ToyBatch(*(tensor.to(device) for tensor in batch))


def cut(batch: ToyBatch, frames: slice) -> ToyBatch:
    """Give the part of a batch that lies in some of its frames."""
    return ToyBatch(*(tensor[:, frames] for tensor in batch))


def ask(
    model: TaskModel,
    data: ToyData,
    *,
    way: Way = "whole",
    segments: SegmentSettings | None = None,
    progress: Progress | None = None,
) -> Answers:
    """Let a model answer a whole split.

    Args:
        model: in eval mode.
        data: the split.
        way: how the frames reach the model.
        segments: how they are cut, for `segmented`.
        progress: who is told how far it is.
    """
    shown = progress or NoProgress()
    scores: list[Tensor] = []
    seen: list[ToyBatch] = []
    shown.begin(f"asking {data.split}", len(data))
    try:
        for batch in batches(data):
            with torch.no_grad():
                scores.append(_answer(model, beside(batch, model), way, segments or SegmentSettings()).float().cpu())
            seen.append(batch)
            shown.update(sum(len(part.frames) for part in seen))
    finally:
        shown.end()
    return Answers(torch.cat(scores), ToyBatch(*(torch.cat(parts) for parts in zip(*seen, strict=True))))


def rows_of_tests(settings: ToySettings, model: TaskModel, progress: Progress | None = None) -> list[Row]:
    """Score a model on all tests of its question."""
    rows: list[Row] = []
    for test in TESTS[settings.data.question]:
        data = ToyData(settings.data, test)
        if settings.data.question == "star":
            for way in ("streamed", "segmented"):
                found = ask(model, data, way=way, segments=settings.segments, progress=progress)
                rows += star_rows(settings, found, {"test": test, "run": way})
        else:
            rows.append(shape_row(settings, ask(model, data, progress=progress), test))
    return rows


def shape_row(settings: ToySettings, answers: Answers, test: str) -> Row:
    """Score the answers to *which way* or *which shape*."""
    share = clip_accuracy(answers.scores, answers.batch.answer)
    return _row(settings, "accuracy", {"test": test}, share)


def star_rows(settings: ToySettings, answers: Answers, condition: dict[str, str]) -> list[Row]:
    """Score the answers to *how many frames ago was the star*, by ranges of the distance."""
    rows: list[Row] = []
    for nearest, farthest in DISTANCES:
        share = distance_accuracy(answers.scores, answers.batch.answer, nearest, farthest)
        if share.count:
            rows.append(_row(settings, "accuracy_within_1", {**condition, "distance": f"{nearest}-{farthest}"}, share))
    none = none_accuracy(answers.scores, answers.batch.answer)
    return [*rows, _row(settings, "accuracy", {**condition, "distance": "no star yet"}, none)]


def _row(settings: ToySettings, metric: str, condition: dict[str, str], share: Share) -> Row:
    about = {"question": settings.data.question, **condition, "seed": settings.seed}
    return Row(settings.model.kind, metric, about, share.value, share.count, "1", share.interval)


def _answer(model: TaskModel, batch: ToyBatch, way: Way, segments: SegmentSettings) -> Tensor:
    if way == "whole":
        return model(batch).main
    length = batch.frames.shape[1]
    if way == "streamed":
        answers: list[Tensor] = []
        state = None
        for frame in range(length):
            output = model(cut(batch, slice(frame, frame + 1)), state)
            answers.append(output.main)
            state = output.state
        return torch.cat(answers, 1)
    parts = plan_for(segments, length)

    def run(segment: Segment, state: StackState | None, state_at: int | None) -> TaskOutput:
        return model(cut(batch, segment.slice), state, state_at=state_at)

    answered: list[Tensor] = []
    done = 0
    for segment, output in walk(parts, segments.carry, run):
        if segment.step > 1:  # strided: an answer holds until the next one
            return output.main.repeat_interleave(segment.step, 1)[:, :length]
        answered.append(output.main[:, done - segment.start :])  # where two overlap, the earlier one saw more
        done = segment.stop
    return torch.cat(answered, 1)
