"""A video with the answer so far drawn below each frame: the most probable classes as bars, now and over the video."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from semicoupled.data.video import VideoFrame
from semicoupled.data.video_writer import video_writer
from semicoupled.tasks.action.operating.video_answer import FrameAnswer, RunningAnswer
from semicoupled.tasks.action.settings import Average

BARS = 3
_SMALLEST_WIDTH = 320
_LINE = 22
_NOW, _SO_FAR, _INK, _GROUND = (110, 170, 230), (60, 200, 110), (240, 240, 240), (24, 26, 30)


class Held:
    """Hands frames on and holds them until they are answered."""

    def __init__(self, frames: Iterable[VideoFrame]) -> None:
        """Take the frames."""
        self._frames = frames
        self.waiting: deque[VideoFrame] = deque()

    def __iter__(self) -> Iterator[VideoFrame]:
        """Give the frames."""
        for frame in self._frames:
            self.waiting.append(frame)
            yield frame


def annotate(
    answers: Iterable[FrameAnswer],
    held: Held,
    classes: Sequence[str],
    path: Path,
    rate: float = 25.0,
    average: Average = "probabilities",
) -> Iterator[FrameAnswer]:
    """Hand answers on, and write each frame with what was said.

    Args:
        answers: in the order of the frames.
        held: the frames.
        classes: names.
        path: of the MP4, which is there once the last answer was taken; not at all if an error comes.
        rate: frames a second, where times do not say.
        average: how frames become the answer so far.
    """
    running = RunningAnswer(average)
    drawn: VideoFrame | None = None
    with video_writer(path, rate) as writer:
        for answer in answers:
            running.add(answer)
            frame = held.waiting.popleft()
            mean = running.mean("main")
            assert mean is not None  # one was added
            # a frame that is seen several times (`pace`) is shown once, with what was said of it last
            if drawn is not None and drawn.time != frame.time:
                writer.write(drawn.image, drawn.time)
            drawn = VideoFrame(frame.time, draw_answer(frame.image, answer.main, mean, classes))
            yield answer
        if drawn is not None:
            writer.write(drawn.image, drawn.time)


def draw_answer(image: np.ndarray, now: np.ndarray, so_far: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Draw the most probable classes below an image.

    Args:
        image: H W 3, uint8, RGB.
        now: K probabilities of this frame.
        so_far: K probabilities of the video up to it.
        classes: names.

    Returns:
        A taller image, and a larger one where it is small.
    """
    factor = max(1, -(-_SMALLEST_WIDTH // image.shape[1]))
    large = image.repeat(factor, 0).repeat(factor, 1)
    width = large.shape[1]
    chosen = np.argsort(-so_far, kind="stable")[:BARS]
    board = np.full((_LINE * len(chosen) + 6, width, 3), _GROUND, np.uint8)
    left = int(0.55 * width)
    for line, index in enumerate(chosen):
        top = 4 + line * _LINE
        for share, color, offset in ((so_far[index], _SO_FAR, 2), (now[index], _NOW, 11)):
            end = left + int(float(share) * (width - left - 6))
            _ = cv2.rectangle(board, (left, top + offset), (end, top + offset + 6), color, -1)
        text = f"{classes[index]} {so_far[index]:.0%}"
        _ = cv2.putText(board, text, (6, top + 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
    return np.concatenate([large, board])
