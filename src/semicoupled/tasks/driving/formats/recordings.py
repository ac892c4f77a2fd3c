"""Several recordings that a file holds one behind the other."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np

from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.parts import take

PAUSE = 5.0
"""Seconds without a frame, forward or backward, after which a recording is another one."""


def split_at_pauses(drive: Drive, pause: float = PAUSE) -> list[Drive]:
    """Part a drive into the recordings that were written into one file.

    A time that jumps forward or back by more than `pause` begins another one: its frames need not be of the same road.
    Smaller steps back are left in, and refused where drives are cut at gaps.

    Args:
        drive: frames in the order of the file.
        pause: seconds.

    Returns:
        The drive itself, or runs ``1``, ``2``, ...
    """
    edges = [0, *(np.flatnonzero(np.abs(np.diff(drive.times)) > pause) + 1).tolist(), len(drive)]
    if len(edges) == 2:
        return [drive]
    return [
        dataclasses.replace(take(drive, range(start, stop)), name=str(number), run=str(number))
        for number, (start, stop) in enumerate(pairwise(edges), 1)
    ]
