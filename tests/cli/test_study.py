from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from semicoupled.cli.main import main
from semicoupled.rows import read_rows

MAKERS = Path(__file__).parents[1] / "tasks" / "nowcasting" / "conftest.py"


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


@pytest.fixture(scope="module")
def radar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An event to learn from, one to hold back, and another place."""
    spec = importlib.util.spec_from_file_location("makers_for_studies", MAKERS)
    assert spec is not None
    assert spec.loader is not None
    makers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(makers)
    folder = tmp_path_factory.mktemp("data") / "radar"
    for seed, name in enumerate(("root/one", "root/two", "elsewhere")):
        for frame in range(8):
            time = makers.START + frame * makers.STEP
            makers.write_knmi(folder / name / f"{frame}.h5", makers.moving_rain(frame, seed=seed), time)
    return folder


def test_the_study_of_rain_says_what_is_reached(
    radar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, scores, page = tmp_path / "runs", tmp_path / "rain.json", tmp_path / "docs" / "nowcasting.md"
    monkeypatch.setenv("SEMICOUPLED_DATA", str(radar.parent))
    arguments = ["study", "rain", "--quick", "--device=cpu", "--variants", "semicoupled_plain_p0", "--seeds", "3"]
    arguments += ["--data.root", str(radar / "root"), "--data.validation", "two", "--other", str(radar / "elsewhere")]
    arguments += ["--out", str(runs), "--json", str(scores), "--page", str(page)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    for text in ("squared error at or below ConvLSTM's, plain form", "not known", "plain, p = 0", "Table 7", "0.5636"):
        assert text in printed
    found = read_rows(scores)
    assert found.task == "nowcasting"
    assert {row.condition["data"] for row in found.rows if "data" in row.condition} == {"validation", "elsewhere"}
    assert {row.condition["seed"] for row in found.rows if "seed" in row.condition} == {3}
    (score,) = (
        row
        for row in found.rows
        if row.metric == "mse"
        and dict(row.condition) == {"data": "validation", "variant": "semicoupled_plain_p0", "seed": 3}
    )
    written = page.read_text(encoding="utf-8")
    assert f"| {score.value:.4g} |" in written
    command = (
        'semicoupled study rain --quick --data.root "$DATA/radar/root" --data.validation two '
        '--other "$DATA/radar/elsewhere" --seeds 3 --variants semicoupled_plain_p0'
    )
    assert f"    {command}\n" in written
    assert str(tmp_path) not in written
    assert str(radar) not in written
    for picture in (runs / "rain.png", page.parent / "study-rain.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")


RAIN = ["rain", "--data.root", "nowhere", "--data.validation", "x"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rain"], "required: --data.root"),
        ([*RAIN, "--variants", "convlsmt"], "no variant 'convlsmt'"),
        ([*RAIN, "--budget", "5"], "duration with its unit"),
        ([*RAIN, "--steps", "5"], "unknown option '--steps'"),
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
