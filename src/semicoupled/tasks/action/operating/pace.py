"""At which pace a video of a file is seen in a prediction: its own, or that at which the run's scores were made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from semicoupled.data.video import VideoFrame
from semicoupled.tasks.action.answering import can_stream
from semicoupled.tasks.action.data import choose_frames
from semicoupled.tasks.action.settings import ActionSettings


def scores_spread_frames(settings: ActionSettings) -> bool:
    """Whether the run's scores are of `data.frames` frames spread over each video.

    Of a network that sees a clip at once they are of one clip where no number is set.
    """
    clips = settings.evaluation.clips
    once = clips == 1 or (clips is None and not can_stream(settings))
    return once and settings.data.sampling == "spread"


def paced(opened: Callable[[], Iterable[VideoFrame]], settings: ActionSettings) -> Iterator[VideoFrame]:
    """Give the frames of a video that a network is asked about; in constant memory, as a file can be read twice.

    Args:
        opened: opens the video; called twice where frames are spread over it.
        settings: of the run.

    Raises:
        DataError: the video cannot be read.
    """
    if not scores_spread_frames(settings):
        yield from opened()
        return
    length = sum(1 for _ in opened())
    times = np.bincount(choose_frames(length, settings.data.frames, "spread", 0.5), minlength=length)
    for frame, count in zip(opened(), times, strict=True):
        for _ in range(int(count)):
            yield frame
