"""From what the trials of a study answered to rows: pairs of variants, seed by seed, and their differences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from semicoupled.bootstrap import interval
from semicoupled.rows import Condition, Row
from semicoupled.studies.trials import Trial

T = TypeVar("T")


class Compared(NamedTuple, Generic[T]):
    """Two variants with what they answered, seed by seed.

    Attributes:
        ours: the name of the first.
        other: that of the second.
        runs: what both answered, a pair for each seed that both were trained with; at least one.
    """

    ours: str
    other: str
    runs: Sequence[tuple[T, T]]


def by_variant(trials: Iterable[tuple[Trial, T]]) -> dict[str, list[tuple[Trial, T]]]:
    """Gather trials with what they answered by the names of their variants, in the order in which they come."""
    found: dict[str, list[tuple[Trial, T]]] = {}
    for trial, answered in trials:
        found.setdefault(trial.variant.name, []).append((trial, answered))
    return found


def compared(pairs: Iterable[tuple[str, str]], runs: Mapping[str, Sequence[tuple[Trial, T]]]) -> Iterator[Compared[T]]:
    """Give those pairs of variants that were trained with a seed in common.

    Args:
        pairs: names of variants.
        runs: as `by_variant` gives them.
    """
    for ours, other in pairs:
        theirs = {trial.seed: answered for trial, answered in runs.get(other, ())}
        both = [(answered, theirs[trial.seed]) for trial, answered in runs.get(ours, ()) if trial.seed in theirs]
        if both:
            yield Compared(ours, other, both)


def difference_rows(
    model: str, metric: str, about: Mapping[str, Condition], drawn: np.ndarray, count: int, unit: str = "1"
) -> Iterator[Row]:
    """Give the rows of a difference: the mean over seeds with its interval, then the lowest and the highest seed.

    Args:
        model: what rows call the first.
        metric: whose difference; rows are called ``METRIC_difference``, ``..._lowest`` and ``..._highest``.
        about: conditions, ``variant`` and ``against`` among them.
        drawn: seeds x (1 + draws): the difference as it is, then for each draw of a bootstrap.
        count: what the difference is over.
        unit: of the difference.
    """
    name, mean = f"{metric}_difference", drawn.mean(0)
    yield Row(model, name, about, float(mean[0]), count, unit, interval(mean[1:]))
    for end, value in (("lowest", drawn[:, 0].min()), ("highest", drawn[:, 0].max())):
        yield Row(model, f"{name}_{end}", about, float(value), count, unit)
