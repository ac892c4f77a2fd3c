from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from semicoupled.cli import progress as module
from semicoupled.cli.progress import LineProgress, progress


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=terminal, width=120, color_system=None), text


def test_without_a_terminal_there_are_lines() -> None:
    where, text = console(terminal=False)
    with progress(where) as shown:
        shown.begin("training toy", 10)
        shown.update(5, numbers={"main_loss": 0.25})
        shown.begin("validating", 2)
        shown.end()
        shown.end()
    assert re.fullmatch(r"training toy \.\.\.\ntraining toy: done in 0:00:00\n", text.getvalue())


def test_lines_come_now_and_then_and_say_how_long_it_takes() -> None:
    where, text = console(terminal=False)
    shown = LineProgress(where, every=0.0)
    shown.begin("training [toy]", 10)
    shown.update(5, seconds_left=90, numbers={"main_loss": 0.25})
    shown.update(6, numbers={})
    shown.end()
    lines = text.getvalue().splitlines()
    assert lines[1] == "training [toy]: 50 %, 0:01:30 left, main_loss 0.25"
    assert lines[2].startswith("training [toy]: 60 %, 0:00:0")


def test_a_long_job_is_heard_of_between_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    where, text = console(terminal=False)
    shown = LineProgress(where, every=20.0)
    shown.begin("study", 2)
    for run in (1, 2):
        shown.begin("training", 10)
        for step in range(1, 11):
            now[0] += 3
            shown.update(step)
        shown.end()
        shown.update(run, seconds_left=30.0 * (2 - run))
    shown.end()
    assert text.getvalue().splitlines() == [
        "study ...",
        "training: 70 %, 0:00:09 left",
        "study: 50 %, 0:00:30 left",
        "training: 70 %, 0:00:09 left",
        "study: 100 %, 0:00:00 left",
        "study: done in 0:01:00",
    ]


def test_work_of_unknown_size_is_counted() -> None:
    where, text = console(terminal=False)
    shown = LineProgress(where, every=0.0)
    shown.begin("reading")
    shown.update(7)
    shown.end()
    assert "reading: 7\n" in text.getvalue()


def test_with_a_terminal_there_are_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    where, text = console(terminal=True)
    with progress(where) as shown:
        assert isinstance(shown, module.BarProgress)
        shown.begin("training toy", 10)
        shown.update(5, seconds_left=90, numbers={"main_loss": 0.25})
        shown.begin("validating")
        shown.update(1)
        bars = shown._bars
        assert [bar.description for bar in bars.tasks] == ["training toy", "  validating"]
        assert bars.tasks[0].fields["left"] == "0:01:30 left"
        assert bars.tasks[0].fields["numbers"] == "main_loss 0.25"
        shown.end()
        assert [bar.description for bar in bars.tasks] == ["training toy"]
        shown.end()
        assert bars.finished
    assert "training toy" in text.getvalue()
