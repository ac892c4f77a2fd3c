"""From what was counted to rows: every run, the baselines once, and differences over the same draws of start times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from semicoupled.bootstrap import interval
from semicoupled.errors import DataError
from semicoupled.rows import Condition, Row
from semicoupled.studies import Trial
from semicoupled.study_training import Trained, took_rows
from semicoupled.tasks.nowcasting.scores.metrics import Counts
from semicoupled.tasks.nowcasting.scores.scopes import scopes
from semicoupled.tasks.nowcasting.scores.scoring import UNITS, score_rows
from semicoupled.tasks.nowcasting.study.counts import VALIDATION, Counted, Fields, load_counts
from semicoupled.tasks.nowcasting.study.studies import PAIRS

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
        Row(row.model, row.metric, {**about, **row.condition}, row.value, row.count, row.unit, row.interval)
        for row in score_rows(counted.counts, counted.events, counted.axes)
        if "pooling" not in row.condition
    ]


def differences(baselines: Counted, runs: Sequence[tuple[Trial, Counted]], data: str) -> Iterator[Row]:
    """Compare means over seeds: `PAIRS` of variants, and every variant with advection and blurred advection.

    The interval holds 90 % of a bootstrap over start times, the same draws for both; it says nothing about seeds, whose
    lowest and highest difference (seed by seed) have rows of their own: ``mse_difference_lowest`` and ``_highest``.
    """
    by_variant: dict[str, list[tuple[int, Counts]]] = {}
    models: dict[str, str] = {}
    for trial, counted in runs:
        ((model, counts),) = counted.counts.items()
        by_variant.setdefault(trial.variant.name, []).append((trial.seed, counts))
        models[trial.variant.name] = model
    pairs: list[tuple[str, str, list[tuple[Counts, Counts]]]] = []
    for ours in by_variant:
        for baseline in AGAINST:
            pairs.append((ours, baseline, [(mine, baselines.counts[baseline]) for _, mine in by_variant[ours]]))
    for ours, rival in PAIRS:
        if ours in by_variant and rival in by_variant:
            theirs = dict(by_variant[rival])
            pairs.append((ours, rival, [(mine, theirs[seed]) for seed, mine in by_variant[ours]]))
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
                mean = drawn.mean(0)
                for index, label in enumerate(baselines.axes.conditions(metric)):
                    condition, unit = {**about, **label}, UNITS.get(metric, "1")
                    name, seeds = f"{metric}_difference", len(counts)
                    span = interval(mean[1:, index])
                    yield Row(models[ours], name, condition, float(mean[0, index]), seeds, unit, span)
                    for end, value in (("lowest", drawn[:, 0].min(0)), ("highest", drawn[:, 0].max(0))):
                        yield Row(models[ours], f"{name}_{end}", condition, float(value[index]), seeds, unit)


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
