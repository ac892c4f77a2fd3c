"""Scores of a model beside persistence, advection and blurred advection: the same pixels of the same windows.

A pixel counts where all input frames and the target are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from semicoupled.errors import DataError
from semicoupled.rows import Row
from semicoupled.tasks.nowcasting.baselines import BASELINES
from semicoupled.tasks.nowcasting.forecasting import Forecaster
from semicoupled.tasks.nowcasting.metrics import Counts, count, merge
from semicoupled.tasks.nowcasting.scoring import score_rows
from semicoupled.tasks.nowcasting.sequences import RadarSequence
from semicoupled.tasks.nowcasting.windows import Window, list_windows
from semicoupled.training.progress import NoProgress, Progress


def evaluate_sequences(
    sequences: Sequence[RadarSequence],
    forecasters: dict[str, Forecaster],
    *,
    input_frames: int,
    leads: int,
    thresholds: Sequence[float],
    stride: int = 1,
    progress: Progress | None = None,
) -> list[Row]:
    """Score forecasters on all windows of some sequences.

    Args:
        sequences: of one time step, without gaps.
        forecasters: by model's name.
        input_frames: frames that go in.
        leads: time steps ahead.
        thresholds: dBZ.
        stride: frames from one start to the next.
        progress: who is told how far it is.

    Returns:
        Rows over all and by lead, with intervals; in each event too, if there are several.

    Raises:
        DataError: no window fits, or sequences of different time steps.
    """
    windows = list_windows(sequences, input_frames + leads, stride)
    if not windows:
        longest = max((len(sequence) for sequence in sequences), default=0)
        raise DataError(
            f"the longest sequence has {longest} frames; expected at least {input_frames} to forecast from and {leads} "
            "to score. Add files, or lower evaluation.leads"
        )
    step = common_step(sequences)
    parts: dict[str, list[Counts]] = {name: [] for name in forecasters}
    progress = progress or NoProgress()
    progress.begin("scoring forecasts", len(windows))
    try:
        for done, window in enumerate(windows):
            counted = _count(sequences[window.sequence], window, forecasters, input_frames, leads, thresholds)
            for name, counts in counted.items():
                parts[name].append(counts)
            progress.update(done + 1)
    finally:
        progress.end()
    minutes = [(step * (lead + 1)).total_seconds() / 60 for lead in range(leads)]
    events = [sequences[window.sequence].event for window in windows]
    return score_rows({name: merge(counts) for name, counts in parts.items()}, events, minutes, thresholds)


def common_step(sequences: Sequence[RadarSequence]) -> timedelta:
    """Give the time step of all sequences.

    Raises:
        DataError: they differ.
    """
    first = sequences[0]
    for sequence in sequences:
        if sequence.step != first.step:
            raise DataError(
                f"{sequence.event}: one frame every {sequence.step}; expected every {first.step}, as in {first.event}. "
                "Make them equal with data.step_minutes, or use one at a time"
            )
    return first.step


def with_baselines(name: str, forecast: Forecaster | None) -> dict[str, Forecaster]:
    """Put a model, if there is one, in front of the baselines."""
    return {**({} if forecast is None else {name: forecast}), **BASELINES}


def _count(
    sequence: RadarSequence,
    window: Window,
    forecasters: dict[str, Forecaster],
    input_frames: int,
    leads: int,
    thresholds: Sequence[float],
) -> dict[str, Counts]:
    now = window.start + input_frames
    inputs = sequence.dbz[window.start : now].astype(np.float32)
    observed = sequence.dbz[now : now + leads].astype(np.float32)
    counts = np.broadcast_to(~np.isnan(inputs).any(0), observed.shape)
    return {
        name: count(forecast(inputs, leads, sequence.grid.kilometers), observed, counts, thresholds)
        for name, forecast in forecasters.items()
    }
