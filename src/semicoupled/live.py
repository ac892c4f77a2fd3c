"""Answers as frames come: a line or a picture each, until the frames end or somebody stops it.

A task says how a frame is answered and what is written of it; the loop is here, once.
"""

from __future__ import annotations

import csv
import sys
import time as clock
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from semicoupled.data.live import Latest, Source, open_camera, read_mjpeg, read_raw
from semicoupled.data.video import VideoFrame
from semicoupled.data.video_writer import video_writer
from semicoupled.errors import DataError
from semicoupled.training.progress import Progress

_SHOWN_EVERY = 0.25
"""Seconds from one look at the progress to the next."""


class Said(Protocol):
    """What is said at a frame."""

    @property
    def seconds(self) -> float:
        """That it took."""
        ...


S = TypeVar("S", bound=Said)
Sink = Callable[[VideoFrame, S, int], None]
"""Takes a frame, what was said, and how many were dropped so far."""


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


def open_source(camera: str | None, stdin: str | None, rate: float | None = None) -> Source:
    """Open a camera, or the standard input.

    Args:
        camera: see `semicoupled.data.live.open_camera`; None takes the standard input.
        stdin: what comes by it, ``WIDTHxHEIGHT`` of raw frames or ``mjpeg``.
        rate: frames a second of the standard input; None takes the time at which each comes.

    Raises:
        DataError: it cannot be opened.
        SettingsError: the size of raw frames is none.
    """
    if camera is not None:
        return open_camera(camera)
    assert stdin is not None
    return read_mjpeg(sys.stdin.buffer, rate) if stdin == "mjpeg" else read_raw(sys.stdin.buffer, stdin, rate)


def follow(
    source: Source,
    answer: Callable[[VideoFrame], S],
    sinks: Sequence[AbstractContextManager[Sink[S]]],
    progress: Progress,
    stopped: Callable[[], bool],
    *,
    title: str,
    drop: bool,
    most: int | None = None,
    numbers: Callable[[S], Mapping[str, float]] = lambda _: {},
) -> Done:
    """Answer frame after frame.

    What was written stays whole whatever ends it: the frames, Ctrl-C, or the source's failing.

    Args:
        source: of the frames; it is closed at the end.
        answer: what is said at a frame; it keeps the state.
        sinks: opened for the time of the loop; each takes every frame.
        progress: who is told how it goes.
        stopped: asked after every frame.
        title: what is done, for the progress.
        drop: whether frames that come too late are passed over; else all of them are answered.
        most: end after so many frames; None goes on.
        numbers: shown beside the progress, with milliseconds and dropped frames.

    Raises:
        DataError: the source failed, or gave no frame at all.
    """
    frames: Latest | Iterator[VideoFrame] = Latest(source) if drop else source.frames
    count, seconds, dropped, looked = 0, 0.0, 0, 0.0
    progress.begin(title, most)
    try:
        with ExitStack() as stack:
            opened = [stack.enter_context(sink) for sink in sinks]
            try:
                for frame in frames:
                    said = answer(frame)
                    count, seconds = count + 1, seconds + said.seconds
                    dropped = frames.dropped if isinstance(frames, Latest) else 0
                    for sink in opened:
                        sink(frame, said, dropped)
                    now = clock.monotonic()
                    if now - looked >= _SHOWN_EVERY:
                        looked = now
                        shown = {**numbers(said), "ms": 1000 * said.seconds, "dropped": float(dropped)}
                        progress.update(count, numbers=shown)
                    if stopped() or count == most:
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
def table_sink(out: Path, columns: Sequence[str], cells: Callable[[S], Sequence[str]]) -> Generator[Sink[S]]:
    """Write a ``.csv`` with a line a frame, each at once.

    Args:
        out: the file.
        columns: `frame`, `time` (seconds since the first frame), those of `cells`, `milliseconds`, `dropped` (so far).
        cells: what was said, as text.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8", newline="", buffering=1) as file:  # line by line, for whoever follows it
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        number = 0

        def write(frame: VideoFrame, said: S, dropped: int) -> None:
            nonlocal number
            writer.writerow((number, f"{frame.time:.3f}", *cells(said), f"{1000 * said.seconds:.2f}", dropped))
            number += 1

        yield write


@contextmanager
def video_sink(out: Path, rate: float, draw: Callable[[VideoFrame, S, int], np.ndarray]) -> Generator[Sink[S]]:
    """Write an ``.mp4`` with a picture a frame, at the frames' times.

    Args:
        out: the file.
        rate: frames a second, for those without a time.
        draw: the picture, H W 3, uint8, of a frame, of what was said, and of how many were dropped so far.
    """
    with video_writer(out, rate) as video:
        yield lambda frame, said, dropped: video.write(draw(frame, said, dropped), frame.time)
