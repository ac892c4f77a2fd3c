"""Answers as frames come: a line or a picture each, until the frames end or somebody stops it."""

from __future__ import annotations

import csv
import sys
import time as clock
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semicoupled.data.live import Latest, Source, open_camera, read_mjpeg, read_raw
from semicoupled.data.video import VideoFrame
from semicoupled.data.video_writer import video_writer
from semicoupled.errors import DataError, SettingsError
from semicoupled.task import TaskModel
from semicoupled.tasks.action.annotated import draw_answer
from semicoupled.tasks.action.answering import can_stream, run_frames
from semicoupled.tasks.action.data import plain_frames
from semicoupled.tasks.action.frames import small_frames
from semicoupled.tasks.action.settings import ActionSettings, PredictSettings
from semicoupled.training.progress import Progress

COLUMNS = ("frame", "time", "answer", "probability", "now", "probability_now", "milliseconds", "dropped")
"""Of a live CSV: the frame's number, seconds since the first, the answer over the last frames, that of this frame,
how long it took, and how many frames were passed over so far because they came too late."""
_RATE = 25.0
_SHOWN_EVERY = 0.25


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


class Done(NamedTuple):
    """How it went.

    Attributes:
        frames: that were answered.
        dropped: that came too late.
        seconds: that an answer took on average.
    """

    frames: int
    dropped: int
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
        self._before: np.ndarray | None = None
        self._first: np.ndarray | None = None

    def update(self, frame: VideoFrame) -> Said:
        """Answer a frame."""
        begun = clock.perf_counter()
        (small,) = small_frames(iter([frame]), self._settings.data)
        self._first = small.image if self._first is None else self._first
        seen = plain_frames(small.image[None], self._settings.data, before=self._before, first=self._first)
        said, self._state = run_frames(self._model, seen[None], self._state, ("main",))
        self._before = small.image
        self._last.append(said["main"][0, 0].numpy())
        return Said(self._last[-1], np.mean(self._last, axis=0), clock.perf_counter() - begun)


def open_source(options: PredictSettings) -> Source:
    """Open what the options name.

    Raises:
        DataError: it cannot be opened.
        SettingsError: the size of raw frames is none.
    """
    if options.camera is not None:
        return open_camera(options.camera)
    assert options.stdin is not None
    if options.stdin == "mjpeg":
        return read_mjpeg(sys.stdin.buffer)
    return read_raw(sys.stdin.buffer, options.stdin)


def answer_live(
    source: Source,
    session: LiveSession,
    classes: Sequence[str],
    outs: Sequence[Path],
    options: PredictSettings,
    progress: Progress,
    stopped: Callable[[], bool],
) -> Done:
    """Answer frame after frame. What was written stays whole whatever ends it.

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
    frames: Latest | Iterator[VideoFrame] = Latest(source) if source.live else source.frames
    count, seconds, dropped, looked = 0, 0.0, 0, 0.0
    progress.begin("answering", options.frames)
    try:
        with ExitStack() as stack:
            sinks = [stack.enter_context(_sink(out, classes)) for out in outs]
            try:
                for frame in frames:
                    said = session.update(frame)
                    count, seconds = count + 1, seconds + said.seconds
                    dropped = frames.dropped if isinstance(frames, Latest) else 0
                    for sink in sinks:
                        sink(frame, said, dropped)
                    if clock.monotonic() - looked >= _SHOWN_EVERY:
                        looked = clock.monotonic()
                        progress.update(count, numbers={"ms": 1000 * said.seconds, "dropped": float(dropped)})
                    if stopped() or count == options.frames:
                        break
            except (KeyboardInterrupt, BrokenPipeError):
                pass  # the way to end it; what is there is finished
            if not count:
                raise DataError(f"{source.name}: gave no frame; expected at least one")
    finally:
        progress.end()
        if isinstance(frames, Latest):
            frames.close()
        source.close()
    return Done(count, dropped, seconds / count)


@contextmanager
def _sink(out: Path, classes: Sequence[str]) -> Generator[Callable[[VideoFrame, Said, int], None]]:
    if out.suffix.lower() == ".mp4":
        with video_writer(out, _RATE) as video:
            yield lambda frame, said, _: video.write(
                draw_answer(frame.image, said.now, said.lately, classes), frame.time
            )
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8", newline="", buffering=1) as file:  # line by line, for whoever follows it
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        number = 0

        def write(frame: VideoFrame, said: Said, dropped: int) -> None:
            nonlocal number
            best, now = int(said.lately.argmax()), int(said.now.argmax())
            shares = classes[best], f"{said.lately[best]:.4f}", classes[now], f"{said.now[now]:.4f}"
            writer.writerow((number, f"{frame.time:.3f}", *shares, f"{1000 * said.seconds:.2f}", dropped))
            number += 1

        yield write
