"""Many videos side by side without padding: one slot for each row of the batch; where a video ends, the next begins.

Every row of the batch has its own state, so that videos of any lengths go on together. A network computes a frame of
all of them at once, which keeps a GPU, or wide vector units, busy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from semicoupled.data.video import VideoFrame
from semicoupled.errors import DataError
from semicoupled.task_parts import TaskModel
from semicoupled.tasks.action.answering import answered_streams, run_frames
from semicoupled.tasks.action.data import ActionBatch
from semicoupled.tasks.action.frames import small_frames
from semicoupled.tasks.action.operating.video_answer import FrameAnswer
from semicoupled.tasks.action.settings import ActionSettings
from semicoupled.tasks.action.sight import Sight

StateT = TypeVar("StateT")


class Said(NamedTuple):
    """An answer at a frame, or the end of a video.

    Attributes:
        video: its number.
        answer: None at the end.
        error: why it ended before its time, as a sentence; None where it did not.
    """

    video: int
    answer: FrameAnswer | None
    error: str | None = None


class _Slot:
    """One video that is being read."""

    def __init__(self, video: int, frames: Iterator[VideoFrame], sight: Sight) -> None:
        self.video, self.frames, self.sight = video, frames, sight
        self.row: int | None = None  # of the state; None before its first frame

    def next(self) -> VideoFrame | None:
        return next(self.frames, None)


def answer_side_by_side(
    model: TaskModel, videos: Sequence[Callable[[], Iterable[VideoFrame]]], settings: ActionSettings, size: int
) -> Iterator[Said]:
    """Answer videos frame by frame, several at a time.

    Args:
        model: in eval mode; one that has a state.
        videos: each opens one; it is called when its turn comes.
        settings: of the run.
        size: videos at a time.

    Yields:
        Answers, those of one video in order, and an end for each.
    """
    queue = iter(enumerate(videos))
    slots: list[_Slot] = []
    state: Any = None
    fresh: Any = None
    while True:
        frames: list[VideoFrame] = []
        going: list[_Slot] = []
        while len(going) < size:
            slot = slots.pop(0) if slots else _open(queue, settings)
            if slot is None:
                break
            try:
                frame = slot.next()
            except DataError as error:
                yield Said(slot.video, None, str(error))
                continue
            if frame is None:
                yield Said(slot.video, None)
                continue
            frames.append(frame)
            going.append(slot)
        if not going:
            return
        seen = torch.cat([slot.sight.see(frame.image[None]) for frame, slot in zip(frames, going, strict=True)])[
            :, None
        ]
        if fresh is None:
            fresh = initial_state(model, seen[:1])
        state = rearrange(state, fresh, [slot.row for slot in going])
        said, state = run_frames(model, seen, state, answered_streams(model))
        whole = {stream: values[:, 0].numpy() for stream, values in said.items()}
        for row, (slot, frame) in enumerate(zip(going, frames, strict=True)):
            slot.row = row
            yield Said(
                slot.video,
                FrameAnswer(frame.time, whole["main"][row], _row(whole, "spatial", row), _row(whole, "temporal", row)),
            )
        slots = going


def initial_state(model: TaskModel, frames: Tensor) -> Any:
    """Give the state before the first frame of one video.

    Args:
        model: in eval mode.
        frames: 1 1 C H W, any frame of the size.
    """
    nothing = torch.empty(1, 1, 0)
    device = next(cast(torch.nn.Module, model).parameters()).device
    with torch.no_grad():
        output = model(
            ActionBatch(frames.to(device), nothing, nothing, nothing), None, streams=answered_streams(model), state_at=0
        )
    return output.state_at


def rearrange(state: StateT, fresh: StateT, rows: Sequence[int | None]) -> StateT:
    """Give a state of the rows named, in this order.

    Args:
        state: of any number of rows; None where there is none yet.
        fresh: of one row, before a first frame.
        rows: positions in `state`; None takes `fresh`.
    """
    if fresh is None:
        return fresh
    if isinstance(fresh, Tensor):
        old = cast("Tensor | None", state)
        if old is not None and list(rows) == list(range(len(old))):
            return state
        parts = [fresh if row is None or old is None else old[row : row + 1] for row in rows]
        return cast(StateT, torch.cat(parts))
    fresh_parts = cast("tuple[Any, ...]", fresh)
    olds = cast("tuple[Any, ...]", state if state is not None else (None,) * len(fresh_parts))
    made = [rearrange(old, new, rows) for old, new in zip(olds, fresh_parts, strict=True)]
    named = getattr(cast(Any, fresh), "_make", tuple)  # a NamedTuple stays one
    return cast(StateT, named(made))


def _open(queue: Iterator[tuple[int, Callable[[], Iterable[VideoFrame]]]], settings: ActionSettings) -> _Slot | None:
    found = next(queue, None)
    if found is None:
        return None
    video, opened = found
    return _Slot(video, small_frames(iter(opened()), settings.data), Sight(settings.data))


def _row(whole: dict[Any, np.ndarray], stream: str, row: int) -> np.ndarray | None:
    return whole[stream][row] if stream in whole else None
