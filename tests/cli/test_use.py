"""Evaluate, predict and explain: what is done with a trained run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from semicoupled.cli.main import main


@pytest.fixture
def run(tmp_path: Path, brightness_task: str) -> Path:
    assert main(["train", brightness_task, "--run", str(tmp_path / "run"), "--training.steps=1"]) == 0
    return tmp_path / "run"


def test_evaluate_prints_a_table_and_writes_rows(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["evaluate", "brightness", str(run), "--json", str(tmp_path / "scores.json"), "--device=cpu"]) == 0
    printed = capsys.readouterr().out
    document = json.loads((tmp_path / "scores.json").read_text())
    assert (document["format"], document["task"]) == (1, "brightness")
    ours, baseline = document["rows"]
    assert (ours["model"], baseline["model"]) == ("semicoupled", "persistence")
    assert ours["condition"] == {"split": "validation", "root": "None"}
    assert f"{ours['value']:.4g}" in printed
    assert "persistence" in printed


def test_evaluate_scores_all_of_other_data(run: Path, tmp_path: Path) -> None:
    arguments = ["evaluate", "brightness", str(run), "--data.root", "elsewhere", "--json", str(tmp_path / "s.json")]
    assert main(arguments) == 0
    assert json.loads((tmp_path / "s.json").read_text())["rows"][0]["condition"] == {
        "split": "all",
        "root": "elsewhere",
    }
    assert main([*arguments, "--split", "validation"]) == 0
    assert json.loads((tmp_path / "s.json").read_text())["rows"][0]["condition"]["split"] == "validation"


def test_predict_names_what_it_wrote(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", np.full((4, 5, 4), 0.5))
    capsys.readouterr()
    inputs = [str(tmp_path / "a.npy"), str(tmp_path / "b.npy")]
    assert main(["predict", "brightness", str(run), *inputs, "--out", str(tmp_path / "out.txt")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out.txt'}\n"
    first, second = (tmp_path / "out.txt").read_text().splitlines()
    assert first == second


def test_bad_input_is_named(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "brightness", str(run), "none.npy", "--out", str(tmp_path / "out.txt")]) == 3
    assert "none.npy: no such file; expected a .npy file" in capsys.readouterr().err
    assert main(["predict", "brightness", str(run), "none.npy"]) == 2
    assert "required: --out" in capsys.readouterr().err
    assert main(["evaluate", "brightness", str(tmp_path / "none")]) == 4
    assert "none: no such folder; expected a run folder" in capsys.readouterr().err


def test_chains_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot, rows = tmp_path / "chains.png", tmp_path / "chains.json"
    arguments = ["--layers", "15", "--steps", "10", "--stop", "0.5", "--plot", str(plot), "--json", str(rows)]
    assert main(["explain", "chains", *arguments]) == 0
    assert "430 421.25" in capsys.readouterr().out
    assert plot.read_bytes().startswith(b"\x89PNG")
    row = json.loads(rows.read_text())["rows"][0]
    assert row["condition"] == {"layers": 15, "steps": 10, "stop": 0.5}
    assert row["value"] == 430421.25


def test_chains_without_numbers_are_the_paper_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "chains"]) == 0
    text = capsys.readouterr().out
    for number in ("2 966.00", "3 458 158 069.00", "10 676.00"):
        assert number in text


def test_explain_says_what_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    assert "chains" in capsys.readouterr().out
    assert main(["explain", "chain"]) == 2
    assert "Did you mean 'chains'?" in capsys.readouterr().err
    assert main(["explain", "chains", "--layers", "3"]) == 2
    assert "give both --layers and --steps" in capsys.readouterr().err
