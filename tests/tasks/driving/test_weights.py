"""The weights that come with the package: small, of use without any training, and saying what they once said."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.tasks.driving.tubs import course, view, write_tub

from semicoupled.cli.main import main
from semicoupled.run_folder import PRETRAINED, load

WEIGHTS = PRETRAINED / "driving" / "small"
LARGEST = 5_000_000
STORED = Path(__file__).with_name("stored_answers.csv")
"""What it said of `drive`: ``semicoupled predict driving pretrained FOLDER --rate 20 --precision float32``."""
MILLISECONDS = 250.0
"""Of the mean frame: a busy test machine's bound; a free core needs some 5."""


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """Sixty made frames, without loss."""
    folder = tmp_path / "drive"
    folder.mkdir()
    for index, angle in enumerate(course(60)):
        assert cv2.imwrite(str(folder / f"{index:03d}.png"), view(float(angle))[..., ::-1])
    return folder


def test_they_are_small_and_say_nothing_of_where_they_were_made() -> None:
    assert (WEIGHTS / "model.safetensors").stat().st_size <= LARGEST
    texts = [path.read_text(encoding="utf-8") for path in WEIGHTS.iterdir() if path.suffix != ".safetensors"]
    assert not [found for text in texts for found in re.findall(r"(?<![\w.$])/(?:work|home|root|tmp)/", text)]
    assert load("pretrained", "cpu", "driving").settings.data.root == ""


@pytest.mark.parametrize("section", ["Data", "License", "Scores", "Limits", "How it was made"])
def test_their_card_has_what_a_user_must_know(section: str) -> None:
    card = (WEIGHTS / "README.md").read_text(encoding="utf-8")
    assert f"\n## {section}\n" in card
    assert "MIT" in card


def test_a_replayed_drive_gives_the_stored_answers_in_time(drive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["replay", "driving", "pretrained", str(drive), "--rate=20", "--device=cpu", f"--against={STORED}"]
    assert main([*command, f"--budget={MILLISECONDS:g}"]) == 0, capsys.readouterr().out
    rows = list(csv.DictReader(STORED.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 60
    assert np.ptp([float(row["angle"]) for row in rows if row["angle"]]) > 0.05  # it answers what it sees


def test_other_answers_are_found(drive: Path, tmp_path: Path) -> None:
    head, *lines = STORED.read_text(encoding="utf-8").splitlines()
    fields = lines[40].split(",")
    place = head.split(",").index("angle")
    fields[place] = str(float(fields[place]) + 0.05)
    lines[40] = ",".join(fields)
    (tmp_path / "other.csv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    command = ["replay", "driving", "pretrained", str(drive), "--rate=20", "--device=cpu"]
    assert main([*command, f"--against={tmp_path / 'other.csv'}"]) == 1


def test_they_are_scored_beside_the_baselines(tmp_path: Path) -> None:
    tub, scores = write_tub(tmp_path / "tub", {"a": course(60)}), tmp_path / "scores.json"
    assert main(["evaluate", "driving", "pretrained", f"--data.root={tub}", f"--json={scores}", "--device=cpu"]) == 0
    models = {row["model"] for row in json.loads(scores.read_text(encoding="utf-8"))["rows"]}
    assert {"semicoupled", "mean", "straight"} <= models
