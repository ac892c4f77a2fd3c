"""From what was counted to rows: every run, the baselines once, and differences over the same draws of start times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from semicoupled.errors import DataError
from semicoupled.rows import Condition, Row
from semicoupled.studies.answers import VALIDATION
from semicoupled.studies.rows import Compared, by_variant, compared, difference_rows
from semicoupled.studies.training import Trained, took_rows
from semicoupled.studies.trials import Trial
from semicoupled.tasks.nowcasting.scores.metrics import Counts
from semicoupled.tasks.nowcasting.scores.scopes import scopes
from semicoupled.tasks.nowcasting.scores.scoring import UNITS, score_rows
from semicoupled.tasks.nowcasting.study.counts import Counted, Fields, load_counts
from semicoupled.tasks.nowcasting.study.variants import PAIRS

AGAINST = ("advection", "advection_blur")
COMPARED = ("mse", "csi")
"""Scores whose differences have rows."""


def study_rows(
    trials: Sequence[Trial], trained: Mapping[Path, Trained], fields: Sequence[Fields], baselines: Path
) -> list[Row]:
    """Make the rows of a study.

    Args:
        trials: all of them, done.
        trained: what each training took, by run folder.
        fields: what was scored on.
        baselines: the folder that holds what was counted of the baselines.

    Raises:
        DataError: a trial was scored on other starts than the baselines.
    """
    rows: list[Row] = []
    for trial in trials:
        model = next(iter(_counted(trial.path, fields[0]).counts))
        rows += took_rows(trial, model, trained[trial.path])
    for field in fields:
        of_baselines = _counted(baselines, field)
        runs = [(trial, _counted(trial.path, field)) for trial in trials]
        for trial, counted in runs:
            if list(counted.events) != list(of_baselines.events) or counted.axes != of_baselines.axes:
                raise DataError(
                    f"{trial.path}: was scored on other starts of {field.name} than the baselines in {baselines}. "
                    f"Delete both files counts-{field.name}.npz; they are then made anew"
                )
            rows += scores(counted, {"data": field.name, "variant": trial.variant.name, "seed": trial.seed})
        rows += scores(of_baselines, {"data": field.name})
        rows += differences(of_baselines, runs, field.name)
    return rows


def scores(counted: Counted, about: Mapping[str, Condition]) -> list[Row]:
    """Give the pooled scores of some forecasters, by lead and event, with conditions of their own in front."""
    return [
        replace(row, condition={**about, **row.condition})
        for row in score_rows(counted.counts, counted.events, counted.axes)
        if "pooling" not in row.condition
    ]


def differences(baselines: Counted, runs: Sequence[tuple[Trial, Counted]], data: str) -> Iterator[Row]:
    """Compare means over seeds: `PAIRS` of variants, and every variant with advection and blurred advection.

    The interval holds 90 % of a bootstrap over start times, the same draws for both; it says nothing about seeds, whose
    lowest and highest difference (seed by seed) have rows of their own: ``mse_difference_lowest`` and ``_highest``.
    """
    counts_of = by_variant((trial, next(iter(counted.counts.values()))) for trial, counted in runs)
    models = {trial.variant.name: next(iter(counted.counts)) for trial, counted in runs}
    pairs = [
        Compared(ours, baseline, [(mine, baselines.counts[baseline]) for _, mine in own])
        for ours, own in counts_of.items()
        for baseline in AGAINST
    ]
    pairs += compared(PAIRS, counts_of)
    for scope in scopes(baselines.events, baselines.axes.lead_minutes):
        if isinstance(scope.leads, int):
            continue
        scored: dict[int, Mapping[str, np.ndarray]] = {}

        def of(
            counts: Counts,
            scored: dict[int, Mapping[str, np.ndarray]] = scored,
            leads: slice = scope.leads,
            weights: np.ndarray = scope.weights,
        ) -> Mapping[str, np.ndarray]:
            if id(counts) not in scored:
                scored[id(counts)] = counts.pooled(leads, weights).scores()
            return scored[id(counts)]

        for ours, other, counts in pairs:
            about = {"data": data, "variant": ours, "against": other, **scope.condition}
            for metric in COMPARED:
                # seeds x (the value, then the draws) x thresholds
                drawn = np.stack([of(mine)[metric] - of(theirs)[metric] for mine, theirs in counts])
                drawn = drawn.reshape(*drawn.shape[:2], -1)
                unit = UNITS.get(metric, "1")
                for index, label in enumerate(baselines.axes.conditions(metric)):
                    condition = {**about, **label}
                    yield from difference_rows(models[ours], metric, condition, drawn[:, :, index], len(counts), unit)


def events_of(rows: Sequence[Row], data: str = VALIDATION) -> list[str]:
    """Give the events of some fields, in order; none if there is only one, which then has no rows of its own."""
    return list(
        dict.fromkeys(
            str(row.condition["event"])
            for row in rows
            if row.condition.get("data") == data and "event" in row.condition
        )
    )


def _counted(folder: Path, field: Fields) -> Counted:
    found = load_counts(folder, field)
    if found is None:
        raise DataError(f"{folder}: what was counted on {field.name} is gone. Run the study again")
    return found
