from __future__ import annotations

import numpy as np
import pytest

from semicoupled.rows import Row, read_rows, write_rows
from semicoupled.tasks.nowcasting.metrics import Counts, count, merge
from semicoupled.tasks.nowcasting.scoring import score_rows

EVENTS = ["one"] * 6 + ["two"] * 6
THRESHOLDS = (15.0, 40.0)


def counts(noise: float, seed: int = 0) -> Counts:
    rng = np.random.default_rng(seed)
    parts = []
    for _ in EVENTS:
        observed = rng.uniform(0, 35, (2, 10, 10))
        forecast = observed + noise * rng.standard_normal(observed.shape)
        parts.append(count(forecast, observed, np.ones_like(observed, bool), THRESHOLDS))
    return merge(parts)


def rows(**options: int) -> list[Row]:
    return score_rows({"ours": counts(2), "theirs": counts(8)}, EVENTS, [5.0, 10.0], THRESHOLDS, **options)


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
    alone = score_rows({"ours": counts(2)}, ["one"] * 12, [5.0, 10.0], THRESHOLDS)
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
    assert find(score_rows({"ours": one}, ["one"], [5.0, 10.0], THRESHOLDS), "ours", "mse").interval is None
