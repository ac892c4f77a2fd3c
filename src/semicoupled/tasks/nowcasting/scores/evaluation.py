"""Scores of a model beside persistence, advection, blurred advection and S-PROG: the same pixels of the same windows.

A pixel counts where all input frames and the target are there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from semicoupled.errors import DataError
from semicoupled.rows import Row
from semicoupled.tasks.nowcasting.extrapolation.baselines import BASELINES, Forecaster
from semicoupled.tasks.nowcasting.extrapolation.pysteps_door import has_pysteps
from semicoupled.tasks.nowcasting.extrapolation.sprog import make_sprog
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence
from semicoupled.tasks.nowcasting.files.windows import Window, list_windows
from semicoupled.tasks.nowcasting.scores.calibrating import LevelCounts, count_levels, fit, folds, merge_levels
from semicoupled.tasks.nowcasting.scores.fractions import window_pixels
from semicoupled.tasks.nowcasting.scores.metrics import Counts, Truth, merge
from semicoupled.tasks.nowcasting.scores.probability import LEVELS, Calibration, Neighborhood, probabilities
from semicoupled.tasks.nowcasting.scores.reliability import ProbabilitySums, probability_rows, probability_sums
from semicoupled.tasks.nowcasting.scores.scoring import Axes, score_rows
from semicoupled.tasks.nowcasting.scores.spectrum import BandPower
from semicoupled.tasks.nowcasting.settings import EvaluationSettings
from semicoupled.training.progress import NoProgress, Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Probable:
    """Whose probabilities are scored, and how they are made.

    Args:
        calibrations: by model; a model with None, or with other thresholds than those scored, is calibrated on the
            scored starts themselves: each event on the others, a single one half on half.
        neighborhood: how shares are made where nothing says so.
    """

    calibrations: Mapping[str, Calibration | None]
    neighborhood: Neighborhood = field(default_factory=Neighborhood)

    def usable(self, model: str, thresholds: Sequence[float]) -> Calibration | None:
        """Give the calibration of a model if it can be used."""
        known = self.calibrations[model]
        return known if known is not None and known.thresholds == tuple(thresholds) else None


def evaluate_sequences(
    sequences: Sequence[RadarSequence],
    forecasters: Mapping[str, Forecaster],
    *,
    input_frames: int,
    leads: int,
    thresholds: Sequence[float],
    windows_km: Sequence[float] = (),
    bands_km: Sequence[float] = (),
    ours: str = "",
    probable: Probable | None = None,
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
        windows_km: sides of the windows of the fractions skill score.
        bands_km: edges of the bands of wavelength whose power is compared.
        ours: the model whose differences to the others are wanted.
        probable: whose probabilities are scored; None for nobody's.
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
    axes = Axes(lead_minutes(sequences, leads), thresholds, windows_km, bands_km)
    parts: dict[str, list[Counts]] = {name: [] for name in forecasters}
    levels: dict[str, list[LevelCounts]] = {
        name: [] for name in forecasters if probable and name in probable.calibrations
    }
    neighborhoods = {name: _neighborhood(probable, name, thresholds) for name in levels}
    seconds = dict.fromkeys(forecasters, 0.0)
    for case in cases(sequences, windows, input_frames, leads, progress):
        kilometers = case.kilometers
        truth = case.truth(axes)
        for name, forecast in forecasters.items():
            begun = time.perf_counter()
            given = forecast(case.inputs, leads, kilometers)
            seconds[name] += time.perf_counter() - begun
            parts[name].append(truth.count(given))
            if name in levels:
                levels[name].append(
                    count_levels(
                        given,
                        case.observed,
                        case.counts,
                        thresholds,
                        kilometers,
                        axes.lead_minutes,
                        neighborhoods[name],
                    )
                )
    for name, spent in seconds.items():
        log.info("%s: %.3g s a forecast", name, spent / len(windows))
    events = [sequences[window.sequence].event for window in windows]
    names = [sequence.event for sequence in sequences]
    rows = score_rows({name: merge(counts) for name, counts in parts.items()}, events, axes, ours=ours, names=names)
    if probable is not None:
        sums = {
            name: _probability_sums(
                merge_levels(counted), events, axes, probable.usable(name, thresholds), neighborhoods[name]
            )
            for name, counted in levels.items()
        }
        rows += probability_rows(sums, events, axes.lead_minutes, thresholds, names=names)
    return rows


def calibrate(
    sequences: Sequence[RadarSequence],
    forecast: Forecaster,
    *,
    input_frames: int,
    leads: int,
    thresholds: Sequence[float],
    neighborhood: Neighborhood,
    progress: Progress | None = None,
) -> Calibration:
    """Fit what a forecaster's shares of rain mean, on all windows of some sequences.

    Args:
        sequences: of one time step, without gaps; held back in training. Without any window, shares are taken for
            probabilities.
        forecast: the forecaster.
        input_frames: frames that go in.
        leads: time steps ahead.
        thresholds: dBZ.
        neighborhood: how shares are made.
        progress: who is told how far it is.
    """
    windows = list_windows(sequences, input_frames + leads)
    minutes = lead_minutes(sequences, leads)
    empty = np.zeros((0, leads, len(thresholds), len(LEVELS)), np.int32)
    parts = [LevelCounts(empty, empty)]
    for case in cases(sequences, windows, input_frames, leads, progress, "calibrating probabilities"):
        given = forecast(case.inputs, leads, case.kilometers)
        parts.append(
            count_levels(given, case.observed, case.counts, thresholds, case.kilometers, minutes, neighborhood)
        )
    return fit(merge_levels(parts), thresholds, minutes, neighborhood)


def lead_minutes(sequences: Sequence[RadarSequence], leads: int) -> list[float]:
    """Give the minutes of each lead.

    Raises:
        DataError: sequences of different time steps.
    """
    step = common_step(sequences)
    return [(step * (lead + 1)).total_seconds() / 60 for lead in range(leads)]


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


def with_baselines(
    name: str, forecast: Forecaster | None, settings: EvaluationSettings | None = None
) -> dict[str, Forecaster]:
    """Put a model, if there is one, in front of the baselines.

    Args:
        name: the model's.
        forecast: the model.
        settings: say whether S-PROG is among the baselines; it is not if None.

    Raises:
        MissingExtraError: S-PROG is asked for, and pysteps is not installed.
    """
    found: dict[str, Forecaster] = {**({} if forecast is None else {name: forecast}), **BASELINES}
    if settings is not None and (settings.sprog == "on" or (settings.sprog == "auto" and has_pysteps())):
        found["sprog"] = make_sprog(settings.sprog_motion)
    return found


class Case(NamedTuple):
    """One start: what goes in and what came to be, T H W and K H W, and which pixels count, K H W.

    Attributes:
        inputs: T H W, dBZ.
        observed: K H W, dBZ.
        counts: K H W, bool.
        kilometers: size of a pixel.
    """

    inputs: np.ndarray
    observed: np.ndarray
    counts: np.ndarray
    kilometers: float

    def truth(self, axes: Axes) -> Truth:
        """Make what came to be ready for comparisons."""
        sides = [window_pixels(window, self.kilometers) for window in axes.windows_km]
        power = BandPower(self.kilometers, axes.bands_km) if axes.bands_km else None
        return Truth(self.observed, self.counts, axes.thresholds, sides, power)


def cases(
    sequences: Sequence[RadarSequence],
    windows: Sequence[Window],
    input_frames: int,
    leads: int,
    progress: Progress | None,
    title: str = "scoring forecasts",
) -> Iterator[Case]:
    """Give all starts, one after the other.

    Args:
        sequences: of one time step, without gaps.
        windows: the starts.
        input_frames: frames that go in.
        leads: time steps ahead.
        progress: who is told how far it is.
        title: what is done, for the progress.
    """
    progress = progress or NoProgress()
    progress.begin(title, len(windows))
    try:
        for done, window in enumerate(windows):
            sequence = sequences[window.sequence]
            now = window.start + input_frames
            inputs = sequence.dbz[window.start : now].astype(np.float32)
            observed = sequence.dbz[now : now + leads].astype(np.float32)
            counts = np.broadcast_to(~np.isnan(inputs).any(0), observed.shape)
            yield Case(inputs, observed, counts, sequence.grid.kilometers)
            progress.update(done + 1)
    finally:
        progress.end()


def _neighborhood(probable: Probable | None, model: str, thresholds: Sequence[float]) -> Neighborhood:
    assert probable is not None
    known = probable.usable(model, thresholds)
    return probable.neighborhood if known is None else known.neighborhood


def _probability_sums(
    levels: LevelCounts, events: Sequence[str], axes: Axes, known: Calibration | None, neighborhood: Neighborhood
) -> ProbabilitySums:
    """Turn counts into sums of scores, with a calibration that is known, or else with those of other starts."""
    said = np.empty(levels.pixels.shape)
    if known is not None:
        said[:] = _said(known, axes)
    else:
        for fold in folds(events, apart=len(axes.lead_minutes)):
            fitted = fit(levels, axes.thresholds, axes.lead_minutes, neighborhood, fold.fitted)
            said[fold.scored] = _said(fitted, axes)
    return probability_sums(levels, said)


def _said(calibration: Calibration, axes: Axes) -> np.ndarray:
    """Give what is said at each level, K Q L."""
    return probabilities(*calibration.at(axes.lead_minutes)).swapaxes(0, 1)
