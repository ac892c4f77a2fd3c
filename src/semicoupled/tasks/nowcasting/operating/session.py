"""Nowcasting frame by frame: `state = update(state, frame)`, `forecast(state, n)`.

The state is explicit: the newest frames on the network's grid, twice as many as go in, so that a late one can fill its
hole. Nothing is hidden in the session, which can serve any number of places at once. `state_store` keeps a state on
disk::

    run = semicoupled.load("runs/rain")
    session = task.session(run.settings, run.description, run.model)
    state = None
    for path in files:
        for frame in read_frames(path):
            state = session.update(state, frame)
    forecast = session.forecast(state, 12)                # a `Forecast`: K H W dBZ with its times and places
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.files.coarsen import coarsen, factor_for
from semicoupled.tasks.nowcasting.files.frame import RadarFrame
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence
from semicoupled.tasks.nowcasting.forecast.forecasting import forecast_fields
from semicoupled.tasks.nowcasting.forecast.share import why_no_share
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.model import NowcastingModel
from semicoupled.tasks.nowcasting.operating.output import Exceedance, Forecast
from semicoupled.tasks.nowcasting.scores.probability import Calibration, exceedance
from semicoupled.tasks.nowcasting.settings import NowcastingSettings

log = logging.getLogger(__name__)

_ON_TIME = 0.2
_SAME_STEP = 0.01
_SIMILAR_STEP = 0.25
_SAME_SIZE = 0.1
_USUAL_STEP = timedelta(minutes=5)


@dataclass(frozen=True, eq=False)
class NowcastState:
    """The newest frames, in order of time.

    Args:
        times: valid times, UTC, rising.
        dbz: H W each, float16, on the network's grid; dBZ from 0 to 60, NaN = missing.
        sources: the file of each frame.
        grid: the network's.
        step: time from one frame to the next.
        product: the product's name in the files.
    """

    times: tuple[datetime, ...]
    dbz: tuple[np.ndarray, ...]
    sources: tuple[Path, ...]
    grid: Grid
    step: timedelta
    product: str

    def at(self, time: datetime) -> int | None:
        """Give the index of the frame of a time, or None."""
        nearest = min(range(len(self.times)), key=lambda index: abs(self.times[index] - time))
        return nearest if abs(self.times[nearest] - time) <= _ON_TIME * self.step else None


class NowcastSession:
    """Makes forecasts from frames as they come."""

    def __init__(
        self,
        settings: NowcastingSettings,
        model: NowcastingModel,
        *,
        trained_step: float | None = None,
        trained_kilometers: float | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        """Take a run.

        Args:
            settings: of the run.
            model: trained, in eval mode.
            trained_step: seconds between frames in training, or None if that is not known.
            trained_kilometers: size of a pixel in training, or None.
            calibration: of the run, from which follows how likely thresholds are exceeded; None for none.
        """
        self.settings, self.model = settings, model
        self._trained_step, self._trained_kilometers = trained_step, trained_kilometers
        self._calibration = calibration
        self._why_no_share = why_no_share(settings.model, settings.goals)
        if self._why_no_share and settings.predict.temporal_share:
            log.info("the forecast has no layer temporal_share: %s", self._why_no_share)

    @property
    def missing_layers(self) -> dict[str, str]:
        """What forecasts do not have, and why: ``share``, ``exceedance``."""
        why: dict[str, str] = {}
        if not self.settings.predict.temporal_share:
            why["share"] = "the share of time is not asked for (predict.temporal_share is false)"
        elif self._why_no_share:
            why["share"] = f"the share of time is not known: {self._why_no_share}"
        if self._calibration is None:
            why["exceedance"] = "probabilities are not known: the run was not calibrated"
        return why

    @property
    def known(self) -> dict[str, Any]:
        """What the session was made with beside settings and model, to make the same one in another process."""
        return {
            "trained_step": self._trained_step,
            "trained_kilometers": self._trained_kilometers,
            "calibration": self._calibration,
        }

    @property
    def fingerprint(self) -> str:
        """What tells this run from others: a hash of its weights and of how many frames go in."""
        digest = hashlib.sha256(str(self.settings.data.input_frames).encode())
        for name, tensor in sorted(self.model.state_dict().items()):
            digest.update(f"{name} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().float().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def update(self, state: NowcastState | None, frame: RadarFrame) -> NowcastState:
        """Take in a frame; the order does not matter.

        A frame of a time that is there already changes nothing, nor does one that is older than all that is kept.

        Args:
            state: what came before, or None.
            frame: the new one.

        Raises:
            DataError: it is of another product or lies on another grid than those before, or its pixels are of another
                size than in training.
        """
        data = self.settings.data
        factor = factor_for(frame.grid, data.kilometers, str(frame.source))
        dbz = coarsen(frame.dbz(data.z_r), factor, data.z_r).astype(np.float16)
        grid = frame.grid.coarsened(factor)
        self._check_size(grid, frame.source)
        if state is None:
            return NowcastState((frame.valid,), (dbz,), (frame.source,), grid, self._first_step(frame), frame.product)
        again = "Watch one product a folder, and begin with a new state where the product has changed"
        if frame.product != state.product:
            raise DataError(
                f"{frame.source}: is of {frame.product!r}; expected {state.product!r}, as in {state.sources[-1]}. "
                f"{again}"
            )
        if not grid.agrees_with(state.grid):
            raise DataError(
                f"{frame.source}: its grid is {grid}; expected {state.grid}, as in {state.sources[-1]}. {again}"
            )
        if frame.valid in state.times:
            log.info("%s: a frame of %s is there already; left out", frame.source, _clock(frame.valid))
            return state
        entries = sorted(
            [*zip(state.times, state.dbz, state.sources, strict=True), (frame.valid, dbz, frame.source)],
            key=lambda entry: entry[0],
        )
        step = self._step([time for time, _, _ in entries]) or state.step
        oldest = entries[-1][0] - (2 * self.settings.data.input_frames - 1 + _ON_TIME) * step
        times, fields, sources = zip(*(entry for entry in entries if entry[0] >= oldest), strict=True)
        return NowcastState(times, fields, sources, state.grid, step, state.product)

    def start(self, sequences: Sequence[RadarSequence]) -> NowcastState:
        """Make a state of sequences of one place, already on the network's grid.

        Raises:
            DataError: see `update`.
        """
        last = max(sequences, key=lambda sequence: sequence.times[-1])
        self._check_size(last.grid, last.sources[-1])
        entries = [
            (time, np.asarray(dbz, np.float16), source)
            for sequence in sorted(sequences, key=lambda sequence: sequence.times[0])
            if sequence.grid.agrees_with(last.grid)
            for time, dbz, source in zip(sequence.times, sequence.dbz, sequence.sources, strict=True)
        ][-2 * self.settings.data.input_frames :]
        times, fields, sources = zip(*entries, strict=True)
        step = self._step(times) or last.step
        return NowcastState(times, fields, sources, last.grid, step, last.product)

    def missing(self, state: NowcastState, at: datetime | None = None) -> list[datetime]:
        """List the times of frames that a forecast needs and that are not there.

        Args:
            state: what is there.
            at: the time to forecast from; the newest if None.
        """
        newest = state.times[-1] if at is None else at
        wanted = [newest - back * state.step for back in range(self.settings.data.input_frames - 1, -1, -1)]
        return [time for time in wanted if state.at(time) is None]

    def forecast(
        self,
        state: NowcastState,
        steps: int | None = None,
        *,
        at: datetime | None = None,
        allow_missing: int = 0,
    ) -> Forecast:
        """Forecast.

        Args:
            state: what is there.
            steps: time steps ahead; as the settings say (predict.minutes) if None.
            at: the time to forecast from; the newest frame's if None.
            allow_missing: frames that may be missing; they go in as missing pixels.

        Raises:
            DataError: frames are missing, or lie farther apart than in training.
        """
        newest = state.times[-1] if at is None else at
        notes = self._check_step(state)
        lacking = self.missing(state, newest)
        if newest in lacking or len(lacking) > allow_missing:
            raise DataError(self._lacking(state, newest, lacking))
        if lacking:
            note = f"the frames of {', '.join(map(_clock, lacking))} were missing, and went in as missing pixels"
            log.warning("%s: %s", _clock(newest), note)
            notes.append(note)
        frames, sources = self._window(state, newest)
        leads = self.steps_for(self.settings.predict.minutes, state.step) if steps is None else steps
        kilometers = state.grid.kilometers
        fields = forecast_fields(
            self.model,
            next(self.model.parameters()).device,
            self.settings.predict,
            frames,
            leads,
            kilometers,
            with_share="share" not in self.missing_layers,
        )
        return Forecast(
            dbz=fields.dbz,
            reference=newest,
            step=state.step,
            grid=state.grid,
            observed=frames,
            model=f"{self.settings.model.kind}, form {self.settings.model.form}",
            sources=sources,
            share=fields.share,
            exceedance=self._exceedance(fields.dbz, kilometers, state.step),
            notes=tuple(notes),
            z_r=self.settings.data.z_r,
        )

    @staticmethod
    def steps_for(minutes: float, step: timedelta) -> int:
        """Give the time steps that so many minutes are, rounded up."""
        return max(1, int(np.ceil(minutes * 60 / step.total_seconds() - 1e-6)))

    def _exceedance(self, dbz: np.ndarray, kilometers: float, step: timedelta) -> Exceedance | None:
        if self._calibration is None:
            return None
        probability = exceedance(dbz, self._calibration, kilometers, step.total_seconds() / 60)
        return Exceedance(self._calibration.thresholds, probability)

    def _window(self, state: NowcastState, newest: datetime) -> tuple[np.ndarray, list[Path]]:
        frames = np.full((self.settings.data.input_frames, *state.grid.shape), np.nan, np.float32)
        sources: list[Path] = []
        for index in range(len(frames)):
            found = state.at(newest - (len(frames) - 1 - index) * state.step)
            if found is not None:
                frames[index] = state.dbz[found]
                sources.append(state.sources[found])
        return frames, sources

    def _lacking(self, state: NowcastState, newest: datetime, lacking: Sequence[datetime]) -> str:
        needed = self.settings.data.input_frames
        source = state.sources[-1] if state.at(newest) is None else state.sources[state.at(newest) or 0]
        return (
            f"{source}: a forecast from {_clock(newest)} UTC needs {needed} frames {_minutes(state.step)} minutes "
            f"apart, and {len(lacking)} of them {'is' if len(lacking) == 1 else 'are'} missing: "
            f"{', '.join(map(_clock, lacking))}. Wait for the missing ones, give older files, or allow some to be "
            "missing with --allow-missing N"
        )

    def _first_step(self, frame: RadarFrame) -> timedelta:
        if self.settings.data.step_minutes is not None:
            return timedelta(minutes=self.settings.data.step_minutes)
        if self._trained_step is not None:
            return timedelta(seconds=self._trained_step)
        return frame.interval or _USUAL_STEP

    def _step(self, times: Sequence[datetime]) -> timedelta | None:
        """Give the most frequent time between frames, if possible one like in training; None for a single frame."""
        if self.settings.data.step_minutes is not None:
            return timedelta(minutes=self.settings.data.step_minutes)
        counts = Counter(two - one for one, two in pairwise(times))
        if self._trained_step is not None:
            like = [gap for gap in counts if abs(gap.total_seconds() / self._trained_step - 1) <= _SIMILAR_STEP]
            counts = Counter({gap: counts[gap] for gap in like}) or counts
        return min(counts, key=lambda gap: (-counts[gap], gap), default=None)

    def _check_size(self, grid: Grid, source: Path) -> None:
        trained = self._trained_kilometers
        if trained is not None and abs(grid.kilometers / trained - 1) > _SAME_SIZE:
            raise DataError(
                f"{source}: pixels of {grid.kilometers:.3g} km; expected {trained:.3g} km, as in training. Train on "
                "files of this grid, or with data.kilometers"
            )

    def _check_step(self, state: NowcastState) -> list[str]:
        """Refuse frames too far apart, and say where they are not quite as in training."""
        trained, step = self._trained_step, state.step.total_seconds()
        if trained is None or len(state.times) < 2 or abs(step / trained - 1) <= _SAME_STEP:
            return []
        told = f"one frame every {step / 60:g} minutes; expected every {trained / 60:g}, as in training"
        if abs(step / trained - 1) > _SIMILAR_STEP:
            raise DataError(
                f"{state.sources[-1]}: {told}, or up to {_SIMILAR_STEP:.0%} more or less. Train on files of this time "
                "step, or give the files between"
            )
        log.warning("%s: %s. The forecast steps on in the files' steps", state.sources[-1], told)
        return [f"one frame every {step / 60:g} minutes, where the network was trained on every {trained / 60:g}"]


def _clock(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"


def _minutes(step: timedelta) -> str:
    return f"{step.total_seconds() / 60:g}"
