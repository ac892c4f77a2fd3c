"""From the newest radar files to a geolocated forecast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.forecasting import forecaster
from semicoupled.tasks.nowcasting.model import NowcastingModel
from semicoupled.tasks.nowcasting.output import Forecast, write_netcdf
from semicoupled.tasks.nowcasting.pictures import write_animation
from semicoupled.tasks.nowcasting.sequences import RadarSequence, find_files, read_sequences
from semicoupled.tasks.nowcasting.settings import NowcastingSettings
from semicoupled.training.progress import NoProgress, Progress

NETCDF = (".nc", ".nc4", ".netcdf")


@dataclass(frozen=True)
class NowcastingPredictor:
    """Forecasts from files.

    Args:
        settings: of the run.
        model: trained, in eval mode.
        trained_step: seconds between frames in training, or None if that is not known.
        trained_kilometers: size of a pixel in training, or None.
    """

    settings: NowcastingSettings
    model: NowcastingModel
    trained_step: float | None = None
    trained_kilometers: float | None = None

    def predict(
        self,
        inputs: Sequence[Path],
        out: Path,
        progress: Progress | None = None,
        *,
        minutes: float | None = None,
    ) -> list[Path]:
        """Forecast from the newest frames, which must be without a gap.

        Args:
            inputs: files or folders; more frames than needed are fine.
            out: ``.nc`` for NetCDF, beside which goes a GIF if the settings say so, or ``.gif`` for the GIF alone.
            progress: who is told how far it is.
            minutes: how far ahead; as the settings say if None.

        Returns:
            The files that were written.

        Raises:
            DataError: too few frames, a gap among the newest, another time step than in training, or a suffix of
                `out` that says nothing.
        """
        kind = out.suffix.lower()
        if kind not in (*NETCDF, ".gif"):
            raise DataError(
                f"{out}: the forecast is written as NetCDF or GIF; expected a name that ends in .nc or .gif"
            )
        progress = progress or NoProgress()
        progress.begin("forecasting", 3)
        try:
            newest = self.newest(inputs)
            progress.update(1)
            forecast = self.forecast(newest, minutes)
            progress.update(2)
            written = [out]
            if kind == ".gif":
                write_animation(forecast, out)
            else:
                write_netcdf(forecast, out)
                if self.settings.predict.gif:
                    written.append(out.with_suffix(".gif"))
                    write_animation(forecast, written[1])
            progress.update(3)
        finally:
            progress.end()
        return written

    def newest(self, inputs: Sequence[Path]) -> RadarSequence:
        """Read the newest frames that a forecast needs.

        Raises:
            DataError: see `predict`.
        """
        needed = self.settings.data.input_frames
        files = sorted({file for path in inputs for file in find_files(path)})
        data = read_sequences(files, factor=self.settings.data.coarsen, on_error=self.settings.data.on_error)
        newest = max(data.sequences, key=lambda sequence: sequence.times[-1])
        if len(newest) < needed:
            before = [gap for gap in data.gaps if gap.after == newest.times[0]]
            why = f": {before[0]}" if before else f", and no more were given ({len(files)} files)"
            raise DataError(
                f"{newest.sources[-1]}: only {len(newest)} frames without a gap lead up to "
                f"{newest.times[-1]:%Y-%m-%d %H:%M} UTC{why}; expected {needed} frames {_minutes(newest)} minutes "
                "apart. Wait for the missing ones, or give older files"
            )
        self._check(newest)
        return newest.part(len(newest) - needed, len(newest))

    def forecast(self, newest: RadarSequence, minutes: float | None = None) -> Forecast:
        """Forecast from frames without a gap.

        Args:
            newest: the frames that go in.
            minutes: how far ahead, rounded up to whole time steps; as the settings say if None.
        """
        minutes = self.settings.predict.minutes if minutes is None else minutes
        leads = max(1, math.ceil(minutes * 60 / newest.step.total_seconds() - 1e-6))
        observed = newest.dbz.astype(np.float32)
        device = next(self.model.parameters()).device
        dbz = forecaster(self.model, device, self.settings.predict)(observed, leads, newest.grid.kilometers)
        name = f"{self.settings.model.kind}, form {self.settings.model.form}"
        return Forecast(dbz, newest.times[-1], newest.step, newest.grid, observed, name, newest.sources)

    def _check(self, newest: RadarSequence) -> None:
        """Refuse frames that are not what the network was trained on."""
        step, size = newest.step.total_seconds(), newest.grid.kilometers
        if self.trained_step is not None and abs(step / self.trained_step - 1) > 0.01:
            raise DataError(
                f"{newest.sources[-1]}: one frame every {step / 60:g} minutes; expected every "
                f"{self.trained_step / 60:g}, as in training. Train on files of this time step"
            )
        if self.trained_kilometers is not None and abs(size / self.trained_kilometers - 1) > 0.1:
            raise DataError(
                f"{newest.sources[-1]}: pixels of {size:.3g} km (coarsened by {self.settings.data.coarsen}); expected "
                f"{self.trained_kilometers:.3g} km, as in training. Train on files of this grid"
            )


def _minutes(sequence: RadarSequence) -> str:
    return f"{sequence.step.total_seconds() / 60:g}"
