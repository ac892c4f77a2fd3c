"""The demo, in its form of seconds: what it writes, and that it is quick the second time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semicoupled import report
from semicoupled.cli import demo_report, demo_shapes
from semicoupled.cli.demo_report import mean_table, training_table
from semicoupled.cli.demo_runs import Finished, toy_settings
from semicoupled.cli.main import main
from semicoupled.page import markdown_table, write_markdown
from semicoupled.report import Table
from semicoupled.rows import Row, read_rows


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    out = ["--out", str(folder / "runs"), "--json", str(folder / "rows.json"), "--markdown", str(folder / "table.md")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_report, "PROBED", 64)
        assert main(["demo", "--quick", "--device=cpu", *out]) == 0
    return folder


def test_rows_are_as_promised(shown: Path) -> None:
    found = read_rows(shown / "rows.json")
    assert found.task == "toy"
    tests = {(row.model, row.condition["question"], row.condition["test"], row.condition["seed"]) for row in found.rows}
    assert tests == {
        (model, question, test, 0)
        for model in ("semicoupled", "cnn_lstm")
        for question, test in (
            ("which_way", "seen"),
            ("which_way", "unseen_shapes"),
            ("which_shape", "seen"),
            ("which_shape", "shuffled_frames"),
        )
    }
    assert {row.metric for row in found.rows} == {"accuracy"}
    assert {set(row.condition) == {"question", "test", "seed"} for row in found.rows} == {True}


def test_the_report_shows_all_of_it(shown: Path) -> None:
    page = (shown / "runs" / "report.html").read_text(encoding="utf-8")
    for title in (
        "Who answers right?",
        "Clips: which way, unseen shapes",
        "Clips: which shape, frames in disorder",
        "Maps of both branches (which way, Fig. 2b)",
        "What each branch knows (which shape)",
        "Training (which way)",
        "How q moves (Fig. 4b)",
    ):
        assert f"<h2>{title}</h2>" in page
    assert re.search(r"https?:", page.replace("http://www.w3.org", "")) is None  # base64 has no colon
    assert (shown / "runs" / "demo.png").read_bytes().startswith(b"\x89PNG")
    table = (shown / "table.md").read_text(encoding="utf-8")
    assert "semicoupled demo" in table
    assert table.count("\n| which") == 4


def test_nothing_is_trained_twice(shown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((demo_report, "sections"), (demo_report, "picture"), (report, "write_report")):
        monkeypatch.setattr(module, name, lambda *_: None)  # drawn once is enough
    monkeypatch.setattr(report, "write_figure", lambda *_: None)
    weights = {file: file.stat().st_mtime_ns for file in shown.rglob("model.safetensors")}
    assert len(weights) == 6
    assert main(["demo", "--quick", "--device=cpu", "--out", str(shown / "runs")]) == 0
    assert {file: file.stat().st_mtime_ns for file in shown.rglob("model.safetensors")} == weights


def test_rivals_get_the_same_network_and_steps() -> None:
    """What is compared differs in nothing but the kind, the learning rate, and what only one of them has."""
    for question in demo_shapes.QUESTIONS:
        ours = toy_settings(question, "semicoupled", 1)
        for kind in demo_shapes.FULL_KINDS[1:]:
            rival = toy_settings(question, kind, 1)
            assert rival.data == ours.data
            assert (rival.training.steps, rival.training.batch) == (ours.training.steps, ours.training.batch)
            for name in ("widths", "strides", "norm", "shortcut_every"):
                assert getattr(rival.model, name) == getattr(ours.model, name)
            assert rival.switches.method == "none"
            assert rival.goals.spatial == rival.goals.temporal == 0


def test_the_report_says_how_long_each_was_trained(shown: Path) -> None:
    options = ["--training.steps=7", "--training.batch=3"]
    settings = toy_settings("which_way", "cnn_lstm", 5, options)
    run = Finished("a", settings, Path("a"), None, (), 12.4)  # pyright: ignore[reportArgumentType]
    assert training_table([run]).rows == [["which way", "CNN+LSTM", 5, 7, 3, 12]]
    page = (shown / "runs" / "report.html").read_text(encoding="utf-8")
    assert page.count("How long each was trained") == 2
    for setter in ("by Eq. 20", "learned"):
        assert f"<td>Semi-Coupled Structure, q {setter}</td>" in page


def test_several_seeds_are_averaged() -> None:
    rows = [
        Row("semicoupled", "accuracy", {"question": "which_way", "test": "seen", "seed": seed}, value, 8)
        for seed, value in ((0, 0.9), (1, 1.0))
    ]
    assert mean_table(rows).rows == [["which way, seen shapes", "0.950 (0.900 - 1.000)"]]


def test_a_page_says_which_command_made_it(tmp_path: Path) -> None:
    write_markdown(tmp_path / "page.md", "semicoupled demo --full", Table(["a", "b"], [["x", 0.25]], "What it is."))
    text = (tmp_path / "page.md").read_text()
    assert text.startswith("Written by `semicoupled demo --full --markdown page.md`")
    assert text.endswith("What it is.\n\n| a | b |\n| --- | ---: |\n| x | 0.25 |\n")


def test_figures_stand_to_the_right_in_a_page_and_words_to_the_left() -> None:
    table = Table(["a", "figures", "words", "none"], [["x", "-.5 to 2", "about 4 hours", None], ["y", 3, "met", ""]])
    assert markdown_table(table).splitlines()[1] == "| --- | ---: | --- | ---: |"
