"""``semicoupled reproduce`` on the command line: what it refuses, plans, prints and writes, and how it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from semicoupled.cli.main import main
from semicoupled.reproduce.registry import NAMES
from semicoupled.rows import read_rows
from semicoupled.studies.training import TRAINED
from semicoupled.tasks.driving.study import running

LINES = "cnn,cnn_lstm_length3"
QUICK = ["reproduce", "table5", "--quick", "--device=cpu", "--lines", LINES]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEMICOUPLED_DATA", raising=False)


def test_the_list_names_all_tables_and_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "--list"]) == 0
    printed = capsys.readouterr().out
    expected = [*(f"table{number}" for number in range(2, 8)), *(f"figure{number}" for number in range(2, 6))]
    assert [line.split()[0] for line in printed.splitlines()] == [*expected, "supplement"] == list(NAMES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["table9"], "there is nothing called 'table9' to reproduce. Did you mean 'table"),
        (["table5", "--lines", "cn"], "table5 has no line 'cn'. Did you mean 'cnn'"),
        (["figure3", "--lines", "cnn"], "--lines: figure3 is no table"),
        (["table5"], "--data.root: expected where the data are, got nothing. The paper used comma.ai's data set"),
        (["table7", "--data.root", "x"], "--data.validation: expected where the data are, got nothing"),
        (["table5", "--quick", "--size", "paper"], "the paper's size is nothing for minutes"),
        (["table5", "--quick", "--preset", "p5"], "the study driving name their presets themselves"),
        (["figure3", "--data.root", "x"], "figure3 needs no data and has no presets"),
        (["table5", "--quick", "--data.rot", "x"], "unknown option '--data.rot'"),
        (["table5", "--list"], "--list shows all there is"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["reproduce", *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_the_plan_says_what_is_trained_how_long_it_takes_and_on_which_data(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMICOUPLED_DATA", str(tmp_path / "data"))
    assert main(["reproduce", "table5", "--dry-run", "--lines", LINES, "--budget", "90s"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for text in (
        "runs/study-driving/cnn_lstm_length3-N │ 0, 1, 2 │ to do",
        "--preset cnn_lstm --preset length_3",
        "6 trainings, 6 left: about 9 minutes, and the scoring.",
        "LiVi-Set",
        '--data.root "$DATA/driving/yuki_tub"',
        "Differs: Data: a car of a tenth of the size",
    ):
        assert text in printed
    assert not list(tmp_path.iterdir())
    assert main(["reproduce", "table5", "--dry-run", "--size", "paper", "--lines", "cnn", "--seeds", "0"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "runs/study-driving-paper/cnn-0" in printed
    assert "as long as its steps take" in printed


def test_one_that_was_interrupted_goes_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, file = tmp_path / "docs" / "paper.md", tmp_path / "rows.json"
    make, asked = running.make_answers, 0

    def interrupted(*arguments: object, **more: object) -> object:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise KeyboardInterrupt
        return make(*arguments, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(running, "make_answers", interrupted)
        assert main([*QUICK, "--page", str(page), "--json", str(file)]) == 130
    assert not page.exists()
    assert not file.exists()
    runs = tmp_path / "runs" / "reproduce-quick" / "driving"
    before = {path: path.stat().st_mtime_ns for path in runs.rglob(TRAINED)}
    assert len(before) == 2  # the second is trained and not yet scored
    _ = capsys.readouterr()
    assert main([*QUICK, "--dry-run"]) == 0
    assert "2 trainings, 0 left" in capsys.readouterr().out

    assert main([*QUICK, "--page", str(page), "--json", str(file)]) == 0
    assert {path: path.stat().st_mtime_ns for path in runs.rglob(TRAINED)} == before
    assert "Table 5: accuracy (24) in percent" in capsys.readouterr().out
    written = page.read_text(encoding="utf-8")
    for text in (
        "<!-- reproduce table5: begin -->",
        f"    semicoupled reproduce table5 --quick --seeds 0 --lines {LINES}\n",
        "**With `--quick`",
        "| paper: LiVi, 6 deg |",
        "| CNN+LSTM, length 3 | 27.3 | 14.5 | 0.057 | 42.3 | 21 | 0.058 |",
        "](reproduce-table5.png)",
        "What differs here:",
    ):
        assert text in written
    assert str(tmp_path) not in written
    assert (page.parent / "reproduce-table5.png").read_bytes().startswith(b"\x89PNG")
    found = read_rows(file)
    assert found.task == "driving"
    assert found.data == "generated"
    paper = [row for row in found.rows if row.model == "paper"]
    assert [row.value for row in paper if row.condition["line"] == "cnn"] == [24.5, 13.0, 0.057, 45.2, 25.3, 0.056]
    assert {row.condition["variant"] for row in found.rows if row.metric == "steps"} == set(LINES.split(","))


def test_figure_3_trains_nothing_and_is_exact(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "paper.md"
    assert main(["reproduce", "figure3", "--page", str(page)]) == 0
    assert "3,458,158,069.00" in capsys.readouterr().out
    written = page.read_text(encoding="utf-8")
    assert "    semicoupled reproduce figure3\n" in written
    assert "](reproduce-figure3.png)" in written


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name != "figure3"])
def test_every_one_runs_quickly_on_made_data(name: str, tmp_path: Path) -> None:
    page = tmp_path / "paper.md"
    assert main(["reproduce", name, "--quick", "--device=cpu", "--page", str(page), "--json", "rows.json"]) == 0
    written = page.read_text(encoding="utf-8")
    assert f"    semicoupled reproduce {name} --quick --seeds 0\n" in written
    assert f"<!-- reproduce {name}: end -->" in written
    assert read_rows(tmp_path / "rows.json").rows
    assert list(tmp_path.glob("reproduce-*.png"))
