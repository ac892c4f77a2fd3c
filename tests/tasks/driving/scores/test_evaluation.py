"""Rows: which there are, over which frames, and what their intervals say."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tasks.driving.answered import answered, slow_scores, slow_smooth

from semicoupled.errors import DataError
from semicoupled.rows import Row
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.scores.conditions import in_order, roads_by_angle
from semicoupled.tasks.driving.scores.evaluation import Measures, constant, score_answers

MEASURES = Measures(thresholds=(6.0, 3.0), scale=25.0, curve=3.0, sharp=8.0, part_seconds=1.0)


def pick(rows: list[Row], model: str, metric: str, **condition: object) -> Row:
    found = [row for row in rows if (row.model, row.metric, dict(row.condition)) == (model, metric, condition)]
    assert len(found) == 1, (model, metric, condition, len(found))
    return found[0]


@pytest.fixture(scope="module")
def drives() -> list[DriveAnswers]:
    return [answered("a", seed=1), answered("b", 90, seed=2), answered("b+1", 60, seed=3)]


@pytest.fixture(scope="module")
def rows(drives: list[DriveAnswers]) -> list[Row]:
    return score_answers({"semicoupled": drives, "mean": constant(drives, 1.0)}, MEASURES, ours=["semicoupled"])


@pytest.mark.parametrize("label", ["raw", "smoothed"])
@pytest.mark.parametrize("stream", ["main", "spatial", "temporal"])
def test_rows_are_the_scores_of_a_loop(drives: list[DriveAnswers], rows: list[Row], label: str, stream: str) -> None:
    truth = [drive.truth if label == "raw" else slow_smooth(drive.truth, drive.times, 0.5) for drive in drives]
    labels = np.concatenate(truth)
    given = np.concatenate([getattr(drive, stream) for drive in drives])
    about = {"label": label} if stream == "main" else {"label": label, "stream": stream}
    kinds = {"straight": np.abs(smoothed(drives)) <= 3, "sharp": np.abs(smoothed(drives)) > 8}
    for where, counts in ({}, np.ones(len(labels), bool)), *(({"road": name}, kinds[name]) for name in kinds):
        expected = slow_scores(given[counts], labels[counts], [6.0, 3.0], 25.0)
        for metric in ("mse", "rmse", "mae", "r2"):
            found = pick(rows, "semicoupled", metric, **about, **where)
            assert found.value == pytest.approx(expected[metric], rel=1e-12)
            assert found.count == counts.sum()
        for metric in ("acc_soft", "acc_hard"):
            for index, threshold in enumerate((6, 3)):
                found = pick(rows, "semicoupled", metric, angle_threshold=threshold, **about, **where)
                assert found.value == pytest.approx(expected[metric][index], rel=1e-12)


def smoothed(drives: list[DriveAnswers]) -> np.ndarray:
    return np.concatenate([slow_smooth(drive.truth, drive.times, 0.5) for drive in drives])


def test_the_first_rows_are_those_over_everything(rows: list[Row]) -> None:
    first = next(row for row in rows if row.metric == "r2" and row.condition.get("label") == "smoothed")
    assert first.model == "semicoupled"
    assert dict(first.condition) == {"label": "smoothed"}


def test_a_run_is_scored_by_itself_with_its_parts_together(drives: list[DriveAnswers], rows: list[Row]) -> None:
    assert pick(rows, "semicoupled", "rmse", label="raw", run="b").count == 150
    assert not any(row.condition.get("run") == "b+1" for row in rows)
    alone = score_answers({"semicoupled": drives[:1]}, MEASURES)
    assert not any("run" in row.condition for row in alone)


def test_units(rows: list[Row]) -> None:
    assert pick(rows, "semicoupled", "rmse", label="raw").unit == "deg"
    assert pick(rows, "semicoupled", "whiteness").unit == "deg/s"
    assert pick(rows, "semicoupled", "mse", label="raw").unit == "1"


def test_the_driver_trembles_less_when_smoothed(rows: list[Row]) -> None:
    raw, smooth = (pick(rows, "driver", "whiteness", label=label).value for label in ("raw", "smoothed"))
    assert smooth < 0.9 * raw < raw < pick(rows, "semicoupled", "whiteness").value
    assert pick(rows, "mean", "whiteness").value == 0


def test_intervals_hold_the_value_and_shrink_with_more_data(rows: list[Row]) -> None:
    for row in rows:
        if row.interval is not None and "run" not in row.condition:
            assert row.interval[0] <= row.value + 0.05
            assert row.interval[1] >= row.value - 0.05
    long = score_answers({"semicoupled": [answered("a", 120 * 16, seed=1)]}, MEASURES)
    short = score_answers({"semicoupled": [answered("a", 120, seed=1)]}, MEASURES)
    low, high = pick(short, "semicoupled", "rmse", label="raw").interval or (0, 0)
    lower, higher = pick(long, "semicoupled", "rmse", label="raw").interval or (0, 9)
    assert higher - lower < 0.5 * (high - low)


def test_differences_are_paired(rows: list[Row]) -> None:
    ours, mean = (pick(rows, model, "mse", label="raw") for model in ("semicoupled", "mean"))
    row = pick(rows, "semicoupled", "mse_difference", label="raw", against="mean")
    assert row.value == pytest.approx(ours.value - mean.value, rel=1e-12)
    assert row.interval is not None
    assert row.interval[1] < 0
    assert not any(row.model == "mean" and row.metric.endswith("_difference") for row in rows)


def test_importance_is_the_temporal_score_minus_the_spatial_one(rows: list[Row]) -> None:
    temporal, spatial = (
        pick(rows, "semicoupled", "acc_soft", angle_threshold=6, label="raw", stream=stream, road="curve")
        for stream in ("temporal", "spatial")
    )
    row = pick(rows, "semicoupled", "importance", score="acc_soft", angle_threshold=6, label="raw", road="curve")
    assert row.value == pytest.approx(temporal.value - spatial.value, rel=1e-12)
    assert pick(rows, "semicoupled", "importance", score="mse", label="raw").value > 0  # a smaller error counts as more
    assert not any(row.model == "mean" and row.metric == "importance" for row in rows)


def test_the_same_answers_of_both_streams_have_no_importance() -> None:
    drive = answered()
    rows = score_answers({"ours": [drive._replace(temporal=drive.spatial)]}, MEASURES)
    found = [row for row in rows if row.metric == "importance"]
    assert found
    assert all(row.value == 0 and row.interval in ((0, 0), None) for row in found)


def test_a_frame_without_an_answer_of_all_counts_for_nobody(drives: list[DriveAnswers]) -> None:
    late = drives[0].main.copy()
    late[:20] = np.nan
    rival = [drives[0]._replace(main=late, spatial=None, temporal=None), *drives[1:]]
    rows = score_answers({"ours": drives, "rival": rival}, MEASURES)
    assert pick(rows, "ours", "rmse", label="raw").count == pick(rows, "rival", "rmse", label="raw").count == 250
    labels = np.concatenate([drives[0].truth[20:], drives[1].truth, drives[2].truth])
    given = np.concatenate([drives[0].main[20:], drives[1].main, drives[2].main])
    expected = slow_scores(given, labels, [6.0], 25.0)
    assert pick(rows, "ours", "rmse", label="raw").value == pytest.approx(expected["rmse"], rel=1e-12)


def test_answers_at_every_other_frame_are_scored_with_their_own_speed() -> None:
    drive = answered()
    half = np.where(np.arange(120) % 2, np.nan, drive.main)
    rows = score_answers({"ours": [drive._replace(main=half, spatial=None, temporal=None)]}, MEASURES)
    speed = np.diff(drive.main[::2]) / 0.1
    assert pick(rows, "ours", "whiteness").value == pytest.approx(np.sqrt((speed**2).mean()), rel=1e-9)


def test_road_labels_of_the_data_win() -> None:
    drive = answered(roads=("crossroads", "curve") * 60)
    rows = score_answers({"ours": [drive]}, MEASURES)
    assert {row.condition["road"] for row in rows if "road" in row.condition} == {"crossroads", "curve"}


def test_roads_by_angle() -> None:
    found = roads_by_angle(np.array([0, -3, 3.1, -8, 8.1, np.nan]), 3.0, 8.0)
    assert found.tolist() == ["straight", "straight", "curve", "curve", "sharp", ""]
    assert in_order(["sharp", "crossroads", "", "straight", "alley"]) == ["straight", "sharp", "alley", "crossroads"]


def test_what_cannot_be_scored_is_refused() -> None:
    drive = answered()
    with pytest.raises(DataError, match="expected the answers of at least one model"):
        score_answers({}, MEASURES)
    with pytest.raises(DataError, match=r"in none of 1 drives is there a frame with a label in which all of ours"):
        score_answers({"ours": [drive._replace(truth=np.full(120, np.nan))]}, MEASURES)
    with pytest.raises(DataError, match="rival was asked along other drives than ours: b"):
        score_answers({"ours": [drive], "rival": [answered("b")]}, MEASURES)
    with pytest.raises(DataError, match="angles in degrees and radians cannot be scored together"):
        score_answers({"ours": [drive, answered("b", unit="radians")]}, MEASURES)
