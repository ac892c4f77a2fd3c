"""Windows of frames: some that go in and the ones that follow, inside one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence

_TICK = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAR = np.iinfo(np.int64).max // 4


class Window(NamedTuple):
    """A place in a list of sequences: `start` is the first input frame.

    Attributes:
        sequence: its position in the list.
        start: position of the first input frame.
    """

    sequence: int
    start: int


def list_windows(sequences: Sequence[RadarSequence], frames: int, stride: int = 1) -> list[Window]:
    """List all windows of a number of frames.

    Args:
        sequences: sequences without gaps.
        frames: frames of a window, inputs and targets together.
        stride: frames from the start of one window to the next.
    """
    return [
        Window(index, start)
        for index, sequence in enumerate(sequences)
        for start in range(0, len(sequence) - frames + 1, stride)
    ]


def wettest(sequences: Sequence[RadarSequence], windows: Sequence[Window], frame: int) -> Window:
    """Give the window with the most rain, a mean of dBZ in which missing pixels are dry, in one of its frames.

    Args:
        sequences: the sequences.
        windows: windows of them, at least one.
        frame: which of a window's frames, counted from 0.
    """

    def rain(window: Window) -> float:
        field = sequences[window.sequence].dbz[window.start + frame].astype(np.float32)
        return float(np.nan_to_num(field, nan=0.0).mean())

    return max(windows, key=rain)


def split_by_time(
    sequences: Sequence[RadarSequence], frames: int, share: float = 0.2
) -> tuple[list[RadarSequence], list[RadarSequence]]:
    """Part sequences into earlier and later ones that share no frame, a whole window apart.

    Args:
        sequences: sequences of one place or several.
        frames: frames of a window; the gap between the parts is as long.
        share: of all frames, for the later part, which is never shorter than a window.

    Returns:
        The earlier and the later sequences; pieces shorter than a window are left out.

    Raises:
        DataError: too few frames for both parts.
    """
    times = np.sort(np.array([time for sequence in sequences for time in sequence.times], dtype=object))
    first_later = times[max(0, min(round((1 - share) * len(times)), len(times) - frames))]
    earlier: list[RadarSequence] = []
    later: list[RadarSequence] = []
    for sequence in sequences:
        # all of the gap is taken from the earlier part, which is the longer one
        last_earlier = first_later - frames * sequence.step
        pieces = (
            sequence.part(0, sum(time < last_earlier for time in sequence.times)),
            sequence.part(sum(time < first_later for time in sequence.times), len(sequence)),
        )
        for piece, side in zip(pieces, (earlier, later), strict=True):
            if len(piece) >= frames:
                side.append(piece)
    if not earlier or not later:
        raise DataError(
            f"{len(times)} frames are too few to hold back the last {share:.0%} a whole window of {frames} "
            f"frames apart; expected at least {3 * frames} in a row. Add files, or name "
            "what to validate on with --data.validation"
        )
    return earlier, later


def keep_apart(sequences: Sequence[RadarSequence], held: Sequence[RadarSequence], frames: int) -> list[RadarSequence]:
    """Cut from sequences what lies less than a window from sequences of the same event that are held back.

    Args:
        sequences: to learn from.
        held: held back.
        frames: frames of a window; shorter pieces are left out.
    """
    kept: list[RadarSequence] = []
    for sequence in sequences:
        others = [time for other in held if other.event == sequence.event for time in other.times]
        free = _distances(sequence.times, others) > (frames * sequence.step) // _TICK
        edges = np.flatnonzero(np.diff(np.concatenate([[False], free, [False]]).astype(int)))
        pieces = (sequence.part(int(start), int(stop)) for start, stop in edges.reshape(-1, 2))
        kept += [piece for piece in pieces if len(piece) >= frames]
    return kept


def _distances(times: Sequence[datetime], others: Sequence[datetime]) -> np.ndarray:
    """Give the microseconds from each time to the nearest of others, very many where there are none."""
    here, there = (np.array([(time - _EPOCH) // _TICK for time in some], np.int64) for some in (times, others))
    there = np.concatenate([[-_FAR], np.sort(there), [_FAR]])
    behind = np.searchsorted(there, here)
    return np.minimum(here - there[behind - 1], there[behind] - here)
