"""Nowcasting as a task: from folders of radar files to trained, scored and geolocated forecasts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import nn
from torch.utils.data import default_collate

from semicoupled.description import Description
from semicoupled.errors import SettingsError
from semicoupled.report import Picture, Section
from semicoupled.rows import Row
from semicoupled.steps import Steps
from semicoupled.task import Task
from semicoupled.task_parts import Splits, TaskModel, TaskOutput
from semicoupled.task_requests import EvaluateRequest
from semicoupled.tasks.nowcasting.data import NowcastingBatch, NowcastingData, Sampling
from semicoupled.tasks.nowcasting.files.check import check
from semicoupled.tasks.nowcasting.files.describe import describe
from semicoupled.tasks.nowcasting.files.held_back import held_back, left_to_learn
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence, find_files, read_sequences
from semicoupled.tasks.nowcasting.files.windows import list_windows, split_by_time, wettest
from semicoupled.tasks.nowcasting.goals import make_goals, mean_square
from semicoupled.tasks.nowcasting.model import NowcastingModel, build_model
from semicoupled.tasks.nowcasting.operating.movie import animation
from semicoupled.tasks.nowcasting.operating.pictures import forecast_panels
from semicoupled.tasks.nowcasting.operating.predictor import NowcastingPredictor
from semicoupled.tasks.nowcasting.operating.session import NowcastSession
from semicoupled.tasks.nowcasting.scores.evaluation import common_step
from semicoupled.tasks.nowcasting.scores.run_scores import CALIBRATIONS, headline, read_calibrations, score_run
from semicoupled.tasks.nowcasting.scores.sections import score_sections
from semicoupled.tasks.nowcasting.settings import NowcastingSettings
from semicoupled.tasks.nowcasting.steps import make_steps
from semicoupled.tasks.nowcasting.units import HIGHEST_DBZ
from semicoupled.training.ltsc import Segment
from semicoupled.training.objective import Losses
from semicoupled.training.progress import Progress
from semicoupled.training.sampling import SampleKey

VALIDATION_CROPS = 64
REPORT_STARTS = 12


class RadarSplits(NamedTuple):
    """Sequences to learn from, and those held back.

    Attributes:
        train: to learn from.
        validation: held back.
    """

    train: Sequence[RadarSequence]
    validation: Sequence[RadarSequence]


def read_splits(settings: NowcastingSettings) -> RadarSplits:
    """Read the run's files and hold some back: whole events if they are named, else the last fifth of the time.

    Raises:
        SettingsError: no root.
        DataError: files that cannot be used, or nothing left on one side.
    """
    data = settings.data
    if not data.root:
        raise SettingsError("data.root: expected the folder of the radar files, got nothing. Give --data.root DIR")
    root = Path(data.root)
    files = find_files(root)
    window = data.input_frames + max(data.output_frames, settings.evaluation.leads)
    if data.validation is None:
        sequences = read_sequences(files, root, reading=data.reading, at_least=window).sequences
        return RadarSplits(*split_by_time(sequences, window))
    held = held_back(files, root, data.validation)
    train, validation = (
        read_sequences(chosen, root, reading=data.reading, at_least=window).sequences
        for chosen in ([file for file in files if file not in held], sorted(held))
    )
    return RadarSplits(left_to_learn(train, validation, window, root, data.validation), validation)


def splits(settings: NowcastingSettings) -> Splits:
    """See `Task.splits`."""
    found = read_splits(settings)
    everything = [*found.train, *found.validation]
    data = settings.data

    def dataset(sequences: Sequence[RadarSequence], *, training: bool) -> NowcastingData:
        return NowcastingData(
            sequences,
            input_frames=data.input_frames,
            output_frames=data.output_frames,
            crop=data.crop,
            candidates=data.candidates,
            dim=data.dim,
            least_wet=data.least_wet,
            sampling=Sampling(data.teaching if training else 0.0, data.teaching_samples),
            seed=settings.seed,
        )

    description = {
        "quantity": "dBZ, clipped to 0 to 60, dry = 0, NaN = missing",
        "step_seconds": common_step(everything).total_seconds(),
        "kilometers": float(np.mean([sequence.grid.kilometers for sequence in everything])),
        "train": [_describe(sequence) for sequence in found.train],
        "validation": [_describe(sequence) for sequence in found.validation],
    }
    return Splits(dataset(found.train, training=True), dataset(found.validation, training=False), description)


def build(settings: NowcastingSettings, description: Description) -> TaskModel:
    """See `Task.build`."""
    del description
    model = build_model(settings.model, settings.data.output_frames)
    return cast(TaskModel, model.to(memory_format=torch.channels_last))  # pyright: ignore[reportCallIssue]


def goals(settings: NowcastingSettings) -> Callable[[TaskOutput, NowcastingBatch], Losses]:
    """See `Task.goals`."""
    return make_goals(settings.loss, settings.model.form)


def cut(batch: NowcastingBatch, segment: Segment) -> NowcastingBatch:
    """Refuse: windows are short, and the settings do not let them be cut.

    Raises:
        SettingsError: always.
    """
    raise SettingsError(f"nowcasting windows are trained whole; got a segment {segment}. Leave segments.length out")


def validate(settings: NowcastingSettings, model: TaskModel, splits: Splits, progress: Progress) -> Mapping[str, float]:
    """Give the main goal's loss on some crops of the validation split, and squared errors beside persistence's."""
    data = cast(NowcastingData, splits.validation)
    device = next(cast(nn.Module, model).parameters()).device
    indices = np.unique(np.linspace(0, len(data) - 1, min(VALIDATION_CROPS, len(data))).astype(int))
    losses = make_goals(settings.loss, settings.model.form)
    found: list[tuple[float, float, float]] = []
    progress.begin("validating", len(indices))
    try:
        for done, index in enumerate(indices):
            sample = default_collate([data[SampleKey(int(index))]])
            batch = NowcastingBatch(*(tensor.to(device) for tensor in sample))
            output = model(batch)
            last = torch.where(output.main.isnan(), torch.nan, batch.frames[:, -1:])
            ours, persistence = (
                HIGHEST_DBZ**2 * float(mean_square(images - batch.future)) for images in (output.main, last)
            )
            found.append((float(losses(output, batch).main), ours, persistence))
            progress.update(done + 1)
    finally:
        progress.end()
    loss, ours, persistence = (float(mean) for mean in np.mean(found, axis=0))
    return {"score": -loss, "mse": ours, "mse_persistence": persistence}


def evaluate(request: EvaluateRequest[NowcastingSettings]) -> Sequence[Row]:
    """See `Task.evaluate`; splits are ``validation``, ``train`` and ``all``.

    Raises:
        SettingsError: no such split, or none of these data.
    """
    settings = request.settings
    request.check_split(("validation", "train", "all"), elsewhere=("all",))
    if request.root is not None:
        data = settings.data
        at_least = data.input_frames + settings.evaluation.leads
        files = find_files(request.root)
        sequences = read_sequences(files, request.root, reading=data.reading, at_least=at_least).sequences
    else:
        found = read_splits(settings)
        chosen = {"train": found.train, "validation": found.validation, "all": [*found.train, *found.validation]}
        sequences = chosen[request.split]
    model = None if request.model is None else cast(NowcastingModel, request.model)
    return score_run(settings, sequences, model, request.device, request.description, progress=request.progress)


def predictor(settings: NowcastingSettings, description: Description, model: TaskModel) -> NowcastingPredictor:
    """See `Task.predictor`."""
    return NowcastingPredictor(session(settings, description, cast(NowcastingModel, model)))


def session(settings: NowcastingSettings, description: Description, model: NowcastingModel) -> NowcastSession:
    """Give what makes forecasts frame by frame.

    Args:
        settings: of the run.
        description: of its training data, with the run's ``calibration``, if it has one.
        model: trained, in eval mode.
    """
    step, size = description.get("step_seconds"), description.get("kilometers")
    return NowcastSession(
        settings,
        model,
        trained_step=float(step) if isinstance(step, (int, float)) else None,
        trained_kilometers=float(size) if isinstance(size, (int, float)) else None,
        calibration=read_calibrations(description).get("calibration"),
    )


def steps(settings: NowcastingSettings, description: Description, model: TaskModel) -> Steps:
    """See `Task.steps`: `encode` reads an image, `decode` writes one, and `follow` goes along the motion."""
    about = {name: description[name] for name in ("step_seconds", "kilometers") if name in description}
    return make_steps(cast(NowcastingModel, model), (settings.data.crop, settings.data.crop), about)


def draw(settings: NowcastingSettings, model: TaskModel, splits: Splits, folder: Path) -> Sequence[Section]:
    """See `Task.draw`: a forecast beside what came, and scores by lead on the validation split."""
    del folder
    sequences = cast(NowcastingData, splits.validation).sequences
    inputs, leads = settings.data.input_frames, settings.evaluation.leads
    network = cast(NowcastingModel, model)
    device = next(network.parameters()).device
    windows = list_windows(sequences, inputs + leads)
    if not windows:
        return ()
    chosen = wettest(sequences, windows, inputs)
    sequence = sequences[chosen.sequence]
    now = chosen.start + inputs
    drawn = NowcastSession(settings, network)
    forecast = drawn.forecast(drawn.start([sequence.part(chosen.start, now)]), leads)
    truth = sequence.dbz[now : now + leads].astype(np.float32)
    rows = score_run(settings, sequences, network, device, {}, stride=max(1, len(windows) // REPORT_STARTS))
    return [
        Section(
            "A forecast",
            f"The wettest moment of the validation data, on a grid of {sequence.grid}. Gray is missing.",
            [
                Picture(forecast_panels(forecast, truth), "Forecast above, what came below"),
                Picture(animation(forecast), "Observed, then forecast"),
            ],
        ),
        *score_sections(rows, settings.evaluation),
    ]


def _describe(sequence: RadarSequence) -> dict[str, str | int | float | None]:
    there = sequence.dbz[~np.isnan(sequence.dbz)]
    return {
        "event": sequence.event,
        "product": sequence.product,
        "from": sequence.times[0].isoformat(),
        "to": sequence.times[-1].isoformat(),
        "frames": len(sequence),
        "grid": str(sequence.grid),
        "wet_share": float(np.mean(there > 7)) if there.size else None,  # NaN is no JSON, and equals nothing
    }


TASK = Task(
    name="nowcasting",
    summary="Forecast radar images of rain: the next half hour or more from the last five images.",
    settings=NowcastingSettings,
    splits=splits,
    build=build,
    goals=goals,
    cut=cut,
    validate=validate,
    evaluate=evaluate,
    predictor=predictor,
    steps=steps,
    draw=draw,
    check=check,
    describe=describe,
    extras=CALIBRATIONS,
    headline=headline,
)
