"""Answers as frames come: a line or a picture each, until the frames end or somebody stops it."""

from __future__ import annotations

import time as clock
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semicoupled.data.live import Source
from semicoupled.data.video import VideoFrame
from semicoupled.errors import SettingsError
from semicoupled.live import Done, Sink, follow, table_sink, video_sink
from semicoupled.task_parts import TaskModel
from semicoupled.tasks.action.answering import can_stream, run_frames
from semicoupled.tasks.action.averaging import average_frames
from semicoupled.tasks.action.frames import small_frames
from semicoupled.tasks.action.operating.annotated import draw_answer
from semicoupled.tasks.action.settings import ActionSettings, PredictSettings
from semicoupled.tasks.action.sight import Sight
from semicoupled.training.progress import Progress

COLUMNS = ("frame", "time", "answer", "probability", "now", "probability_now", "milliseconds", "dropped")
"""Of a live CSV: the frame's number, seconds since the first, the answer over the last frames, that of this frame,
how long it took, and how many frames were passed over so far because they came too late."""
_RATE = 25.0


class Said(NamedTuple):
    """What is said at a frame.

    Attributes:
        now: K probabilities of this frame.
        lately: their mean over the last frames.
        seconds: that it took.
    """

    now: np.ndarray
    lately: np.ndarray
    seconds: float


class LiveSession:
    """Answers frame by frame; what it remembers does not grow."""

    def __init__(self, model: TaskModel, settings: ActionSettings, window: int) -> None:
        """Begin before the first frame.

        Args:
            model: in eval mode.
            settings: of its run.
            window: frames whose mean is the answer.

        Raises:
            SettingsError: the network sees a clip at once.
        """
        if not can_stream(settings):
            kind = settings.model.kind
            raise SettingsError(f"model.kind {kind} sees a clip at once and cannot follow a camera. Choose another run")
        self._model, self._settings = model, settings
        self._last: deque[np.ndarray] = deque(maxlen=window)
        self._state: Any = None
        self._sight = Sight(settings.data)

    def update(self, frame: VideoFrame) -> Said:
        """Answer a frame."""
        begun = clock.perf_counter()
        (small,) = small_frames(iter([frame]), self._settings.data)
        seen = self._sight.see(small.image[None])
        said, self._state = run_frames(self._model, seen[None], self._state, ("main",))
        self._last.append(said["main"][0, 0].numpy())
        return Said(
            self._last[-1],
            average_frames(np.stack(self._last), self._settings.loss.average),
            clock.perf_counter() - begun,
        )


def answer_live(
    source: Source,
    session: LiveSession,
    classes: Sequence[str],
    outs: Sequence[Path],
    options: PredictSettings,
    progress: Progress,
    stopped: Callable[[], bool],
) -> Done:
    """Answer frame after frame; see `semicoupled.live.follow`.

    Args:
        source: of the frames; those of a camera that come too late are dropped.
        session: with the state.
        classes: names.
        outs: ``.csv`` files, to which a line is added with every frame, and ``.mp4`` files.
        options: when to end.
        progress: who is told how it goes.
        stopped: asked after every frame.

    Raises:
        DataError: the source failed, or gave no frame at all.
    """
    sinks = [_sink(out, classes) for out in outs]
    return follow(
        source,
        session.update,
        sinks,
        progress,
        stopped,
        title="answering",
        drop=source.live,
        most=options.frames,
    )


def _sink(out: Path, classes: Sequence[str]) -> AbstractContextManager[Sink[Said]]:
    def draw(frame: VideoFrame, said: Said, _: int) -> np.ndarray:
        return draw_answer(frame.image, said.now, said.lately, classes)

    def cells(said: Said) -> Sequence[str]:
        best, now = int(said.lately.argmax()), int(said.now.argmax())
        return classes[best], f"{said.lately[best]:.4f}", classes[now], f"{said.now[now]:.4f}"

    return video_sink(out, _RATE, draw) if out.suffix.lower() == ".mp4" else table_sink(out, COLUMNS, cells)
