"""From the newest radar files to a geolocated forecast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from semicoupled.errors import StaleDataError
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence, find_files, read_sequences
from semicoupled.tasks.nowcasting.operating.each_time import forecast_each
from semicoupled.tasks.nowcasting.operating.session import NowcastSession, NowcastState
from semicoupled.tasks.nowcasting.operating.watch import Watch
from semicoupled.tasks.nowcasting.operating.watch_memory import stale_sentence
from semicoupled.tasks.nowcasting.operating.writers import GIF, NETCDF, Target, find_targets, write_targets
from semicoupled.tasks.nowcasting.settings import PredictOptions
from semicoupled.training.progress import NoProgress


@dataclass(frozen=True)
class NowcastingPredictor:
    """Forecasts from files.

    Args:
        session: makes them, from frames.
    """

    session: NowcastSession

    def predict(self, request: PredictRequest) -> Iterator[Path]:
        """Forecast from the newest frames, once or, watching a folder, again and again; or from every time there is.

        Args:
            request: inputs are files, folders or patterns such as ``radar/*2021*.h5``; more frames than needed are
                fine. Outputs as in `writers`. Options are `PredictOptions`.

        Returns:
            The files that were written.

        Raises:
            DataError: frames are missing, lie on another grid or farther apart than in training, or an output says no
                format or cannot be written.
            RunError: an output that this run does not have.
            StaleDataError: the newest frame is older than asked; the forecast was written.
        """
        options = request.options if isinstance(request.options, PredictOptions) else PredictOptions()
        targets = self._targets(request.out)
        if options.watch is not None:
            yield from Watch(self.session, targets, options, request.stopped).run()
            return
        if options.each_time:
            yield from forecast_each(self.session, targets, request, options)
            return
        progress = request.progress or NoProgress()
        progress.begin("forecasting", 2 + len(targets))
        try:
            state = self.read(request.inputs)
            progress.update(1)
            steps = None if options.lead is None else self.session.steps_for(options.lead, state.step)
            forecast = self.session.forecast(state, steps, allow_missing=options.allow_missing)
            progress.update(2)
            for done, path in enumerate(write_targets(forecast, targets)):
                progress.update(3 + done)
                yield path
        finally:
            progress.end()
        check_age(state.times[-1], options.max_age, datetime.now(UTC))

    def read(self, inputs: Sequence[Path]) -> NowcastState:
        """Read the newest frames: those of the newest folder, and what lies before them in other folders of the place.

        Raises:
            DataError: see `predict`.
        """
        data = self.session.settings.data
        files = sorted({file for path in inputs for file in find_files(path)})
        sequences = read_sequences(files, reading=data.reading).sequences
        newest = max(sequences, key=lambda sequence: sequence.times[-1])
        own = [sequence for sequence in sequences if sequence.event == newest.event]
        first = min(sequence.times[0] for sequence in own)
        before = [sequence for sequence in sequences if sequence.times[-1] < first and _is_same_place(sequence, newest)]
        return self.session.start([*before, *own])

    def _targets(self, outs: Sequence[Path]) -> list[Target]:
        targets = find_targets(outs, self.session.missing_layers)
        if len(targets) == 1 and targets[0].writer is NETCDF and self.session.settings.predict.gif:
            targets.append(Target(targets[0].pattern.with_suffix(".gif"), GIF))
        return targets


def _is_same_place(one: RadarSequence, other: RadarSequence) -> bool:
    """Whether one may go on in the other, as where each day has a folder; without a place on the globe nobody knows."""
    return one.product == other.product and not one.grid.local and one.grid.agrees_with(other.grid)


def check_age(newest: datetime, minutes: float | None, now: datetime) -> None:
    """Refuse a newest frame that is older than asked.

    Args:
        newest: its valid time.
        minutes: how old it may be; None for any age.
        now: the time.

    Raises:
        StaleDataError: it is older.
    """
    if minutes is not None and now - newest > timedelta(minutes=minutes):
        raise StaleDataError(stale_sentence(newest, minutes, now))
