from __future__ import annotations

import numpy as np
import pytest

from semicoupled.rows import Row
from semicoupled.tasks.nowcasting.scores.calibrating import LevelCounts, count_levels, fit, merge_levels
from semicoupled.tasks.nowcasting.scores.probability import Neighborhood, probabilities, share_levels
from semicoupled.tasks.nowcasting.scores.reliability import bin_of, probability_rows, probability_sums

THRESHOLDS = (15.0, 25.0)
MINUTES = (5.0, 10.0)
EVENTS = ["one"] * 4 + ["two"] * 4
AROUND = Neighborhood()


def case(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    observed = np.clip(rng.normal(12, 9, (2, 30, 40)), 0, 60)
    forecast = np.clip(observed + rng.normal(0, 6, observed.shape), 0, 60).astype(np.float32)
    observed[:, :3] = np.nan
    return forecast, observed, rng.random(observed.shape) < 0.9


def counted() -> LevelCounts:
    parts = [count_levels(*case(seed), THRESHOLDS, 2.0, MINUTES, AROUND) for seed in range(8)]
    return merge_levels(parts)


def said(levels: LevelCounts) -> np.ndarray:
    table = probabilities(*fit(levels, THRESHOLDS, MINUTES, AROUND).at(MINUTES)).swapaxes(0, 1)
    return np.broadcast_to(table, levels.pixels.shape)


def flat(threshold: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and observed dBZ of all pixels that count, in double precision."""
    table = said(counted())[0]
    pairs = []
    for seed in range(8):
        forecast, observed, counts = case(seed)
        levels = share_levels(forecast, THRESHOLDS, AROUND, 2.0, MINUTES)[threshold]
        there = counts & ~np.isnan(observed)
        for lead in range(2):
            pairs.append((table[lead, threshold][levels[lead]][there[lead]], observed[lead][there[lead]]))
    return np.concatenate([one for one, _ in pairs]), np.concatenate([other for _, other in pairs])


def rows(**options: object) -> list[Row]:
    levels = counted()
    found = {"ours": probability_sums(levels, said(levels)), "advection": probability_sums(levels, said(levels) * 0.5)}
    return probability_rows(found, EVENTS, MINUTES, THRESHOLDS, **options)  # type: ignore[arg-type]


def find(found: list[Row], model: str, metric: str, **condition: object) -> Row:
    (row,) = [row for row in found if (row.model, row.metric, dict(row.condition)) == (model, metric, condition)]
    return row


@pytest.mark.parametrize("index", [0, 1])
def test_the_brier_score_is_that_of_the_scores_package(index: int):
    scores = pytest.importorskip("scores.probability")
    xr = pytest.importorskip("xarray")
    probability, observed = flat(index)
    theirs = scores.brier_score(
        xr.DataArray(probability, dims="pixel"),
        xr.DataArray((observed >= THRESHOLDS[index]).astype(float), dims="pixel"),
    )
    row = find(rows(), "ours", "brier", threshold_dbz=int(THRESHOLDS[index]))
    assert row.value == pytest.approx(float(theirs), abs=1e-12)
    assert row.count == probability.size


@pytest.mark.parametrize("index", [0, 1])
def test_the_reliability_table_is_that_of_pysteps(index: int):
    oracle = pytest.importorskip("pysteps.verification.probscores")
    probability, observed = flat(index)
    diagram = oracle.reldiag_init(THRESHOLDS[index], n_bins=10, min_count=1)
    oracle.reldiag_accum(diagram, probability, observed)
    with np.errstate(invalid="ignore"):
        said_there, seen_there = oracle.reldiag_compute(diagram)
    found = rows()
    for place in range(10):
        label = f"{place / 10:.1f}-{(place + 1) / 10:.1f}"
        at = {"threshold_dbz": int(THRESHOLDS[index]), "probability_bin": label}
        ours, seen = find(found, "ours", "forecast_probability", **at), find(found, "ours", "observed_frequency", **at)
        assert ours.count == seen.count == diagram["num_idx"][place]
        assert ours.value == pytest.approx(said_there[place], abs=1e-12, nan_ok=True)
        assert seen.value == pytest.approx(seen_there[place], abs=1e-12, nan_ok=True)


def test_skill_is_measured_against_how_often_it_rains_and_against_advection():
    probability, observed = flat(0)
    seen = observed >= 15
    brier, half = ((probability * share - seen) ** 2 for share in (1, 0.5))
    found = rows()
    climatology = find(found, "ours", "brier_skill", threshold_dbz=15, against="climatology")
    assert climatology.value == pytest.approx(1 - brier.mean() / (seen.mean() * (1 - seen.mean())), abs=1e-12)
    advection = find(found, "ours", "brier_skill", threshold_dbz=15, against="advection")
    assert advection.value == pytest.approx(1 - brier.mean() / half.mean(), abs=1e-12)
    assert advection.interval is not None
    assert advection.interval[0] > 0
    assert not [row for row in found if row.model == "advection" and row.condition.get("against") == "advection"]
    assert find(found, "ours", "sharpness", threshold_dbz=15).value == pytest.approx(probability.var(), abs=1e-12)


def test_reliability_is_what_is_lost_by_saying_the_wrong_number():
    probability, observed = flat(0)
    place, seen = bin_of(probability), observed >= 15
    lost = sum(
        (place == index).mean() * (probability[place == index].mean() - seen[place == index].mean()) ** 2
        for index in range(10)
        if (place == index).any()
    )
    found = rows()
    assert find(found, "ours", "reliability", threshold_dbz=15).value == pytest.approx(lost, abs=1e-12)
    assert lost < 0.1 * find(found, "advection", "reliability", threshold_dbz=15).value


def test_leads_and_events_have_rows_of_their_own():
    found = rows()
    whole = find(found, "ours", "brier", threshold_dbz=15)
    leads = [find(found, "ours", "brier", threshold_dbz=15, lead_minutes=minutes) for minutes in (5, 10)]
    assert whole.count == sum(row.count for row in leads)
    assert whole.value == pytest.approx(np.average([row.value for row in leads], weights=[row.count for row in leads]))
    assert find(found, "ours", "brier", threshold_dbz=15, event="two").count < whole.count


def test_over_nothing_all_is_undefined_and_counts_are_0():
    levels = LevelCounts(*(np.zeros_like(field) for field in counted()))
    sums = {"ours": probability_sums(levels, said(counted())), "advection": probability_sums(levels, said(counted()))}
    found = probability_rows(sums, EVENTS, MINUTES, THRESHOLDS, names=["one", "two", "three"])
    assert all(np.isnan(row.value) and row.count == 0 and row.interval is None for row in found)
    assert find(found, "ours", "brier", threshold_dbz=15, event="three")


def test_bins_begin_at_their_lower_end():
    assert bin_of(np.array([0, 0.0999, 0.1, 0.95, 1.0])).tolist() == [0, 0, 1, 9, 9]
