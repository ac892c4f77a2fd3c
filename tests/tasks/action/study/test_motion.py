"""Made clips, of which it is known what needs time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semicoupled.cli.main import main
from semicoupled.errors import DataError
from semicoupled.rows import Row
from semicoupled.studies.page import means_of
from semicoupled.studies.request import StudyRequest
from semicoupled.tasks.action.listing.recognize import list_clips
from semicoupled.tasks.action.study import motion
from semicoupled.tasks.action.study.made import CLASSES, LOOKS, MOVING, STILL, Counts, clip, write_clips
from semicoupled.tasks.action.study.running import run_study
from semicoupled.tasks.action.study.variants import VARIANTS


def way(label: str) -> np.ndarray:
    """How the middle of a shape goes from one frame to the next, x y, the short way round."""
    frames = np.abs(clip(label, 0, 3).astype(float) - 128)
    where = np.exp(2j * np.pi * np.arange(LOOKS.size) / LOOKS.size)  # on a torus, the middle is an angle
    angles = np.stack([np.angle(frames.sum(1) @ where), np.angle(frames.sum(2) @ where)], 1)
    steps = np.angle(np.exp(1j * np.diff(angles, axis=0)))
    return steps.mean(0) * LOOKS.size / (2 * np.pi)


def heading(label: str) -> list[float]:
    """The same, one pixel long."""
    return (np.rint(way(label) / np.hypot(*way(label))) + 0.0).tolist()


def test_squares_go_the_way_of_their_class() -> None:
    found = {label: heading(label) for label in MOVING}
    assert found == {"square_E": [1, 0], "square_N": [0, -1], "square_W": [-1, 0], "square_S": [0, 1]}
    assert heading("disc") in found.values()


def test_clips_are_written_once(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "clips", Counts(2, 1, 1))
    listing = list_clips(root)
    assert (listing.format, len(listing.clips), sorted(listing.classes)) == ("folder of classes", 24, sorted(CLASSES))
    assert {clip.split for clip in listing.clips} == {"train", "validation", "test"}
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*.png")}
    assert write_clips(root, Counts(2, 1, 1)) == root
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*.png")} == before
    with pytest.raises(DataError, match=r"holds clips that were made otherwise; expected .*train=3.*Delete it"):
        _ = write_clips(root, Counts(3, 1, 1))


def test_the_command_makes_trains_and_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "action.md"
    asked = ["study", "motion", "--quick", "--device=cpu", "--seeds", "0", "--variants", "whole"]
    asked += ["--precision", "float32"]
    assert main([*asked, "--out", str(tmp_path / "runs"), "--page", str(page)]) == 0
    printed = capsys.readouterr().out
    assert "importance of time for square_E" in printed
    written = page.read_text(encoding="utf-8")
    assert "    semicoupled study motion --quick --seeds 0 --variants whole --precision float32\n" in written
    assert "<!-- study motion: begin -->" in written
    assert "](study-motion-whole.png)" in written


def rows(importance: dict[str, float]) -> list[Row]:
    found: list[Row] = []
    for name, value in importance.items():
        about = {"data": "test", "variant": "whole", "class": name}
        found.append(Row("semicoupled", "importance", about, value, 30))
        said = 0.2 if name in MOVING else 0.9
        found.append(Row("semicoupled", "probability", {**about, "stream": "spatial"}, said, 30))
    return found


def test_what_is_known_is_asked_for() -> None:
    right = {**dict.fromkeys(MOVING, 0.7), **dict.fromkeys(STILL, 0.02)}
    assert all(goal.is_met for goal in motion.goals(rows(right)))
    wrong = {goal.text for goal in motion.goals(rows({**right, "square_N": 0.1, "disc": 0.4})) if not goal.is_met}
    assert wrong == {"importance of time for square_N", "importance of time for disc"}
    assert {goal.is_met for goal in motion.goals([])} == {None}


@pytest.mark.slow
def test_the_table_says_what_is_known_of_the_clips(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "clips")
    chosen = [variant for variant in VARIANTS if variant.name == "whole"]
    found = run_study(
        StudyRequest(chosen, [0], tmp_path, options=[f"--data.root={root}"], presets=motion.PRESETS, device="cpu")
    )
    assert [goal.text for goal in motion.goals(means_of(found)) if not goal.is_met] == []
