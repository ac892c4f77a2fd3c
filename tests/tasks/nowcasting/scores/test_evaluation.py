"""From sequences to rows: empty fields, single frames, probabilities, and what a run keeps of them."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semicoupled.cli.main import main
from semicoupled.errors import RunError
from semicoupled.report import png
from semicoupled.rows import Row, read_rows
from semicoupled.run_folder import load
from semicoupled.tasks.nowcasting.extrapolation.baselines import advection
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.scores.evaluation import Probable, calibrate, evaluate_sequences, with_baselines
from semicoupled.tasks.nowcasting.scores.pictures import blur_audit, blur_curves, reliability_diagram
from semicoupled.tasks.nowcasting.scores.probability import Calibration, Neighborhood, exceedance
from semicoupled.tasks.nowcasting.scores.run_scores import headline, was_calibrated_on
from semicoupled.tasks.nowcasting.settings import EvaluationSettings

SETTINGS = EvaluationSettings(leads=3, thresholds=(15.0, 30.0), sprog="off")
START = datetime(2021, 2, 5, 20, tzinfo=UTC)
STEP = timedelta(minutes=5)
WKT = 'LOCAL_CS["plane",UNIT["metre",1]]'


def sequence(fields: np.ndarray, event: str = "one", start: datetime = START) -> RadarSequence:
    height, width = fields.shape[1:]
    times = tuple(start + index * STEP for index in range(len(fields)))
    grid = Grid(0.0, 2000.0, width, 0.0, -2000.0, height, WKT)
    return RadarSequence(event, times, STEP, fields.astype(np.float16), grid, (Path("x"),) * len(fields), "made up")


def showers(frames: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:60, :70].astype(float)
    fields = np.zeros((frames, 60, 70))
    for _ in range(9):
        (row, column), size = rng.uniform(0, 60, 2), rng.uniform(3, 8)
        for frame in range(frames):
            jitter = rng.normal(0, 1.2, 2)
            distance = np.hypot(y - row - jitter[0], x - column - 2 * frame + 10 - jitter[1])
            fields[frame] = np.maximum(fields[frame], 45 * np.exp(-((distance / size) ** 2)))
    fields[:, :4] = np.nan
    return fields


def evaluate(sequences: Sequence[RadarSequence], **options: Any) -> list[Row]:
    return evaluate_sequences(
        sequences,
        {"ours": advection, **with_baselines("none", None)},
        **{
            "input_frames": 3,
            "leads": 3,
            "thresholds": SETTINGS.thresholds,
            "windows_km": SETTINGS.windows_km,
            "bands_km": SETTINGS.bands_km,
            "ours": "ours",
            "probable": Probable({"ours": None, "advection": None}),
            **options,
        },
    )


def find(rows: Sequence[Row], model: str, metric: str, **condition: object) -> Row:
    (row,) = [row for row in rows if (row.model, row.metric, dict(row.condition)) == (model, metric, condition)]
    return row


def test_every_score_is_there_by_lead_and_by_event():
    rows = evaluate([sequence(showers(9)), sequence(showers(8, 1), "two", START + timedelta(days=1))])
    for metric, condition in (
        ("mse", {}),
        ("csi", {"threshold_dbz": 15}),
        ("fss", {"threshold_dbz": 15, "window_km": 20}),
        ("spectrum_ratio", {"band_km": "8-16"}),
        ("maximum_ratio", {}),
        ("brier", {"threshold_dbz": 15}),
        ("brier_skill", {"threshold_dbz": 15, "against": "climatology"}),
        ("mse_difference", {"against": "persistence"}),
    ):
        for limit in ({}, {"lead_minutes": 10}, {"event": "two"}):
            assert np.isfinite(find(rows, "ours", metric, **condition, **limit).value), (metric, limit)
    assert find(rows, "ours", "mse_difference", against="advection").value == 0
    assert find(rows, "ours", "brier_skill", threshold_dbz=15, against="advection").value == 0
    assert find(rows, "ours", "brier_skill", threshold_dbz=15, against="climatology").value > 0.2
    pixels = {row.count for row in rows if row.metric in ("mse", "fss", "spectrum_ratio", "brier") and not (
        {"lead_minutes", "event", "pooling"} & set(row.condition))}  # fmt: skip
    assert len(pixels) == 1  # the same pixels for all


def test_all_dry_is_no_error_and_rain_scores_are_undefined():
    rows = evaluate([sequence(np.zeros((8, 30, 40)))])
    assert find(rows, "ours", "mse").value == 0
    for row in rows:
        if row.metric in ("csi", "far", "pod", "hss", "frequency_bias", "correlation", "fss", "spectrum_ratio",
                          "maximum_ratio", "csi_difference", "fss_difference"):  # fmt: skip
            assert np.isnan(row.value), row
            assert row.interval is None
            if row.condition.get("pooling") == "per_frame":
                assert row.count == 0
    assert find(rows, "ours", "brier", threshold_dbz=15).value < 1e-4
    assert np.isnan(find(rows, "ours", "brier_skill", threshold_dbz=15, against="climatology").value)


def test_all_missing_is_no_error_and_everything_is_undefined_over_nothing():
    rows = evaluate([sequence(np.full((8, 30, 40), np.nan))])
    assert len(rows) > 100
    assert all(np.isnan(row.value) and row.count == 0 and row.interval is None for row in rows)
    figures = (reliability_diagram(rows, 15.0), blur_curves(rows))
    assert all(png(figure) for figure in figures)
    assert len(blur_audit(rows).rows) == 4


def test_an_event_of_one_frame_has_rows_over_nothing_beside_the_others():
    alone = sequence(showers(1), "alone", START + timedelta(days=2))
    rows = evaluate([sequence(showers(8)), alone])
    nothing = [row for row in rows if row.condition.get("event") == "alone"]
    assert nothing
    assert all(np.isnan(row.value) and row.count == 0 for row in nothing)
    assert find(rows, "ours", "mse").value == find(rows, "ours", "mse", event="one").value


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (5, 3)])
def test_fields_of_odd_sizes_are_scored(shape: tuple[int, int]):
    rows = evaluate([sequence(np.full((8, *shape), 20.0))])
    assert find(rows, "ours", "csi", threshold_dbz=15).value == 1
    assert find(rows, "ours", "fss", threshold_dbz=15, window_km=40).value == 1


def test_seconds_of_each_forecaster_are_logged(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO):
        evaluate([sequence(showers(8))])
    assert "advection_blur: " in caplog.text
    assert "s a forecast" in caplog.text


def test_what_is_scored_was_calibrated_on_other_starts(monkeypatch: pytest.MonkeyPatch):
    """A third event that is all rain or all dry changes the probabilities of the others, never its own."""
    module = "semicoupled.tasks.nowcasting.scores.evaluation.folds"
    events = [sequence(showers(8, seed), name, START + timedelta(days=seed)) for seed, name in enumerate("ab")]
    odd = sequence(np.zeros((8, 60, 70)), "c", START + timedelta(days=5))
    honest = evaluate([*events, odd])
    kept = [find(honest, "ours", "brier", threshold_dbz=15, event=name).value for name in "ab"]
    from semicoupled.tasks.nowcasting.scores.calibrating import Fold

    def cheating(names: Sequence[str], apart: int) -> list[Fold]:
        del apart
        return [Fold(np.ones(len(names), bool), np.ones(len(names), bool))]

    monkeypatch.setattr(module, cheating)
    cheated = evaluate([*events, odd])
    lower = [find(cheated, "ours", "brier", threshold_dbz=15, event=name).value for name in "ab"]
    assert sum(lower) < sum(kept)


def test_a_calibration_that_is_known_is_used_and_one_of_other_thresholds_is_not():
    events = [sequence(showers(9))]
    constant = Calibration((15.0, 30.0), (5.0,), ((0.0,),) * 2, ((1e-9,),) * 2)
    rows = evaluate(events, probable=Probable({"ours": constant}))
    assert find(rows, "ours", "brier", threshold_dbz=15).value == pytest.approx(0.25, abs=1e-6)
    other = dataclasses.replace(constant, thresholds=(15.0, 31.0))
    rows = evaluate(events, probable=Probable({"ours": other}))
    assert find(rows, "ours", "brier", threshold_dbz=15).value < 0.1
    assert not [row for row in evaluate(events, probable=None) if row.metric == "brier"]


def test_scores_are_those_of_the_layer_that_is_written():
    """What `exceedance` gives to the file is what the Brier score is of."""
    events = [sequence(showers(9))]
    fitted = calibrate(events, advection, input_frames=3, leads=3, thresholds=(15.0, 30.0), neighborhood=Neighborhood())
    rows = evaluate(events, probable=Probable({"ours": fitted}))
    dbz = events[0].dbz.astype(np.float32)
    errors = []
    for start in range(9 - 6 + 1):
        given = advection(dbz[start : start + 3], 3, 2.0)
        said = exceedance(given, fitted, 2.0, 5.0)[0].astype(float)
        came = dbz[start + 3 : start + 6]
        there = ~np.isnan(came) & ~np.isnan(said)
        errors.append(((said - (came >= 15)) ** 2)[there])
    expected = np.concatenate(errors).mean()
    assert find(rows, "ours", "brier", threshold_dbz=15).value == pytest.approx(expected, rel=1e-6)


def test_without_a_window_shares_are_taken_for_probabilities():
    fitted = calibrate(
        [sequence(showers(4))], advection, input_frames=3, leads=3, thresholds=(15.0,), neighborhood=Neighborhood()
    )
    assert fitted.slope == ((1.0, 1.0, 1.0),)


def test_the_time_of_the_validation_split_says_what_was_calibrated_on():
    description = {"validation": [{"from": START.isoformat(), "to": (START + 8 * STEP).isoformat()}]}
    assert was_calibrated_on(description, [sequence(showers(4), start=START + 6 * STEP)])
    assert not was_calibrated_on(description, [sequence(showers(4), start=START + 9 * STEP)])
    assert not was_calibrated_on({}, [sequence(showers(4))])


def test_the_headline_is_short_and_says_what_matters():
    rows = evaluate([sequence(showers(9)), sequence(showers(8, 1), "two", START + timedelta(days=1))])
    shown = headline(rows)
    assert len(shown) < len(rows) / 10
    assert {"mse", "csi", "mse_difference", "brier_skill", "spectrum_ratio"} <= {row.metric for row in shown}
    assert not any({"lead_minutes", "event", "pooling"} & set(row.condition) for row in shown)


@pytest.fixture
def run(make_folder: Callable[..., Path], tmp_path: Path) -> Path:
    folder = make_folder("root/one", frames=10)
    make_folder("root/two", frames=10, seed=1, start=START + timedelta(days=1))
    options = ["--data.validation=two", "--data.input_frames=3", "--data.output_frames=2", "--data.kilometers=1"]
    options += ["--data.crop=32", "--model.layers=2", "--model.width=8", "--model.patch=2", "--model.scales=2"]
    options += ["--evaluation.leads=3", "--evaluation.sprog=off", "--training.steps=1", "--training.batch=2"]
    arguments = [f"--data.root={folder.parent}", f"--run={tmp_path / 'run'}", "--device=cpu", *options]
    assert main(["train", "nowcasting", *arguments]) == 0
    return tmp_path / "run"


def test_a_run_keeps_its_calibration_and_scores_with_it(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    loaded = load(run, "cpu")
    for name in ("calibration", "calibration_advection"):
        kept = Calibration.from_json(json.loads((run / f"{name}.json").read_text()))
        assert kept.thresholds == (15.0, 20.0, 30.0, 40.0)
        assert kept.lead_minutes == (5.0, 10.0, 15.0)  # half of ten frames, less what goes in, is shorter
        assert Calibration.from_json(loaded.description[name]) == kept
    capsys.readouterr()
    out = tmp_path / "scores.json"
    choices = ["--evaluation.thresholds=[15.0,20.0]", "--evaluation.leads", "2"]
    with caplog.at_level(logging.INFO):
        assert main(["evaluate", "nowcasting", str(run), "--json", str(out), "--device=cpu"]) == 0
        assert "calibrated on the scored data" in caplog.text
        caplog.clear()
        elsewhere = str(run.parent / "root" / "one")
        assert main(["evaluate", "nowcasting", str(run), "--data.root", elsewhere, "--device=cpu"]) == 0
        assert "calibrated on the run's validation split" in caplog.text
    printed = capsys.readouterr().out
    rows = read_rows(out).rows
    assert f"of {len(rows)} scores; --json F writes all" in printed
    assert find(rows, "semicoupled", "brier", threshold_dbz=15).count > 0
    assert main(["evaluate", "nowcasting", *choices, str(run), "--json", str(out), "--device=cpu"]) == 0
    conditions = [row.condition for row in read_rows(out).rows]
    assert {each["threshold_dbz"] for each in conditions if "threshold_dbz" in each} == {15, 20}
    assert {each["lead_minutes"] for each in conditions if "lead_minutes" in each} == {5, 10}


def test_settings_that_change_the_model_cannot_be_chosen_anew(run: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["evaluate", "nowcasting", str(run), "--model.width=4"]) == 2
    assert "unknown option '--model.width'" in capsys.readouterr().err
    assert main(["evaluate", "nowcasting", str(run), "--evaluation.lead=4"]) == 2
    assert "evaluation.leads" in capsys.readouterr().err


def test_a_broken_calibration_is_named(run: Path):
    (run / "calibration.json").write_text("[")
    with pytest.raises(RunError, match=r"calibration\.json: is broken"):
        load(run, "cpu")
    (run / "calibration.json").unlink()
    assert "calibration" not in load(run, "cpu").description  # a run of an earlier version


@pytest.mark.slow
def test_the_rainy_evening_is_scored_in_a_minute_and_its_probabilities_are_reliable(real_data: Path):
    import time

    from semicoupled.tasks.nowcasting.data_settings import Reading
    from semicoupled.tasks.nowcasting.files.sequences import find_files, read_sequences

    torch.set_num_threads(1)
    folder = real_data / "radar/knmi_2021/2021-02-05"
    sequences = read_sequences(find_files(folder), folder, reading=Reading(kilometers=2)).sequences
    begun = time.process_time()  # whatever else the machine is doing
    rows = evaluate(sequences, input_frames=5, leads=6)
    assert time.process_time() - begun < 60
    assert find(rows, "advection", "brier_skill", threshold_dbz=15, against="climatology").value > 0.3
    brier = find(rows, "advection", "brier", threshold_dbz=15).value
    assert find(rows, "advection", "reliability", threshold_dbz=15).value < 0.05 * brier
