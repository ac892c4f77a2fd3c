from __future__ import annotations

import numpy as np
import pytest
import scores
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from semicoupled.tasks.nowcasting.scores.metrics import Truth, count, merge

THRESHOLDS = (15.0, 30.0)
LEADS = 3


def fields(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    forecast, observed = rng.uniform(0, 45, (2, LEADS, 20, 30))
    observed[:, :4] = np.nan
    counts = rng.random((20, 30)) < 0.9
    return forecast, observed, np.broadcast_to(counts, forecast.shape)


def counted():
    return merge([count(*fields(seed), THRESHOLDS) for seed in range(4)])


def pooled_fields(lead: slice) -> tuple[xr.DataArray, xr.DataArray]:
    parts = [fields(seed) for seed in range(4)]
    forecast = np.concatenate([np.where(counts, forecast, np.nan)[lead].ravel() for forecast, _, counts in parts])
    observed = np.concatenate([observed[lead].ravel() for _, observed, _ in parts])
    keep = ~np.isnan(forecast) & ~np.isnan(observed)
    return xr.DataArray(forecast[keep], dims="pixel"), xr.DataArray(observed[keep], dims="pixel")


@pytest.mark.parametrize("lead", [None, 0, 2])
def test_scores_agree_with_the_scores_package(lead: int | None):
    forecast, observed = pooled_fields(slice(None) if lead is None else slice(lead, lead + 1))
    pooled = counted().pooled(slice(None) if lead is None else lead)
    assert pooled.pixels == forecast.size
    assert pooled.errors()["mse"] == pytest.approx(float(scores.continuous.mse(forecast, observed)), abs=1e-12)
    assert pooled.errors()["mae"] == pytest.approx(float(scores.continuous.mae(forecast, observed)), abs=1e-12)
    ours = pooled.categories()
    for index, threshold in enumerate(THRESHOLDS):
        table = scores.categorical.ThresholdEventOperator(default_event_threshold=threshold).make_contingency_manager(
            forecast, observed
        )
        for name, theirs in {
            "csi": table.critical_success_index(),
            "far": table.false_alarm_ratio(),
            "pod": table.probability_of_detection(),
            "hss": table.heidke_skill_score(),
            "frequency_bias": table.frequency_bias(),
        }.items():
            assert ours[name][index] == pytest.approx(float(theirs), abs=1e-12), name


def test_correlation_is_eq_28_on_the_images_of_zeros_and_ones():
    forecast, observed = pooled_fields(slice(None))
    said, seen = forecast.values >= 15, observed.values >= 15
    expected = (said * seen).sum() / np.sqrt((said**2).sum() * (seen**2).sum())
    assert counted().pooled().categories()["correlation"][0] == pytest.approx(expected, abs=1e-12)


def test_by_hand():
    forecast = np.array([[[20.0, 20, 0, 0, 20]]])
    observed = np.array([[[20.0, 0, 20, 0, np.nan]]])
    pooled = count(forecast, observed, np.ones_like(forecast, bool), (15,)).pooled()
    assert (pooled.pixels, pooled.hits[0], pooled.misses[0], pooled.false_alarms[0]) == (4, 1, 1, 1)
    assert pooled.errors() == {"mse": 200.0, "mae": 10.0}
    values = {name: float(value[0]) for name, value in pooled.categories().items()}
    assert values == pytest.approx(
        {"csi": 1 / 3, "far": 0.5, "pod": 0.5, "hss": 0.0, "frequency_bias": 1.0, "correlation": 0.5}, abs=1e-9
    )


def test_a_threshold_counts_from_itself_on():
    same = np.full((1, 1, 1), 15.0)
    assert count(same, same, np.ones((1, 1, 1), bool), (15.0,)).hits.item() == 1


def test_undefined_is_nan():
    dry = np.zeros((1, 2, 2))
    pooled = count(dry, dry, np.ones_like(dry, bool), THRESHOLDS).pooled()
    assert all(np.isnan(value).all() for value in pooled.categories().values())
    assert pooled.errors()["mse"] == 0
    nothing = count(dry, dry, np.zeros_like(dry, bool), THRESHOLDS).pooled()
    assert np.isnan(nothing.errors()["mse"])
    no_rain_seen = count(dry + 20, dry, np.ones_like(dry, bool), (15,)).pooled().categories()
    assert (no_rain_seen["csi"][0], no_rain_seen["far"][0]) == (0, 1)
    assert np.isnan(no_rain_seen["pod"][0])


def test_pixels_that_are_missing_in_either_field_do_not_count():
    forecast, observed = np.full((1, 1, 3), 20.0), np.full((1, 1, 3), 20.0)
    forecast[..., 0], observed[..., 1] = np.nan, np.nan
    assert count(forecast, observed, np.ones_like(forecast, bool), (15,)).hits.item() == 1


def test_forecasts_are_compared_where_both_are_known_also_with_windows():
    rng = np.random.default_rng(0)
    forecast, observed = rng.uniform(0, 40, (2, 2, 15, 15))
    hidden = rng.random(forecast.shape) < 0.3
    one = Truth(observed, np.ones_like(hidden), (15,), (1, 3)).count(np.where(hidden, np.nan, forecast))
    other = Truth(observed, ~hidden, (15,), (1, 3)).count(forecast)
    for first, second in zip(one.fields, other.fields, strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_highest_values_are_those_of_the_pixels_that_count():
    forecast, observed = np.array([[[50.0, 20, 10]]]), np.array([[[10.0, 30, 40]]])
    counts = np.array([[[False, True, True]]])
    assert count(forecast, observed, counts, (15,)).pooled().blur()["maximum_ratio"] == 0.5


@given(st.integers(0, 2**32 - 1), st.floats(0, 20))
@settings(max_examples=40, deadline=None)
def test_laws_of_the_scores(seed: int, noise: float):
    rng = np.random.default_rng(seed)
    observed = rng.uniform(0, 45, (2, 8, 9))
    forecast = observed + noise * rng.standard_normal(observed.shape)
    pooled = count(forecast, observed, rng.random(observed.shape) < 0.8, THRESHOLDS).pooled()
    found = pooled.categories()
    with np.errstate(invalid="ignore"):
        assert not (found["csi"] > np.minimum(found["pod"], 1 - found["far"]) + 1e-12).any()
        assert not (found["hss"] > 1 + 1e-12).any()
        np.testing.assert_allclose(found["frequency_bias"], found["pod"] / (1 - found["far"]), rtol=1e-9)
    assert pooled.errors()["mae"] ** 2 <= pooled.errors()["mse"] + 1e-9
    if noise == 0:
        assert pooled.errors()["mse"] == 0
