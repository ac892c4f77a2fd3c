"""Made clips as a folder to train on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semicoupled.cli.main import main
from semicoupled.errors import DataError, SettingsError
from semicoupled.settings_file import parse_settings
from semicoupled.task_requests import MakeRequest
from semicoupled.tasks.action.making import MADE, make
from semicoupled.tasks.action.settings import ActionSettings
from semicoupled.tasks.action.study.made import CLASSES, Counts, write_clips
from semicoupled.tasks.action.task import splits


def clips(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


def test_a_folder_is_made_that_can_be_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "make", "action", str(tmp_path / "clips"), "--count", "12"]) == 0
    assert "36 clips of 12 frames of 16 x 16 px, seed 0" in " ".join(capsys.readouterr().out.split())
    options = [f"--data.root={tmp_path / 'clips'}", "--data.height=16", "--data.width=16", "--data.frames=12"]
    found = splits(parse_settings(ActionSettings, options))
    assert found.description["classes"] == sorted(CLASSES)
    assert found.description["clips"] == {"train": 12, "validation": 6, "test": 18}


def test_the_same_seed_makes_the_same_clips_and_no_two_parts_share_one(tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        make(MakeRequest(tmp_path / name, 6, seed))
    one, again, other = (clips(tmp_path / name) for name in ("one", "again", "other"))
    assert one == again
    assert one.keys() == other.keys()
    assert not set(one.values()) & set(other.values())
    assert len(set(one.values())) == len(one)


def test_a_family_goes_on_where_studies_end(tmp_path: Path) -> None:
    write_clips(tmp_path / "study", Counts(1, 1, 1), MADE)
    make(MakeRequest(tmp_path / "made", 6))
    file = "train/disc/disc000/005.png"
    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / "study" / file)), np.asarray(Image.open(tmp_path / "made" / file))
    )
    with pytest.raises(DataError, match="holds clips that were made otherwise"):
        write_clips(tmp_path / "study", Counts(1, 1, 1), MADE, family=1)


def test_what_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    with pytest.raises(DataError, match="full: is there already; expected a new or an empty folder"):
        make(MakeRequest(tmp_path / "full", 6))
    with pytest.raises(SettingsError, match="--count: expected at least 1, got 0"):
        make(MakeRequest(tmp_path / "new", 0))
    with pytest.raises(SettingsError, match="--seed: expected 0 or more, got -1"):
        make(MakeRequest(tmp_path / "new", 6, -1))
    with pytest.raises(SettingsError, match="no data are generated for task driving"):
        main_raising(["data", "make", "driving", str(tmp_path / "new")])


def main_raising(arguments: list[str]) -> None:
    from semicoupled.cli.data import main as data

    data(arguments[1:])
