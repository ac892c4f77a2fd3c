"""The whole way: a folder of files -> a trained model -> scores -> a forecast."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from semicoupled.errors import DataError, SettingsError
from semicoupled.rows import Row
from semicoupled.task_requests import EvaluateRequest
from semicoupled.tasks.nowcasting.data_settings import Reading
from semicoupled.tasks.nowcasting.files.reading import read_frames
from semicoupled.tasks.nowcasting.files.sequences import find_files, read_sequences
from semicoupled.tasks.nowcasting.scores.evaluation import evaluate_sequences, with_baselines
from semicoupled.tasks.nowcasting.settings import DataSettings, ModelSettings, NowcastingSettings
from semicoupled.tasks.nowcasting.task import TASK, cut, read_splits
from semicoupled.training.description import remember_description
from semicoupled.training.loop import FitResult, fit
from semicoupled.training.ltsc import Segment
from semicoupled.training.settings import TrainingSettings

MODEL = ModelSettings(layers=2, width=8, patch=2, scales=2)


def settings(root: Path, **data: object) -> NowcastingSettings:
    options = {"input_frames": 3, "output_frames": 2, "kilometers": 1, "crop": 32, **data}
    return NowcastingSettings(
        data=DataSettings(root=str(root), **options),  # type: ignore[arg-type]
        model=MODEL,
        training=TrainingSettings(steps=3, batch=2, tensorboard=False),
        evaluation=dataclasses.replace(NowcastingSettings().evaluation, leads=3, sprog="off"),
    )


@pytest.fixture
def root(make_folder: Callable[..., Path]) -> Path:
    folder = make_folder("root/one", frames=10)
    make_folder("root/two", frames=8, seed=1)
    return folder.parent


@pytest.fixture
def trained(root: Path, tmp_path: Path) -> tuple[NowcastingSettings, FitResult]:
    chosen = settings(root, validation="two")
    return chosen, fit(TASK, chosen, tmp_path / "run", device="cpu")


def request(chosen: NowcastingSettings, model: object, root: Path | None, split: str) -> Sequence[Row]:
    return TASK.evaluate(EvaluateRequest(chosen, model, {}, root, split, torch.device("cpu")))  # type: ignore[arg-type]


def find(rows: Sequence[Row], model: str, metric: str, **condition: object) -> Row:
    (row,) = [row for row in rows if (row.model, row.metric, dict(row.condition)) == (model, metric, condition)]
    return row


def test_events_that_are_named_are_held_back_whole(root: Path):
    found = read_splits(settings(root, validation="two"))
    assert [sequence.event for sequence in found.train] == ["one"]
    assert [sequence.event for sequence in found.validation] == ["two"]


def test_a_pattern_that_holds_nothing_back_is_refused(root: Path):
    with pytest.raises(DataError, match=r"no file matches 'tow' of --data.validation 'two, tow'.*relative to"):
        _ = read_splits(settings(root, validation="two, tow"))


def test_without_names_the_end_is_held_back(make_folder: Callable[..., Path]):
    found = read_splits(settings(make_folder(frames=40)))
    assert found.validation[0].times[0] - found.train[-1].times[-1] > 6 * found.train[0].step
    assert (len(found.train[0]), len(found.validation[0])) == (26, 8)


def test_patterns_that_hold_back_nothing_or_everything_are_refused(root: Path):
    with pytest.raises(DataError, match=r"0 of 18 files match --data\.validation 'three'; expected some of them"):
        read_splits(settings(root, validation="three"))
    with pytest.raises(DataError, match="18 of 18 files"):
        read_splits(settings(root, validation="*"))
    with pytest.raises(SettingsError, match=r"Give --data\.root DIR"):
        read_splits(NowcastingSettings())


def test_training_scoring_and_the_report(trained: tuple[NowcastingSettings, FitResult], root: Path):
    chosen, result = trained
    assert result.steps == 3
    assert result.scores["mse_persistence"] > 0
    rows = request(chosen, result.model, None, "validation")
    assert {row.model for row in rows} == {"semicoupled", "persistence", "advection", "advection_blur"}
    assert {row.condition["lead_minutes"] for row in rows if "lead_minutes" in row.condition} == {5, 10, 15}
    pixels = find(rows, "semicoupled", "mse").count
    assert all(row.count == pixels for row in rows if not row.condition)
    assert pixels == 3 * 3 * (64 - 3) * (48 - 2)  # starts, leads, pixels that are not outside
    other = request(chosen, result.model, root / "one", "all")
    assert find(other, "persistence", "csi", lead_minutes=15, threshold_dbz=15).value < 1
    sections = TASK.draw(chosen, result.model, TASK.splits(chosen), Path())  # type: ignore[arg-type]
    assert [section.title for section in sections] == [
        "A forecast",
        "Scores",
        "What fading costs",
        "Probabilities",
    ]


def test_the_description_holds_what_a_forecast_must_know(root: Path):
    description = TASK.splits(settings(root, validation="two")).description
    assert description["step_seconds"] == 300
    assert description["kilometers"] == pytest.approx(1, rel=1e-4)
    assert description["train"][0]["event"] == "one"  # type: ignore[index]


def test_an_event_without_data_does_not_hinder_taking_a_training_up_again(root: Path, make_knmi: Callable[..., Path]):
    for file in sorted((root / "two").iterdir()):
        for frame in read_frames(file):
            make_knmi(file, np.full((64, 48), 255), frame.valid)
    remember_description(root.parent, TASK.splits(settings(root, validation="two")).description)
    remember_description(root.parent, TASK.splits(settings(root, validation="two")).description)
    held = json.loads((root.parent / "description.json").read_text(), parse_constant=pytest.fail)["validation"]
    assert held[0]["wet_share"] is None


def test_scores_of_baselines_alone_and_unknown_splits(root: Path):
    chosen = settings(root, validation="two")
    rows = request(chosen, None, None, "train")
    assert {row.model for row in rows} == {"persistence", "advection", "advection_blur"}
    with pytest.raises(SettingsError, match="there is no split 'test'"):
        request(chosen, None, None, "test")
    with pytest.raises(SettingsError, match=r"with --data\.root expected 'all'"):
        request(chosen, None, root, "train")


def test_too_few_frames_to_score_are_refused(make_folder: Callable[..., Path]):
    with pytest.raises(DataError, match="the longest sequence has 4 fields"):
        request(settings(make_folder(frames=40)), None, make_folder("short", frames=4), "all")


def test_windows_are_not_cut():
    with pytest.raises(SettingsError, match="trained whole"):
        cut(None, Segment(0, 3))  # type: ignore[arg-type]


def test_a_resume_gives_the_same_weights(root: Path, tmp_path: Path):
    chosen = settings(root, validation="two")
    whole = fit(TASK, chosen, tmp_path / "whole", device="cpu").model
    half = dataclasses.replace(chosen, training=dataclasses.replace(chosen.training, checkpoint_every=1))

    class StopError(Exception):
        pass

    def stopping(*arguments: object) -> object:
        raise StopError

    with pytest.raises(StopError):
        fit(dataclasses.replace(TASK, validate=stopping), half, tmp_path / "half", device="cpu")
    again = fit(TASK, half, tmp_path / "half", device="cpu").model
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_reference_points_of_the_rainy_evening(real_data: Path):
    """Persistence and advection half an hour ahead at 2 km, as measured beforehand by other code."""
    folder = real_data / "radar/knmi_2021/2021-02-05"
    data = read_sequences(find_files(folder), folder, reading=Reading(kilometers=2))
    rows = evaluate_sequences(
        data.sequences, with_baselines("none", None), input_frames=5, leads=6, thresholds=(15.0,), stride=5
    )
    persistence, advection = (
        find(rows, name, "csi", lead_minutes=30, threshold_dbz=15).value for name in ("persistence", "advection")
    )
    assert persistence < 0.15
    assert advection > 0.28
    assert find(rows, "advection", "mse").value < 0.6 * find(rows, "persistence", "mse").value


@pytest.mark.slow
def test_a_whole_evening_is_scored_in_two_minutes(real_data: Path):
    folder = real_data / "radar/knmi_2021/2021-02-05"
    torch.manual_seed(0)
    model = TASK.build(NowcastingSettings(), {})
    start = time.monotonic()
    rows = request(NowcastingSettings(), model.eval(), folder, "all")  # type: ignore[attr-defined]
    assert time.monotonic() - start < 120
    assert np.isfinite(find(rows, "semicoupled", "mse", lead_minutes=30).value)
