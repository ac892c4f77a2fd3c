"""One video answered as it is decoded: in constant memory, however long it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from semicoupled.data.video import VideoFrame
from semicoupled.errors import DataError
from semicoupled.nn.streams import Stream
from semicoupled.task_parts import TaskModel
from semicoupled.tasks.action.answering import answered_streams, can_stream, run_frames
from semicoupled.tasks.action.averaging import contribution, from_sum
from semicoupled.tasks.action.frames import small_frames
from semicoupled.tasks.action.settings import ActionSettings, Average
from semicoupled.tasks.action.sight import Sight


class FrameAnswer(NamedTuple):
    """What is said at one frame.

    Attributes:
        time: seconds.
        main: K probabilities.
        spatial: those of the spatial stream, or None.
        temporal: those of the temporal stream, or None.
    """

    time: float
    main: np.ndarray
    spatial: np.ndarray | None
    temporal: np.ndarray | None


class RunningAnswer:
    """The average over the frames so far, one a stream; float64, so that it does not depend on the chunks."""

    def __init__(self, average: Average = "probabilities") -> None:
        """Begin with nothing.

        Args:
            average: as `averaging.average_frames` has it.
        """
        self.count = 0
        self._sums: dict[str, np.ndarray] = {}
        self._average: Average = average

    def add(self, frame: FrameAnswer) -> None:
        """Take in a frame."""
        self.count += 1
        for name in ("main", "spatial", "temporal"):
            said = getattr(frame, name)
            if said is not None:
                self._sums[name] = self._sums.get(name, 0.0) + contribution(said, self._average)

    def mean(self, stream: str) -> np.ndarray | None:
        """Give the probabilities of the video so far; None of a stream that says nothing."""
        total = self._sums.get(stream)
        return None if total is None else from_sum(total, self.count, self._average)


def answer_frames(
    model: TaskModel, frames: Iterable[VideoFrame], settings: ActionSettings, chunk: int
) -> Iterator[FrameAnswer]:
    """Answer frame by frame, from each frame and all before it.

    A network that sees a clip at once answers for parts of `data.frames` frames, each by itself.

    Args:
        model: in eval mode.
        frames: RGB images, in order.
        settings: of the run.
        chunk: frames that are computed at once.

    Yields:
        As many answers as there are frames, no later than a chunk behind.

    Raises:
        DataError: a frame cannot be read; the answers to all frames before it were given.
    """
    streams, streaming = answered_streams(model), can_stream(settings)
    size = chunk if streaming else settings.data.frames
    state: Any = None
    sight = Sight(settings.data)
    for waiting in _chunks(small_frames(iter(frames), settings.data), size):
        answers, state = _answer(model, waiting, settings, streams, state, sight)
        yield from answers


def _chunks(frames: Iterator[VideoFrame], size: int) -> Iterator[list[VideoFrame]]:
    """Put frames together; the last chunk may be shorter, and where an error ends them it comes before the error."""
    waiting: list[VideoFrame] = []
    try:
        for frame in frames:
            waiting.append(frame)
            if len(waiting) == size:
                yield waiting
                waiting = []
    except DataError:
        if waiting:
            yield waiting
        raise
    if waiting:
        yield waiting


def _answer(
    model: TaskModel,
    waiting: Sequence[VideoFrame],
    settings: ActionSettings,
    streams: Sequence[Stream],
    state: Any,
    sight: Sight,
) -> tuple[list[FrameAnswer], Any]:
    images = np.stack([frame.image for frame in waiting])
    if not can_stream(settings):
        state, sight = None, Sight(settings.data)
    said, state = run_frames(model, sight.see(images)[None], state, streams)
    whole = {stream: said[stream][0].numpy() for stream in streams}
    answers = [
        FrameAnswer(
            frame.time,
            whole["main"][number],
            whole["spatial"][number] if "spatial" in whole else None,
            whole["temporal"][number] if "temporal" in whole else None,
        )
        for number, frame in enumerate(waiting)
    ]
    return answers, state
