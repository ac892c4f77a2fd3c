"""Scores of probabilities: Brier, skill, reliability, sharpness (Wilks 2011, Sec. 8.4).

A probability is reliable if it rains in 30 % of the cases in which it says 30 %. It is sharp if it says more than how
often it rains anyway. The Brier score wants both; its skill is 0 for always saying the frequency of the scored pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from semicoupled.bootstrap import RESAMPLES, interval
from semicoupled.rows import Condition, Row, plain
from semicoupled.tasks.nowcasting.scores.calibrating import LevelCounts
from semicoupled.tasks.nowcasting.scores.scopes import Scope, scopes

BINS = 10


class ProbabilitySums(NamedTuple):
    """What the scores of probabilities are made of, S K Q each, or S K Q bins.

    Attributes:
        pixels: by bin of probability.
        events: of these, with rain at or above the threshold.
        said: sum of the probabilities, by bin.
        squared: sum of their squares.
        brier: sum of squared differences between probability and 0 or 1.
    """

    pixels: np.ndarray
    events: np.ndarray
    said: np.ndarray
    squared: np.ndarray
    brier: np.ndarray

    def pooled(self, scope: Scope) -> ProbabilitySums:
        """Add up over leads and over starts: draws Q ..."""
        leads = [scope.leads] if isinstance(scope.leads, int) else scope.leads
        return ProbabilitySums(*(np.tensordot(scope.weights, field[:, leads].sum(1), 1) for field in self))

    def scores(self) -> dict[str, np.ndarray]:
        """Give scores of pooled sums, draws x Q; NaN where undefined.

        ``brier``; ``reliability``, the part of it that comes from saying 30 % where it is not 30 %; ``sharpness``, the
        variance of the probabilities; ``brier_skill`` against the frequency of rain in the same pixels.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            pixels, events = self.pixels.sum(-1), self.events.sum(-1)
            brier, frequency = self.brier / pixels, events / pixels
            off = np.where(self.pixels > 0, (self.said - self.events) ** 2 / self.pixels, 0).sum(-1) / pixels
            uncertainty = frequency * (1 - frequency)
            return {
                "brier": brier,
                "reliability": off,
                "sharpness": self.squared / pixels - (self.said.sum(-1) / pixels) ** 2,
                "brier_skill": np.where(uncertainty > 0, 1 - brier / uncertainty, np.nan),
            }


def probability_sums(levels: LevelCounts, probabilities: np.ndarray) -> ProbabilitySums:
    """Add up what scores need.

    Args:
        levels: pixels by level of their share, S K Q L.
        probabilities: S K Q L, what is said at each level; it may differ by start.
    """
    shape = levels.pixels.shape[:-1]
    pixels, events, said = (np.zeros((*shape, BINS)) for _ in range(3))
    binned = bin_of(probabilities)
    for index in range(BINS):
        inside = binned == index
        pixels[..., index] = np.where(inside, levels.pixels, 0).sum(-1)
        events[..., index] = np.where(inside, levels.events, 0).sum(-1)
        said[..., index] = np.where(inside, levels.pixels * probabilities, 0).sum(-1)
    squared = (levels.pixels * probabilities**2).sum(-1)
    brier = squared + (levels.events * (1 - 2 * probabilities)).sum(-1)
    return ProbabilitySums(pixels, events, said, squared, brier)


def bin_of(probabilities: np.ndarray) -> np.ndarray:
    """Give the bin of probabilities of any shape: 0 below a tenth, then each from its lower end on, 9 with 1 itself."""
    return np.clip(np.floor(probabilities * BINS), 0, BINS - 1).astype(np.int8)


def bin_name(index: int) -> str:
    """Name a bin as its rows do: ``"0.3-0.4"``."""
    return f"{index / BINS:.1f}-{(index + 1) / BINS:.1f}"


def probability_rows(
    sums: Mapping[str, ProbabilitySums],
    events: Sequence[str],
    lead_minutes: Sequence[float],
    thresholds: Sequence[float],
    *,
    reference: str = "advection",
    names: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
) -> list[Row]:
    """Make a table of probabilities' scores, by threshold.

    Args:
        sums: by model, all over the same starts.
        events: the event of each start, in order of time within an event.
        lead_minutes: of each lead.
        thresholds: Q thresholds, dBZ.
        reference: the model against whose probabilities the others' skill is given as well.
        names: events that have rows, also those without a start; those of `events` if None.
        resamples: draws of the bootstrap.

    Returns:
        Rows over all, by lead and by event; and the reliability table: ``observed_frequency`` and
        ``forecast_probability`` by ``probability_bin``, whose count is of the pixels in the bin.
    """
    rows: list[Row] = []
    for scope in scopes(events, lead_minutes, resamples, names):
        if scope.is_narrow:
            continue
        pooled = {model: part.pooled(scope) for model, part in sums.items()}
        scores = {model: part.scores() for model, part in pooled.items()}
        for model, part in pooled.items():
            own = scores[model]
            counts = part.pixels[0].sum(-1)
            for metric in ("brier", "reliability", "sharpness"):
                rows += _rows(model, metric, own[metric], counts, scope.condition, thresholds)
            against: dict[str, Condition] = {**scope.condition, "against": "climatology"}
            rows += _rows(model, "brier_skill", own["brier_skill"], counts, against, thresholds)
            if reference in scores and model != reference:
                theirs = scores[reference]["brier"]
                skill = np.where(theirs > 0, 1 - own["brier"] / np.where(theirs > 0, theirs, 1), np.nan)
                against = {**scope.condition, "against": reference}
                rows += _rows(model, "brier_skill", skill, counts, against, thresholds)
        if not scope.condition:
            rows += [row for model, part in pooled.items() for row in _table(model, part, thresholds)]
    return rows


def _rows(
    model: str,
    metric: str,
    drawn: np.ndarray,
    counts: np.ndarray,
    condition: Mapping[str, Condition],
    thresholds: Sequence[float],
) -> Iterator[Row]:
    for index, threshold in enumerate(thresholds):
        yield Row(
            model=model,
            metric=metric,
            condition={**condition, "threshold_dbz": plain(threshold)},
            value=float(drawn[0, index]),
            count=int(counts[index]),
            interval=interval(drawn[1:, index]),
        )


def _table(model: str, sums: ProbabilitySums, thresholds: Sequence[float]) -> Iterator[Row]:
    with np.errstate(invalid="ignore", divide="ignore"):
        values = {"forecast_probability": sums.said / sums.pixels, "observed_frequency": sums.events / sums.pixels}
    for index, threshold in enumerate(thresholds):
        for place in range(BINS):
            for metric, drawn in values.items():
                yield Row(
                    model=model,
                    metric=metric,
                    condition={"threshold_dbz": plain(threshold), "probability_bin": bin_name(place)},
                    value=float(drawn[0, index, place]),
                    count=int(sums.pixels[0, index, place]),
                    interval=interval(drawn[1:, index, place]),
                )
