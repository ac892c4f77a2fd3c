"""The study of driving on the command line: what it prints, draws and writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tasks.driving.tubs import course, write_tub

from semicoupled.cli.main import main
from semicoupled.rows import read_rows


def test_the_study_of_driving_says_what_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, page, scores = tmp_path / "data", tmp_path / "docs" / "driving.md", tmp_path / "rows.json"
    _ = write_tub(data / "root", {name: course(60, seed) for seed, name in enumerate("abc")})
    _ = write_tub(data / "elsewhere", {"x": course(60, 9)})
    monkeypatch.setenv("SEMICOUPLED_DATA", str(data))
    arguments = ["study", "driving", "--quick", "--device=cpu", "--seeds", "0", "--variants", "semicoupled,cnn"]
    where = ["--data.root", str(data / "root"), "--data.validation", "last:1", "--other", str(data / "elsewhere")]
    out = ["--out", str(tmp_path / "runs"), "--page", str(page), "--json", str(scores)]
    assert main([*arguments, *where, *out]) == 0
    printed = capsys.readouterr().out
    assert "What had to be reached" in printed
    assert "Semi-Coupled Structure, p = .5" in printed
    assert "CNN+LSTM" not in printed.split("Table 5")[0]
    written = page.read_text(encoding="utf-8")
    command = (
        '    semicoupled study driving --quick --data.root "$DATA/root" --data.validation last:1 '
        '--other "$DATA/elsewhere" --seeds 0 --variants semicoupled,cnn\n'
    )
    assert command in written
    assert str(tmp_path) not in written
    for name in ("driving", "driving-importance"):
        assert (tmp_path / "runs" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert f"](study-{name}.png)" in written
        assert (page.parent / f"study-{name}.png").exists()
    found = read_rows(scores)
    assert found.task == "driving"
    assert {row.condition["data"] for row in found.rows if "data" in row.condition} == {"validation", "elsewhere"}


def test_the_study_command_names_the_study_of_driving(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _ = main(["study", "--help"])
    assert "driving: the structure, its p and length" in " ".join(capsys.readouterr().out.split())
