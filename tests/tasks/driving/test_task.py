"""Driving as a task: what is trained on, scored, and written."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from tests.tasks.driving.tubs import course, write_tub

from semicoupled.errors import DataError, SettingsError
from semicoupled.settings_file import parse_settings
from semicoupled.task_parts import TaskModel
from semicoupled.task_requests import EvaluateRequest, PredictRequest
from semicoupled.tasks.driving.answering import answer_drive
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.formats.reading import read_drives
from semicoupled.tasks.driving.model import DrivingModel
from semicoupled.tasks.driving.operating.answer_table import COLUMNS
from semicoupled.tasks.driving.settings import DrivingSettings
from semicoupled.tasks.driving.task import TASK, read_splits
from semicoupled.tasks.driving.validation import quick_scores
from semicoupled.training.loop import fit
from semicoupled.training.ltsc import Segment
from semicoupled.training.progress import NoProgress
from semicoupled.training.sampling import SampleKey

SMALL = (
    "--data.frames=4", "--data.width=40", "--data.height=32", "--model.widths=[8,8]", "--model.strides=[2,2]",
    "--training.batch=4", "--training.steps=2",
)  # fmt: skip


def settings_for(folder: Path, *more: str) -> DrivingSettings:
    if not folder.exists():
        _ = write_tub(folder, {str(run): course(14, run) for run in range(4)})
    return parse_settings(DrivingSettings, [f"--data.root={folder}", "--data.validation=last:1", *SMALL, *more])


def model_for(settings: DrivingSettings) -> DrivingModel:
    return cast(DrivingModel, TASK.build(settings, {})).eval()


def request_for(settings: DrivingSettings, **more: Any) -> EvaluateRequest[DrivingSettings]:
    model = cast(TaskModel, model_for(settings))
    asked: dict[str, Any] = {"root": None, "split": "validation", "description": {"unit": "normalized"}, **more}
    return EvaluateRequest(settings=settings, model=model, device=torch.device("cpu"), **asked)


def test_what_is_held_back_is_never_learned_from(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "tub", "--data.test=0")
    splits = TASK.splits(settings)
    assert [seen.drive.run for seen in cast(Any, splits.train).drives] == ["1", "2"]
    assert [seen.drive.run for seen in cast(Any, splits.validation).drives] == ["3"]
    assert splits.description["test"] == ["0"]
    assert splits.description["mean_angle"] == pytest.approx(np.concatenate([course(14, 1), course(14, 2)]).mean())
    assert splits.description["frame_seconds"] == 0.1
    assert not torch.equal(*(cast(Any, splits.train)[SampleKey(0, draw)].frames for draw in (0, 1)))
    assert torch.equal(*(cast(Any, splits.validation)[SampleKey(0, draw)].frames for draw in (0, 1)))


def test_the_shape_of_a_course_is_learned(tmp_path: Path) -> None:
    folder = write_tub(tmp_path / "tub", {str(run): course(120, run) for run in range(3)})
    settings = settings_for(
        folder, "--training.steps=60", "--training.learning_rate=0.01", "--data.augment.mirror=0",
        "--data.angle.smooth_seconds=0", "--training.weight_average=0.9",
    )  # fmt: skip
    result = fit(cast(Any, TASK), settings, tmp_path / "run", device="cpu")
    assert result.scores["r2"] > 0.5
    assert result.scores["score"] == -result.scores["mse"]


def test_quick_scores_by_hand() -> None:
    times, truth = np.arange(4) / 10, np.array([0.0, 1.0, np.nan, -1.0])
    drive = DriveAnswers("a", "a", "normalized", times, truth, main=np.array([0.5, 0.5, 0.5, np.nan]))
    found = quick_scores([drive], 1.0, 0.0)
    sigmoid = 1 / (1 + np.exp(-np.array([0, 1, 0.5])))
    assert found.count == 2
    assert found.mse == pytest.approx(((sigmoid[0] - sigmoid[2]) ** 2 + (sigmoid[1] - sigmoid[2]) ** 2) / 2)
    assert found.r2 == pytest.approx(0)  # the mean of what counts
    assert found.rmse == pytest.approx(0.5)
    nothing = quick_scores([drive._replace(truth=np.full(4, np.nan))], 1.0, 0.5)
    assert nothing.count == 0
    assert np.isnan(nothing.r2)


def test_a_clip_can_be_cut_into_segments(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "tub", "--data.frames=6", "--segments.length=3", "--segments.overlap=0.34")
    result = fit(cast(Any, TASK), settings, tmp_path / "run", device="cpu", progress=NoProgress())
    assert result.steps == 2
    data = cast(Any, TASK.splits(settings).train)
    batch = torch.utils.data.default_collate([data[SampleKey(0)], data[SampleKey(1)]])
    part = TASK.cut(batch, Segment(2, 5))
    assert torch.equal(part.weight, batch.weight[:, 2:5])
    assert part.flow.shape[:2] == (2, 3)


def test_splits_to_score_are_named(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "tub", "--data.test=last:1")
    counts = {
        split: TASK.evaluate(request_for(settings, split=split))[0].count
        for split in ("train", "validation", "test", "all")
    }
    assert counts == {"train": 28, "validation": 14, "test": 14, "all": 56}
    with pytest.raises(SettingsError, match=r"split test of this run has no drives\. Train with data\.test"):
        TASK.evaluate(request_for(settings_for(tmp_path / "tub"), split="test"))
    with pytest.raises(DataError, match=r"run 0: angles are normalized, the model learned degrees"):
        TASK.evaluate(request_for(settings, root=tmp_path / "tub", split="all", description={"unit": "degrees"}))


def test_other_data_of_short_drives_are_told(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "tub", "--data.rate=20")
    _ = write_tub(tmp_path / "short", {"a": course(3)})
    with pytest.raises(DataError, match=r"no drive has the 4 frames of a clip; the longest of 1 has 3\."):
        TASK.evaluate(request_for(settings, root=tmp_path / "short", split="all"))


def test_a_split_of_other_data_is_what_the_runs_settings_make_of_it(tmp_path: Path) -> None:
    settings, other = settings_for(tmp_path / "tub", "--data.test=last:2"), tmp_path / "other"
    _ = write_tub(other, {str(run): course(14, run) for run in range(5)})

    def count(settings: DrivingSettings, split: str) -> int | None:
        return TASK.evaluate(request_for(settings, root=other, split=split))[0].count

    counts = {split: count(settings, split) for split in ("train", "test")}
    assert counts == {"train": 28, "test": 28}
    without = settings_for(tmp_path / "tub")
    with pytest.raises(SettingsError, match=r"split test of .*other, parted as the run's settings say, has no drives"):
        count(without, "test")
    named = settings_for(tmp_path / "tub", "--data.test=0,2021*")
    assert count(named, "all") == 70
    with pytest.raises(DataError, match=r"data\.test: no run matches '2021\*'; there are 0, 1, 2, 3, 4"):
        count(named, "test")


def test_without_data_the_setting_is_named() -> None:
    with pytest.raises(SettingsError, match=r"data\.root: expected a drive or a folder of drives, got nothing"):
        read_splits(DrivingSettings())


def test_predictions_are_a_row_a_frame_as_the_model_answers(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "tub")
    model = model_for(settings)
    torch.nn.init.normal_(model.main_head.head.linear.weight)
    predictor = TASK.predictor(settings, {"unit": "normalized"}, cast(TaskModel, model))
    (written,) = predictor.predict(PredictRequest([tmp_path / "tub"], [tmp_path / "angles.csv"]))
    with written.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    drives = read_drives(tmp_path / "tub", settings.data)
    assert len(rows) == sum(map(len, drives))
    wanted = answer_drive(model, drives[2], settings.data)
    mine = [row for row in rows if row["drive"] == "2"]
    assert [float(row["angle"]) for row in mine] == pytest.approx(wanted.main, abs=1e-5)
    assert [float(row["temporal"]) for row in mine] == pytest.approx(wanted.temporal, abs=1e-5)
    assert [float(row["truth"]) for row in mine] == pytest.approx(course(14, 2), abs=1e-5)
    with pytest.raises(DataError, match="nothing to predict from; expected a video"):
        list(predictor.predict(PredictRequest([], [tmp_path / "angles.csv"])))


def test_a_clip_without_an_answered_frame_and_rivals_with_side_goals_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"sub_goals\.warm_up: 8 of data\.frames 8 leave no frame to learn from"):
        parse_settings(DrivingSettings, ["--sub_goals.warm_up=8"])
    with pytest.raises(SettingsError, match=r"goals: model\.kind cnn has the main stream alone"):
        parse_settings(DrivingSettings, ["--model.kind=cnn"])
    with pytest.raises(SettingsError, match=r"data\.crop_top and data\.crop_bottom: together 0\.95 of the height"):
        parse_settings(DrivingSettings, ["--data.crop_top=0.5", "--data.crop_bottom=0.45"])
    with pytest.raises(SettingsError, match=r"data\.angle\.sign: expected 1, -1 or null, got 2"):
        parse_settings(DrivingSettings, ["--data.angle.sign=2"])


def test_thresholds_and_bounds_follow_the_unit() -> None:
    evaluation = DrivingSettings().evaluation
    assert evaluation.thresholds("degrees") == (6, 3)  # Table 5
    assert evaluation.bounds("normalized") == (0.1, 0.5)
    assert dataclasses.replace(evaluation, sharp=0.7).bounds("normalized") == (0.1, 0.7)


def test_the_real_car_is_read(real_data: Path) -> None:
    folder = real_data / "driving" / "yuki_tub"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    found = read_splits(parse_settings(DrivingSettings, [f"--data.root={folder}"]))
    assert [drive.run for drive in found.validation] == ["20", "21", "22", "23", "24"]
    assert sum(map(len, found.validation)) == 3233
    assert sum(map(len, found.train)) == 11_979 - 3233 - (2 + 3 + 13 + 11 + 7)  # runs shorter than a clip
    assert {drive.unit for drive in found.train} == {"normalized"}
