"""Driving as frames come: a line or a picture each, until the frames end or somebody stops it."""

from __future__ import annotations

import csv
import sys
import time as clock
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from semicoupled.data.live import Latest, Source, open_camera, read_mjpeg, read_raw
from semicoupled.data.video import VideoFrame
from semicoupled.data.video_writer import video_writer
from semicoupled.errors import DataError
from semicoupled.tasks.driving.drives import Unit
from semicoupled.tasks.driving.operating.drive_video import DISAGREEMENT
from semicoupled.tasks.driving.operating.session import DriveSession, Steering
from semicoupled.tasks.driving.operating.wheel import Moment, Renderer
from semicoupled.tasks.driving.predict_options import PredictOptions
from semicoupled.training.progress import Progress

LIVE_COLUMNS = ("frame", "time", "angle", "spatial", "temporal", "milliseconds", "dropped")
"""Of a live CSV: the frame's number, seconds since the first, angles, how long the answer took, and how many frames
were passed over so far because they came too late."""
_RATE = 20.0
_SHOWN_EVERY = 0.25
"""Seconds from one look at the progress to the next."""

Sink = Callable[[VideoFrame, Steering, int], None]
"""Takes a frame, what was said, and how many were dropped so far."""


class Done(NamedTuple):
    """How a live drive went.

    Attributes:
        frames: that were answered.
        dropped: that came too late.
        seconds: that the answers took on average.
    """

    frames: int
    dropped: int
    seconds: float


def open_source(options: PredictOptions) -> Source:
    """Open what the options name.

    Raises:
        DataError: it cannot be opened.
        SettingsError: the size of raw frames is none.
    """
    if options.camera is not None:
        return open_camera(options.camera)
    assert options.stdin is not None
    if options.stdin == "mjpeg":
        return read_mjpeg(sys.stdin.buffer, options.rate)
    return read_raw(sys.stdin.buffer, options.stdin, options.rate)


def drive_live(
    source: Source,
    session: DriveSession,
    outs: Sequence[Path],
    options: PredictOptions,
    progress: Progress,
    stopped: Callable[[], bool],
) -> Done:
    """Answer frame after frame.

    What was written stays whole whatever ends it: the frames, Ctrl-C, or the source's failing.

    Args:
        source: of the frames.
        session: with the state.
        outs: ``.csv`` files, to which a line is added with every frame, and ``.mp4`` files.
        options: when to end, and what becomes of late frames.
        progress: who is told how it goes.
        stopped: asked before every frame.

    Raises:
        DataError: the source failed, or gave no frame at all.
    """
    drop = source.live if options.late == "auto" else options.late == "drop"
    frames: Latest | Iterator[VideoFrame] = Latest(source) if drop else source.frames
    count, seconds, dropped, looked = 0, 0.0, 0, 0.0
    progress.begin("driving", options.frames)
    try:
        with ExitStack() as stack:
            sinks = [stack.enter_context(_sink(out, session)) for out in outs]
            try:
                for frame in frames:
                    said = session.update(frame.image, frame.time)
                    count, seconds = count + 1, seconds + said.seconds
                    dropped = frames.dropped if isinstance(frames, Latest) else 0
                    for sink in sinks:
                        sink(frame, said, dropped)
                    now = clock.monotonic()
                    if now - looked >= _SHOWN_EVERY:
                        looked = now
                        numbers = {"angle": said.angle, "ms": 1000 * said.seconds, "dropped": float(dropped)}
                        progress.update(count, numbers=numbers)
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
def _sink(out: Path, session: DriveSession) -> Generator[Sink]:
    if out.suffix.lower() == ".mp4":
        with video_writer(out, _RATE) as video:
            yield _drawing(video.write, session)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8", newline="", buffering=1) as file:  # line by line, for whoever follows it
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(LIVE_COLUMNS)
        number = 0

        def write(frame: VideoFrame, said: Steering, dropped: int) -> None:
            nonlocal number
            angles = ("" if angle is None else f"{angle:.5f}" for angle in said[:3])
            writer.writerow((number, f"{frame.time:.3f}", *angles, f"{1000 * said.seconds:.2f}", dropped))
            number += 1

        yield write


def _drawing(write: Callable[..., None], session: DriveSession) -> Sink:
    unit: Unit = session.unit  # pyright: ignore[reportAssignmentType]
    renderer: Renderer | None = None

    def draw(frame: VideoFrame, said: Steering, dropped: int) -> None:
        nonlocal renderer
        both = said.spatial is not None and said.temporal is not None
        if renderer is None:
            renderer = Renderer(unit, DISAGREEMENT if both else None)
        gain = said.temporal - said.spatial if said.spatial is not None and said.temporal is not None else float("nan")
        caption = f"{1000 * said.seconds:.1f} ms" + (f", {dropped} dropped" if dropped else "")
        write(renderer.draw(frame.image, Moment(frame.time, said.angle, importance=gain), caption), frame.time)

    return draw
