"""What a task is asked to do, and what is refused before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from semicoupled.errors import SettingsError
from semicoupled.task_parts import TaskSettings
from semicoupled.task_requests import EvaluateRequest, PredictRequest

SPLITS = ("validation", "train", "all")


def request(split: str, root: Path | None = None) -> EvaluateRequest[Any]:
    return EvaluateRequest(cast(TaskSettings, None), None, {}, root, split, torch.device("cpu"))


@pytest.mark.parametrize("elsewhere", [None, ("all",)])
def test_a_split_that_there_is_not_is_refused_with_the_nearest(elsewhere: Sequence[str] | None) -> None:
    for split in SPLITS:
        request(split).check_split(SPLITS, elsewhere)
    with pytest.raises(SettingsError, match=r"there is no split 'validaton'\. Did you mean 'validation'\?"):
        request("validaton").check_split(SPLITS, elsewhere)


def test_other_data_have_the_splits_that_the_task_says(tmp_path: Path) -> None:
    request("train", tmp_path).check_split(SPLITS)
    request("all", tmp_path).check_split(SPLITS, ("all",))
    with pytest.raises(
        SettingsError, match=r"split 'train' is of the run's own data; with --data\.root expected 'all'"
    ):
        request("train", tmp_path).check_split(SPLITS, ("all",))


def test_one_place_to_write_to(tmp_path: Path) -> None:
    assert PredictRequest([], [tmp_path]).only_out() == tmp_path
    with pytest.raises(SettingsError, match=r"--out: expected one file, got a, b\. Give it once"):
        PredictRequest([], [Path("a"), Path("b")]).only_out()
