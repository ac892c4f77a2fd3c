"""Driving as frames come: a line or a picture each, until the frames end or somebody stops it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from semicoupled.data.live import Source
from semicoupled.data.video import VideoFrame
from semicoupled.live import Done, Sink, follow, table_sink, video_sink
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


def drive_live(
    source: Source,
    session: DriveSession,
    outs: Sequence[Path],
    options: PredictOptions,
    progress: Progress,
    stopped: Callable[[], bool],
) -> Done:
    """Answer frame after frame; see `semicoupled.live.follow`.

    Args:
        source: of the frames.
        session: with the state.
        outs: ``.csv`` files, to which a line is added with every frame, and ``.mp4`` files.
        options: when to end, and what becomes of late frames.
        progress: who is told how it goes.
        stopped: asked after every frame.

    Raises:
        DataError: the source failed, or gave no frame at all.
    """
    return follow(
        source,
        lambda frame: session.update(frame.image, frame.time),
        [_sink(out, session) for out in outs],
        progress,
        stopped,
        title="driving",
        drop=source.live if options.late == "auto" else options.late == "drop",
        most=options.frames,
        numbers=lambda said: {"angle": said.angle},
    )


def _sink(out: Path, session: DriveSession) -> AbstractContextManager[Sink[Steering]]:
    if out.suffix.lower() == ".mp4":
        return video_sink(out, _RATE, _drawing(session))
    return table_sink(out, LIVE_COLUMNS, _angles)


def _angles(said: Steering) -> Sequence[str]:
    return ["" if angle is None else f"{angle:.5f}" for angle in said[:3]]


def _drawing(session: DriveSession) -> Callable[[VideoFrame, Steering, int], np.ndarray]:
    unit: Unit = session.unit  # pyright: ignore[reportAssignmentType]
    renderer: Renderer | None = None

    def draw(frame: VideoFrame, said: Steering, dropped: int) -> np.ndarray:
        nonlocal renderer
        both = said.spatial is not None and said.temporal is not None
        if renderer is None:
            renderer = Renderer(unit, DISAGREEMENT if both else None)
        gain = said.temporal - said.spatial if said.spatial is not None and said.temporal is not None else float("nan")
        caption = f"{1000 * said.seconds:.1f} ms" + (f", {dropped} dropped" if dropped else "")
        return renderer.draw(frame.image, Moment(frame.time, said.angle, importance=gain), caption)

    return draw
