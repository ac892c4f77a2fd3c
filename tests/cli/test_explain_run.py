"""The topics of ``semicoupled explain`` that look at a trained run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from semicoupled.cli.main import main

OPTIONS = [
    "--data.validation=12",
    "--model.widths=[4, 4]",
    "--model.strides=[2, 2]",
    "--training.batch=4",
    "--training.steps=4",
    "--training.log_every=1",
    "--switches.method=astsgd",
    "--switches.classes=8",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("toy") / "run"
    assert main(["train", "toy", "--device=cpu", "--run", str(folder), *OPTIONS]) == 0
    return str(folder)


def explained(topic: str, run: str, folder: Path, *options: str) -> list[dict[str, Any]]:
    """Explain a topic, see that there is a report, and give the rows."""
    report, rows = folder / f"{topic}.html", folder / f"{topic}.json"
    assert main(["explain", topic, run, "--out", str(report), "--json", str(rows), *options]) == 0
    assert report.stat().st_size > 1000
    return json.loads(rows.read_text())["rows"]


def test_maps_are_drawn_and_gates_averaged(run: str, tmp_path: Path) -> None:
    rows = explained("maps", run, tmp_path, "--samples", "3")
    assert [row["condition"]["layer"] for row in rows] == [0, 1]
    assert all(0 < row["value"] < 1 for row in rows)
    assert (tmp_path / "maps.html").read_text(encoding="utf-8").count("data:image/png") == 2 * 3


def test_probes_ask_every_branch_of_every_layer(run: str, tmp_path: Path) -> None:
    rows = explained("probes", run, tmp_path)
    assert {(row["condition"]["layer"], row["condition"]["branch"]) for row in rows} == {
        (layer, branch) for layer in (0, 1) for branch in ("spatial", "temporal", "features")
    }
    assert {"answer", "shape"} <= {row["condition"]["question"] for row in rows}
    assert {row["count"] for row in rows} == {6}  # the other half of 12 samples


def test_importance_is_the_difference_of_the_streams(run: str, tmp_path: Path) -> None:
    rows = explained("importance", run, tmp_path, "--samples", "8")
    total = {row["metric"]: row for row in rows if row["condition"] == {"group": "all"}}
    assert total["importance"]["value"] == pytest.approx(
        total["score_temporal"]["value"] - total["score_spatial"]["value"]
    )
    assert total["importance"]["count"] == 8
    low, high = total["importance"]["interval"]
    assert low < total["importance"]["value"] < high
    assert any(row["condition"]["group"].startswith("shape") for row in rows)


def test_focus_is_read_from_the_log(run: str, tmp_path: Path) -> None:
    picture, numbers = tmp_path / "q.png", tmp_path / "q.json"
    assert main(["explain", "focus", run, "--out", str(picture), "--json", str(numbers)]) == 0
    rows = {row["condition"]["of"]: row for row in json.loads(numbers.read_text())["rows"]}
    assert rows["first"]["count"] == 4
    assert all(0.5 <= row["value"] <= 1 for row in rows.values())
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_by_default_the_report_lies_in_the_run_folder(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "maps", run, "--samples=1"]) == 0
    assert (Path(run) / "maps.html").is_file()
    assert f"report: {Path(run) / 'maps.html'}" in capsys.readouterr().out


def test_what_cannot_be_explained_is_named(
    brightness_task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "run")
    assert main(["train", brightness_task, "--run", folder, "--training.steps=1", "--model.kind=convlstm"]) == 0
    for topic, sentence in (("maps", "no semi-coupled stack"), ("focus", "its log has no q")):
        assert main(["explain", topic, folder]) == 4
        assert sentence in capsys.readouterr().err
    assert main(["explain", "maps", str(tmp_path / "none")]) == 4
    assert "none: no such folder" in capsys.readouterr().err
