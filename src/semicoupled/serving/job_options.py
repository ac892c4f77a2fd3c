"""What is asked of each kind of job. Imports no torch: the server itself never needs it, the worker alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ForecastOptions:
    """What is asked of a forecast.

    Args:
        minutes: how far ahead; None for as far as the run's settings say.
        at: the time to forecast from: ``"newest"``, ``"checkable"`` (the last one after which everything is known; with
            few fields the middle), or a time.
    """

    minutes: float | None = None
    at: str = "checkable"


@dataclass(frozen=True)
class ClipOptions:
    """Which clip of a toy.

    Args:
        split: a test of the question: ``seen``, ``unseen_shapes``, ``shuffled_frames``.
        index: of the clip, from 0.
    """

    split: str = "seen"
    index: int = 0


@dataclass(frozen=True)
class MapOptions:
    """What is looked at inside.

    Args:
        clip: of a toy.
        channel: index of the channel; None for the one whose product varies most, in each layer.
        leads: of a forecast, for which the decoder's maps are shown.
    """

    clip: ClipOptions = ClipOptions()
    channel: int | None = None
    leads: int = 6
