"""What is counted of each forecaster on each set of fields, kept on disk.

Sums are kept and not scores, so that any two forecasters can be compared over the same draws of start times later on,
and the baselines need to be run once.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch

from semicoupled.errors import DataError
from semicoupled.settings_file import to_plain
from semicoupled.studies.answers import fingerprint_of, named_places, read_kept, write_kept
from semicoupled.task_parts import TaskModel, TaskSettings
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence, find_files, read_sequences
from semicoupled.tasks.nowcasting.files.windows import list_windows
from semicoupled.tasks.nowcasting.forecast.forecasting import forecaster
from semicoupled.tasks.nowcasting.model import NowcastingModel
from semicoupled.tasks.nowcasting.scores.evaluation import Forecaster, cases, lead_minutes, with_baselines
from semicoupled.tasks.nowcasting.scores.metrics import Counts, merge
from semicoupled.tasks.nowcasting.scores.scoring import Axes
from semicoupled.tasks.nowcasting.settings import NowcastingSettings
from semicoupled.training.progress import Progress


class Counted(NamedTuple):
    """What was counted on some fields.

    Attributes:
        counts: by forecaster's name.
        events: the event of each start.
        axes: what the counts are by.
    """

    counts: Mapping[str, Counts]
    events: Sequence[str]
    axes: Axes


class Fields:
    """Fields to score on; their files are read when they are first needed.

    Args:
        name: what rows call them.
        root: their folder or pattern; None for what a run holds back of its own data.
        settings: how they are read and scored.
    """

    def __init__(self, name: str, root: Path | None, settings: NowcastingSettings) -> None:
        self.name = name
        self._root = root
        self._settings = settings
        self._read: Sequence[RadarSequence] | None = None
        files = find_files(root if root is not None else Path(settings.data.root))
        asked = [
            to_plain(settings.data.reading),
            settings.data.validation if root is None else None,
            settings.data.input_frames,
            to_plain(settings.evaluation),
            [[file.name, file.parent.name, file.stat().st_size] for file in files],
        ]
        self.fingerprint = fingerprint_of(asked)
        """Of all that counts depend on beside the forecaster."""

    def sequences(self) -> Sequence[RadarSequence]:
        """Read the files, once."""
        from semicoupled.tasks.nowcasting.task import read_splits

        if self._read is None:
            data, leads = self._settings.data, self._settings.evaluation.leads
            if self._root is None:
                self._read = read_splits(self._settings).validation
            else:
                files = find_files(self._root)
                least = data.input_frames + leads
                self._read = read_sequences(files, self._root, reading=data.reading, at_least=least).sequences
        return self._read


def fields_of(settings: NowcastingSettings, others: Sequence[Path]) -> list[Fields]:
    """Give what is scored on: what is held back, and other places.

    Raises:
        SettingsError: two folders of one name.
    """
    return [Fields(name, root, settings) for name, root in named_places(others).items()]


def make_counts(
    folder: Path,
    fields: Fields,
    settings: TaskSettings,
    model: TaskModel | None,
    device: torch.device,
    progress: Progress | None = None,
) -> Counted:
    """Give what a forecaster makes of some fields; it is only run if that was not counted before.

    Args:
        folder: where counts are kept.
        fields: what to score on.
        settings: of the run.
        model: in eval mode; None for the baselines.
        device: where it lies.
        progress: who is told how far it is.
    """
    found = load_counts(folder, fields)
    if found is not None:
        return found
    chosen = cast(NowcastingSettings, settings)
    forecasters: Mapping[str, Forecaster]
    if model is None:
        forecasters = with_baselines("", None, chosen.evaluation)
    else:
        forecasters = {chosen.model.kind: forecaster(cast(NowcastingModel, model), device, chosen.predict)}
    counted = count_fields(fields.sequences(), forecasters, chosen, progress)
    _write(_file(folder, fields), counted, fields.fingerprint)
    return counted


def count_fields(
    sequences: Sequence[RadarSequence],
    forecasters: Mapping[str, Forecaster],
    settings: NowcastingSettings,
    progress: Progress | None = None,
) -> Counted:
    """Count what forecasters make of all windows of some sequences.

    Raises:
        DataError: no window fits, or sequences of different time steps.
    """
    asked, inputs = settings.evaluation, settings.data.input_frames
    windows = list_windows(sequences, inputs + asked.leads)
    if not windows:
        raise DataError(
            f"no sequence has {inputs} frames to forecast from and {asked.leads} to score. Add files, or hold back more"
        )
    axes = Axes(lead_minutes(sequences, asked.leads), asked.thresholds, asked.windows_km, asked.bands_km)
    parts: dict[str, list[Counts]] = {name: [] for name in forecasters}
    for case in cases(sequences, windows, inputs, asked.leads, progress):
        truth = case.truth(axes)
        for name, forecast in forecasters.items():
            parts[name].append(truth.count(forecast(case.inputs, asked.leads, case.kilometers)))
    events = [sequences[window.sequence].event for window in windows]
    return Counted({name: merge(counts) for name, counts in parts.items()}, events, axes)


def load_counts(folder: Path, fields: Fields) -> Counted | None:
    """Read what was counted; None if nothing was, or on other files, or with other settings."""
    return read_kept(_file(folder, fields), fields.fingerprint, _unpack)


def _unpack(held: Mapping[str, np.ndarray]) -> Counted:
    about = json.loads(str(held["about"]))
    names = [field.name for field in dataclasses.fields(Counts)]
    counts = {
        model: Counts(*(held[f"{index}/{name}"] for name in names)) for index, model in enumerate(about["models"])
    }
    return Counted(counts, about["events"], Axes(*about["axes"]))


def _file(folder: Path, fields: Fields) -> Path:
    return folder / f"counts-{fields.name}.npz"


def _write(file: Path, counted: Counted, fingerprint: str) -> None:
    about = {
        "fingerprint": fingerprint,
        "models": list(counted.counts),
        "events": list(counted.events),
        "axes": [list(axis) for axis in counted.axes],
    }
    arrays = {
        f"{index}/{field.name}": getattr(counts, field.name)
        for index, counts in enumerate(counted.counts.values())
        for field in dataclasses.fields(counts)
    }
    write_kept(file, {"about": np.array(json.dumps(about)), **arrays})
