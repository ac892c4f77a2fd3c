from __future__ import annotations

import numpy as np
import pytest

from semicoupled.rows import Row, read_rows, write_rows
from semicoupled.tasks.nowcasting.scores.metrics import Counts, Truth, count, merge
from semicoupled.tasks.nowcasting.scores.scoring import Axes, score_rows
from semicoupled.tasks.nowcasting.scores.spectrum import BandPower

EVENTS = ["one"] * 6 + ["two"] * 6
THRESHOLDS = (15.0, 40.0)
AXES = Axes((5.0, 10.0), THRESHOLDS)


def counts(noise: float, seed: int = 0) -> Counts:
    rng = np.random.default_rng(seed)
    parts = []
    for _ in EVENTS:
        observed = rng.uniform(0, 35, (2, 10, 10))
        forecast = observed + noise * rng.standard_normal(observed.shape)
        parts.append(count(forecast, observed, np.ones_like(observed, bool), THRESHOLDS))
    return merge(parts)


def rows(**options: int) -> list[Row]:
    return score_rows({"ours": counts(2), "theirs": counts(8)}, EVENTS, AXES, **options)


def find(found: list[Row], model: str, metric: str, **condition: object) -> Row:
    (row,) = [row for row in found if (row.model, row.metric, dict(row.condition)) == (model, metric, condition)]
    return row


def test_there_is_one_row_over_all_leads_and_one_for_each():
    found = rows()
    everything = find(found, "ours", "mse")
    assert everything.count == 12 * 2 * 100
    assert everything.unit == "dBZ^2"
    assert everything.value == pytest.approx(4, rel=0.1)
    first, second = (find(found, "ours", "mse", lead_minutes=minutes) for minutes in (5, 10))
    assert everything.value == pytest.approx((first.value + second.value) / 2)
    assert find(found, "theirs", "csi", lead_minutes=5, threshold_dbz=15).count == 1200


def test_events_have_rows_of_their_own_where_there_are_several():
    found = rows()
    pooled = find(found, "ours", "mse").value
    single = [find(found, "ours", "mse", event=name).value for name in ("one", "two")]
    assert pooled == pytest.approx(np.mean(single))
    alone = score_rows({"ours": counts(2)}, ["one"] * 12, AXES)
    assert not any("event" in row.condition for row in alone)


def test_intervals_hold_the_value_and_grow_with_the_spread():
    found = rows()
    ours, theirs = find(found, "ours", "mse"), find(found, "theirs", "mse")
    for row in (ours, theirs):
        assert row.interval is not None
        assert row.interval[0] < row.value < row.interval[1]
    assert theirs.interval[1] - theirs.interval[0] > ours.interval[1] - ours.interval[0]  # type: ignore[index]
    assert find(rows(), "ours", "mse").interval == ours.interval
    assert find(rows(resamples=0), "ours", "mse").interval is None


def test_undefined_scores_are_null_in_the_file(tmp_path):
    row = find(rows(), "ours", "pod", threshold_dbz=40)
    assert np.isnan(row.value)
    assert row.interval is None
    write_rows(tmp_path / "rows.json", "nowcasting", "made up", [row])
    assert '"value": null' in (tmp_path / "rows.json").read_text()
    assert np.isnan(read_rows(tmp_path / "rows.json").rows[0].value)


def test_one_start_has_no_interval():
    one = Counts(*(field[:1] for field in counts(2).fields))
    assert find(score_rows({"ours": one}, ["one"], AXES), "ours", "mse").interval is None


WIDE = Axes((5.0, 10.0), THRESHOLDS, (4.0, 8.0), (2.0, 4.0, 8.0))


def wide_counts(noise: float, dry: tuple[int, ...] = ()) -> Counts:
    rng = np.random.default_rng(3)
    parts = []
    for start in range(len(EVENTS)):
        observed = np.clip(rng.normal(12, 8, (2, 20, 20)), 0, 35)
        forecast = np.clip(observed + noise * rng.standard_normal(observed.shape), 0, 35)
        if start in dry:
            observed, forecast = np.zeros((2, *observed.shape))
        truth = Truth(observed, np.ones_like(observed, bool), THRESHOLDS, (3, 5), BandPower(1.0, WIDE.bands_km))
        parts.append(truth.count(forecast))
    return merge(parts)


def wide_rows(**options: object) -> list[Row]:
    found = {"ours": wide_counts(2), "theirs": wide_counts(8)}
    return score_rows(found, EVENTS, WIDE, resamples=50, **options)  # type: ignore[arg-type]


def test_windows_and_bands_are_conditions():
    found = wide_rows()
    fss = [find(found, "ours", "fss", threshold_dbz=15, window_km=km).value for km in (4, 8)]
    assert fss[0] < fss[1] <= 1
    assert find(found, "theirs", "spectrum_ratio", band_km="2-4").value > 1.2  # noise adds to short waves
    assert find(found, "theirs", "spectrum_ratio", band_km="4-8", lead_minutes=10).count == 12 * 400
    assert find(found, "ours", "maximum_ratio", event="two").value == pytest.approx(1, abs=0.1)


def test_rows_by_frame_are_means_over_the_frames_where_a_score_is_defined():
    dry = (0, 5, 7)
    counts = wide_counts(4, dry)
    found = score_rows({"ours": counts}, EVENTS, WIDE)
    row = find(found, "ours", "csi", threshold_dbz=15, pooling="per_frame")
    single = counts.scores()["csi"][..., 0]
    assert np.isnan(single[list(dry)]).all()
    assert row.value == pytest.approx(np.nanmean(single))
    assert row.count == (12 - len(dry)) * 2
    assert row.interval is not None
    assert row.interval[0] < row.value < row.interval[1]
    assert find(found, "ours", "mse", pooling="per_frame").count == 12 * 2  # dry frames have an error, too
    first = find(found, "ours", "csi", threshold_dbz=15, pooling="per_frame", lead_minutes=5)
    assert first.value == pytest.approx(np.nanmean(single[:, 0]))
    pooled = find(found, "ours", "csi", threshold_dbz=15)
    assert pooled.count == 12 * 2 * 400


def test_rows_without_a_pooling_are_what_they_were_before_there_was_one():
    found = wide_rows()
    plain = {(row.model, row.metric, *sorted(row.condition.items())) for row in found if "pooling" not in row.condition}
    by_frame = {
        (row.model, row.metric, *sorted(item for item in row.condition.items() if item[0] != "pooling"))
        for row in found
        if "pooling" in row.condition
    }
    assert by_frame < plain
    assert not any({"event", "lead_minutes"} <= set(row.condition) for row in found if "pooling" in row.condition)


def test_differences_are_ours_minus_each_baseline_in_the_same_draws():
    found = wide_rows(ours="ours")
    row = find(found, "ours", "mse_difference", against="theirs")
    ours, theirs = (find(found, model, "mse") for model in ("ours", "theirs"))
    assert row.value == pytest.approx(ours.value - theirs.value)
    assert row.unit == "dBZ^2"
    assert row.interval is not None
    assert row.interval[1] < 0  # better, and sure of it
    csi = find(found, "ours", "csi_difference", against="theirs", threshold_dbz=15, lead_minutes=10)
    assert csi.value > 0
    assert find(found, "ours", "fss_difference", against="theirs", threshold_dbz=15, window_km=4, event="one")
    assert not [row for row in wide_rows() if row.metric.endswith("_difference")]
    assert not [row for row in found if row.condition.get("against") == "ours"]


def test_a_difference_is_surer_than_the_scores_that_it_is_made_of():
    """What is hard for both cancels out, because both are drawn together."""
    rng = np.random.default_rng(0)
    hard = rng.uniform(1, 9, len(EVENTS))
    parts: dict[str, list[Counts]] = {"ours": [], "theirs": []}
    for spread in hard:
        observed = rng.uniform(0, 35, (2, 30, 30))
        error = spread * rng.standard_normal(observed.shape)
        for name, share in (("ours", 1.0), ("theirs", 1.05)):
            parts[name].append(count(observed + share * error, observed, np.ones_like(observed, bool), THRESHOLDS))
    found = score_rows({name: merge(part) for name, part in parts.items()}, EVENTS, AXES, ours="ours")
    row, ours = find(found, "ours", "mse_difference", against="theirs"), find(found, "ours", "mse")
    assert row.interval is not None
    assert ours.interval is not None
    assert row.interval[1] < 0
    assert np.ptp(row.interval) < 0.3 * np.ptp(ours.interval)


def test_events_without_a_start_have_rows_over_nothing():
    found = wide_rows(names=["one", "two", "three"], ours="ours")
    nothing = [row for row in found if row.condition.get("event") == "three"]
    assert {row.metric for row in nothing} == {row.metric for row in found}
    assert all(np.isnan(row.value) and row.count == 0 and row.interval is None for row in nothing)
