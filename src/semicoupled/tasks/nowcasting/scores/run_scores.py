"""Scores of a trained run, and what its forecasts mean as probabilities, as its settings say."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

import torch

from semicoupled.description import Description, Json
from semicoupled.rows import Row
from semicoupled.task_parts import Splits, TaskModel
from semicoupled.tasks.nowcasting.data import NowcastingData
from semicoupled.tasks.nowcasting.extrapolation.baselines import advection
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence
from semicoupled.tasks.nowcasting.forecast.forecasting import forecaster
from semicoupled.tasks.nowcasting.model import NowcastingModel
from semicoupled.tasks.nowcasting.scores.evaluation import (
    Forecaster,
    Probable,
    calibrate,
    common_step,
    evaluate_sequences,
    with_baselines,
)
from semicoupled.tasks.nowcasting.scores.pictures import over_all
from semicoupled.tasks.nowcasting.scores.probability import Calibration, Neighborhood
from semicoupled.tasks.nowcasting.settings import NowcastingSettings
from semicoupled.training.progress import Progress

log = logging.getLogger(__name__)


def score_run(
    settings: NowcastingSettings,
    sequences: Sequence[RadarSequence],
    model: NowcastingModel | None,
    device: torch.device,
    description: Description,
    *,
    stride: int = 1,
    progress: Progress | None = None,
) -> list[Row]:
    """Score a run's model beside the baselines, as its settings say.

    Args:
        settings: of the run.
        sequences: what to score on.
        model: in eval mode; None scores the baselines alone.
        device: where the model lies.
        description: of the run; its calibrations are used where they were not fitted on these sequences.
        stride: frames from one start to the next.
        progress: who is told how far it is.
    """
    known = {} if was_calibrated_on(description, sequences) else read_calibrations(description)
    known = {name: one for name, one in known.items() if one.thresholds == tuple(settings.evaluation.thresholds)}
    if settings.evaluation.probabilities:
        how = "on the run's validation split" if known else "on the scored data, each part on the others"
        log.info("probabilities are calibrated %s", how)
    forecast = None if model is None else forecaster(model, device, settings.predict)
    return evaluate_sequences(
        sequences,
        with_baselines(settings.model.kind, forecast, settings.evaluation),
        input_frames=settings.data.input_frames,
        leads=settings.evaluation.leads,
        thresholds=settings.evaluation.thresholds,
        windows_km=settings.evaluation.windows_km,
        bands_km=settings.evaluation.bands_km,
        ours=settings.model.kind,
        probable=probable(settings, known),
        stride=stride,
        progress=progress,
    )


def probable(settings: NowcastingSettings, known: Mapping[str, Calibration]) -> Probable | None:
    """Say whose probabilities are scored: those of the model and of advection.

    Args:
        settings: of the run.
        known: calibrations, by name of `CALIBRATIONS`; the others are fitted on the scored data, each event on others.
    """
    if not settings.evaluation.probabilities:
        return None
    return Probable({settings.model.kind: known.get("calibration"), "advection": known.get("calibration_advection")})


def read_calibrations(description: Description) -> dict[str, Calibration]:
    """Read the calibrations that a run's description holds, by their names."""
    return {name: Calibration.from_json(description[name]) for name in CALIBRATIONS if name in description}


def was_calibrated_on(description: Description, sequences: Sequence[RadarSequence]) -> bool:
    """Whether any of these sequences lies in the time of the run's validation split."""
    held = cast("Sequence[Mapping[str, str]]", description.get("validation", ()))
    spans = [(datetime.fromisoformat(one["from"]), datetime.fromisoformat(one["to"])) for one in held]
    return any(
        sequence.times[0] <= last and first <= sequence.times[-1] for sequence in sequences for first, last in spans
    )


def _calibrate(settings: NowcastingSettings, forecast: Forecaster, splits: Splits, progress: Progress) -> Json:
    """Calibrate probabilities on the validation split, as far ahead as forecasts go and half of a sequence lasts."""
    sequences = cast(NowcastingData, splits.validation).sequences
    inputs, evaluated = settings.data.input_frames, settings.evaluation.leads
    wanted = math.ceil(settings.predict.minutes * 60 / common_step(sequences).total_seconds() - 1e-6)
    longest = max(len(sequence) for sequence in sequences)
    leads = max(evaluated, min(wanted, longest // 2 - inputs))
    return calibrate(
        sequences,
        forecast,
        input_frames=inputs,
        leads=leads,
        thresholds=settings.evaluation.thresholds,
        neighborhood=Neighborhood(),
        progress=progress,
    ).to_json()


def calibrate_model(settings: NowcastingSettings, model: TaskModel, splits: Splits, progress: Progress) -> Json:
    """See `Task.extras`: what the model's forecasts mean as probabilities."""
    network = cast(NowcastingModel, model)
    device = next(network.parameters()).device
    return _calibrate(settings, forecaster(network, device, settings.predict), splits, progress)


def calibrate_advection(settings: NowcastingSettings, model: TaskModel, splits: Splits, progress: Progress) -> Json:
    """See `Task.extras`: the same for advection, so that both can be compared."""
    del model
    return _calibrate(settings, advection, splits, progress)


CALIBRATIONS = {"calibration": calibrate_model, "calibration_advection": calibrate_advection}


def headline(rows: Sequence[Row]) -> Sequence[Row]:
    """See `Task.headline`: the scores over all leads and events that say most."""
    pooled = over_all(rows, "mse", "csi", "frequency_bias", "spectrum_ratio", "maximum_ratio", "brier")
    return pooled + [
        row
        for row in rows
        if row.metric in ("mse_difference", "csi_difference", "brier_skill")
        and not {"lead_minutes", "event"} & set(row.condition)
    ]
