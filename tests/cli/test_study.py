from __future__ import annotations

from pathlib import Path

import pytest

from semicoupled.cli.main import main
from semicoupled.rows import read_rows


def test_a_study_leaves_scores_a_plot_and_a_section(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs, scores, page = tmp_path / "runs", tmp_path / "star.json", tmp_path / "docs" / "toys.md"
    arguments = ["study", "star", "--quick", "--device=cpu", "--variants", "strided,full_sequence", "--out", str(runs)]
    assert main([*arguments, "--json", str(scores), "--page", str(page)]) == 0
    printed = capsys.readouterr().out
    assert "full sequence, no segments" in printed
    assert "truncated" not in printed
    found = read_rows(scores)
    assert (found.task, found.data) == ("toy", "generated")
    assert {row.condition["variant"] for row in found.rows} == {"strided", "full_sequence"}
    assert {row.condition["tested"] for row in found.rows} == {"streamed", "segmented"}
    assert {row.condition["distance"] for row in found.rows} >= {"0-10", "all"}
    written = page.read_text(encoding="utf-8")
    assert "    semicoupled study star --quick --seeds 0 --variants strided,full_sequence\n" in written
    assert str(tmp_path) not in written
    for row in found.rows:
        assert f"{row.value:.3f}" in written
    for picture in (runs / "star.png", page.parent / "study-star.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_every_variant_of_the_ablation_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "ablation", "--quick", "--device=cpu", "--steps", "1", "--out", str(tmp_path / "runs")]) == 0
    printed = capsys.readouterr().out
    for label in ("whole", "without the two sub-goals", "without the temporal goal only", "without ASTSGD"):
        assert label in printed
    assert "Seed 0." in printed
    assert len(list((tmp_path / "runs").glob("*-0"))) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stars"], "no study 'stars'"),
        (["star", "--variants", "stride"], "no variant 'stride'"),
        (["star", "--seeds", "1,1"], "every seed once"),
        (["star", "--seeds", "one"], "whole numbers parted by commas"),
        (["star", "--budget", "5"], "duration with its unit"),
        ([], "required: STUDY"),
    ],
)
def test_what_cannot_be_is_refused(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", *arguments]) == 2
    assert message in capsys.readouterr().err
