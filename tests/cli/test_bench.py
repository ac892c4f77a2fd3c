"""``semicoupled bench``."""

from __future__ import annotations

from pathlib import Path

import pytest

from semicoupled.bench import page as bench_page
from semicoupled.bench.plots import memory_figure, speed_figure
from semicoupled.cli.main import main
from semicoupled.rows import Row, read_rows


def test_memory_is_measured_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from semicoupled.bench import memory

    one = memory.quick_cases()[:1]  # each is a process that imports torch
    monkeypatch.setattr(memory, "quick_cases", lambda: one)
    files = {name: tmp_path / name for name in ("m.json", "m.png", "page.md")}
    command = ["bench", "memory", "--quick", "--json", str(files["m.json"]), "--plot", str(files["m.png"])]
    assert main([*command, "--page", str(files["page.md"])]) == 0
    found = read_rows(files["m.json"])
    assert found.task == "bench memory"
    assert {row.metric for row in found.rows} == {"peak_bytes"}
    assert "peak_bytes" in capsys.readouterr().out
    assert files["m.png"].read_bytes().startswith(b"\x89PNG")
    page = files["page.md"].read_text()
    assert page.startswith(bench_page.PAGE_TITLE)
    assert "    semicoupled bench memory --quick\n" in page
    assert (tmp_path / "bench-memory.png").exists()


def test_the_figure_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from semicoupled.bench import memory, plots

    drawn: list[int] = []
    real = plots.memory_figure
    monkeypatch.setattr(plots, "memory_figure", lambda rows: (drawn.append(len(rows)), real(rows))[1])
    monkeypatch.setattr(memory, "parts", lambda cases: [])
    assert main(["bench", "memory", "--plot", str(tmp_path / "p.png"), "--page", str(tmp_path / "page.md")]) == 0
    assert drawn == [0]
    assert (tmp_path / "p.png").read_bytes() == (tmp_path / "bench-memory.png").read_bytes()
    assert main(["bench", "memory", "--json", str(tmp_path / "m.json")]) == 0
    assert drawn == [0]


def test_what_the_time_budget_leaves_out_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from semicoupled.bench import ways

    monkeypatch.setattr(ways, "parts", lambda device: [lambda: pytest.fail("it began")] * 3)
    page = tmp_path / "page.md"
    assert main(["bench", "ways", "--time-budget", "0.000001s", "--page", str(page)]) == 0
    assert "3 of 3 parts are missing: --time-budget 0.000001s is used up" in capsys.readouterr().out
    assert "3 parts are missing: the time budget was used up." in page.read_text()
    assert main(["bench", "ways", "--time-budget", "soon"]) == 2
    assert "time_budget: expected a duration with its unit" in capsys.readouterr().err


def test_ways_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from functools import partial

    from semicoupled.bench import ways

    small = partial(ways.time_stretches, "float32", batch=2, width=8)
    monkeypatch.setattr(ways, "quick_parts", lambda device: [lambda: small(device)])
    assert main(["bench", "ways", "--quick", "--device", "cpu", "--page", str(tmp_path / "page.md")]) == 0
    assert "stopped frames in stretches" in capsys.readouterr().out
    page = (tmp_path / "page.md").read_text()
    assert "## Ways" in page
    assert "    semicoupled bench ways --quick\n" in page
    assert (tmp_path / "bench-ways.png").exists()


def test_unknown_benches_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "sped"]) == 2
    assert "there is no bench 'sped'. Did you mean 'speed'?" in capsys.readouterr().err


def test_bars_stand_over_their_own_label() -> None:
    """A rival that was measured at one batch alone keeps its place."""
    where = {"preset": "paper15x64", "mode": "training", "dtype": "bf16", "frames": 10, "streams": "main"}
    rows = [
        Row("semicoupled", "speedup", where | {"batch": 2, "against": "convlstm"}, 2.0, 3),
        Row("semicoupled", "speedup", where | {"batch": 8, "against": "convlstm"}, 3.0, 3),
        Row("semicoupled", "speedup", where | {"batch": 8, "against": "convgru"}, 4.0, 3),
    ]
    _, speedup, _ = speed_figure(rows).axes
    assert [label.get_text() for label in speedup.get_xticklabels()] == ["training\nbf16, B 2", "training\nbf16, B 8"]
    (gru,) = (patch for patch in speedup.patches if patch.get_height() == 4.0)  # pyright: ignore[reportAttributeAccessIssue]
    assert 1 < gru.get_x() < 1.5  # pyright: ignore[reportAttributeAccessIssue]


def test_plots_show_every_row() -> None:
    where = {"preset": "paper15x64", "mode": "training", "dtype": "bf16", "batch": 2, "frames": 10, "streams": "main"}
    rows = [
        Row("semicoupled", "share_of_peak", where, 0.6, 3, "1", (0.5, 0.7)),
        Row("semicoupled", "speedup", where | {"against": "convlstm"}, 2.6, 3, "1", (2.5, 2.7)),
        Row("semicoupled", "ms_per_frame", where | {"preset": "xs"}, 2.0, 3, "ms", (1.0, 3.0)),
    ]
    share, speedup, stream = speed_figure(rows).axes
    assert [patch.get_height() for patch in share.patches] == [60.0]  # pyright: ignore[reportAttributeAccessIssue]
    assert [patch.get_height() for patch in speedup.patches] == [2.6]  # pyright: ignore[reportAttributeAccessIssue]
    assert [patch.get_height() for patch in stream.patches] == [2.0]  # pyright: ignore[reportAttributeAccessIssue]
    case = {"way": "ltsc", "frames": 40, "layers": 15, "size": 28, "dtype": "float32"}
    ratio = Row("semicoupled", "peak_ratio", {**case, "frames": 400, "against_frames": 40}, 1.0, 1)
    (axes,) = memory_figure([Row("semicoupled", "peak_bytes", case, 2.0**21, 1, "B"), ratio]).axes
    assert axes.lines[0].get_xydata().tolist() == [[40.0, 2.0]]  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
