from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from semicoupled.cli.data_output import print_report
from semicoupled.cli.main import main
from semicoupled.data_report import DataReport
from semicoupled.report import Picture, Section


def write(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for index in range(count):
        field = np.random.default_rng(index).uniform(0, 30, (24, 20))
        name = folder / f"rain_20210205{18 + index // 12:02d}{5 * (index % 12):02d}.npz"
        np.savez(name, rain=field, quantity="dBZ", kilometers=2.0)
    return folder


def test_check_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = write(tmp_path / "event", 60)
    out = ["--json", str(tmp_path / "found.json"), "--page", str(tmp_path / "found.html")]
    assert main(["data", "check", "nowcasting", str(folder), *out]) == 0
    printed = capsys.readouterr().out
    assert "Files and times" in printed
    assert "nothing wrong found" in printed
    document = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert (document["format"], document["task"], document["findings"]) == (1, "nowcasting", [])
    assert document["sections"][0]["tables"][0]["rows"][0][:3] == ["event", 60, 60]
    page = (tmp_path / "found.html").read_text(encoding="utf-8")
    assert "<h2>Findings</h2>\n<p>Nothing wrong was found.</p>" in page
    assert "severity" not in page


def test_a_section_of_pictures_alone_is_for_the_page(capsys: pytest.CaptureFixture[str]):
    pictures, words = Section("Left", parts=[Picture(Figure(), "left")]), Section("Right", "words")
    print_report(DataReport("Data", "Two sections.", [pictures, words]))
    printed = capsys.readouterr().out
    assert "Right" in printed
    assert "Left" not in printed


def test_a_problem_is_exit_code_1_and_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = write(tmp_path / "event", 60)
    (folder / "rain_202102051810.npz").write_bytes(b"[broken] bytes")
    assert main(["data", "check", "nowcasting", str(folder), "--json", str(tmp_path / "found.json")]) == 1
    printed = capsys.readouterr().out
    assert "problem " in printed[: printed.index("warning ")]
    assert printed.rstrip().endswith("1 problem, 1 warning")
    document = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert [one["severity"] for one in document["findings"]] == ["problem", "warning"]


def test_settings_reach_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = write(tmp_path / "event", 60)
    assert main(["data", "check", "nowcasting", str(folder), "--data.kilometers", "3"]) == 1
    assert "within 10%" in capsys.readouterr().out
    assert main(["data", "check", "nowcasting", f"{folder}/rain_2021020519*", "--data.step_minutes=10"]) == 0
    assert "no 11 frames without a gap" in capsys.readouterr().out


def test_describe(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["data", "describe", "nowcasting", str(write(tmp_path / "event", 3))]) == 0
    assert "2021-02-05 18:10" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["check", "toy", "."], 2, "task toy reads no files that could be looked at"),
        (["describe", "toy", "."], 2, "task toy reads no files that could be looked at"),
        (["chek", "toy", "."], 2, "there is no 'chek'. Did you mean 'check'?"),
        (["check", "nowcasting"], 2, "the folder comes after the task"),
        (["check", "nowcasting", "nowhere"], 3, "nowhere: no such folder"),
        (["check", "nowcasting", ".", "--data.coarsen", "2"], 2, "It is data.kilometers now"),
        (["check", "nowcasting", ".", "--jsn", "f"], 2, "unknown option '--jsn'"),
    ],
)
def test_what_is_refused(arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]):
    assert main(["data", *arguments]) == code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--help"], ["check", "--help"], ["check", "nowcasting", "--help"]])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(["data", *arguments]) == 0
    assert "data" in capsys.readouterr().out
