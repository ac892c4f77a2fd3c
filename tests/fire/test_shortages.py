"""Whatever the machine runs short of: a sentence, nothing half, and the same command comes to the undisturbed end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from fire_commands import TASKS
from fire_compare import check_same, check_whole, hidden
from fire_disks import filled, read_only, small_disk
from fire_kills import SETUP, Whole, commands
from fire_process import Ended, run

from semicoupled.find_task import less_memory
from semicoupled.training.log import read_log

pytestmark = [pytest.mark.skipif(sys.platform == "win32", reason="starts processes by fork"), pytest.mark.slow]

PARTS = 5
"""How full a disk is, in so many ways."""
LONG_AGO, LONG_AFTER = 10**8, 4 * 10**9
"""Seconds since 1970 that files are said to be of."""


@pytest.fixture(scope="module", params=TASKS)
def wholes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Whole]:
    """All commands of a task, and their undisturbed results."""
    return commands(request.param, tmp_path_factory.mktemp(request.param) / "fire")


def test_what_was_disturbed_again_and_again_comes_to_the_undisturbed_end(
    wholes: dict[str, Whole], tmp_path: Path
) -> None:
    for kind, (command, _, whole) in wholes.items():
        out = tmp_path / kind
        out.mkdir()
        given = command.make(out)

        with read_only(out):
            ended = run(given, tmp_path / "counted", setup=SETUP)
        check_refused(ended, 3, f"{out}/", command.name)
        assert any(name in ended.said for name in ("--run", "--out")), ended.said

        short = run(given, out, setup=f"fire_setups:{'used_up_memory' if kind == 'train' else 'no_memory_to_answer'}")
        lower = less_memory(given[1], given[0]) or "training.batch"
        check_refused(short, 7, f"Lower what is held at once: {lower}", command.name)
        check_nothing_half(out)

        if kind == "train":  # the only one that starts processes for its data
            ended = run([*given, "--workers=1"], out, setup="fire_setups:ended_worker")
            check_refused(ended, 7, "Give fewer --workers", command.name)
            check_nothing_half(out)

        touch(out, LONG_AFTER)
        for place in (whole.parent / "data").iterdir():
            if place.name != "watch":  # there a new time tells of a new file
                touch(place, LONG_AGO)
        ended = run(given, out, setup="fire_setups:clock_that_jumps")
        assert ended.code == 0, ended.said
        check_nothing_half(out)
        check_same(out, whole)


def test_a_time_budget_does_not_look_at_the_time_of_day(tmp_path: Path) -> None:
    (command, _, _) = commands("toy", tmp_path / "fire", kinds=())["train"]
    ended = run([*command.make(tmp_path), "--time-budget=2s"], tmp_path, setup="fire_setups:clock_that_jumps")
    assert ended.code == 0, ended.said
    seconds = [line["seconds"] for line in read_log(tmp_path / "run")]
    assert seconds == sorted(seconds)
    assert 2 <= seconds[-1] < 60


def test_a_run_folder_that_may_not_be_written_can_be_used(wholes: dict[str, Whole], tmp_path: Path) -> None:
    with read_only(wholes["train"].result):
        for kind, (command, _, whole) in wholes.items():
            if kind != "train":
                out = tmp_path / kind
                out.mkdir()
                ended = run(command.make(out), out)
                assert ended.code == 0, ended.said
                check_same(out, whole)


def test_a_disk_that_fills_up_anywhere_leaves_nothing_half(wholes: dict[str, Whole], tmp_path: Path) -> None:
    for kind, (command, _, whole) in wholes.items():
        needed = sum(file.stat().st_size // 4096 + 3 for file in whole.rglob("*"))
        size = 4096 * (2 * needed + 64)  # at its end there is an old one and a new one
        full = 0
        with small_disk(tmp_path / kind, size) as disk:
            out = disk / "out"
            for part in range(PARTS):
                out.mkdir(exist_ok=True)
                given = command.make(out)
                with filled(disk, 4096 * (part * needed // (2 * PARTS))):
                    ended = run(given, out, setup=SETUP)
                    assert ended.code == 0 or "disk" in ended.said, f"{command.name}: {ended.said}"
                    assert ended.code in (0, 3, 7), ended.said
                    assert "Traceback" not in ended.said, ended.said
                    full += ended.code != 0
                    check_nothing_half(out)
            assert full >= 1, command.name
            ended = run(command.make(out), out, setup=SETUP)
            assert ended.code == 0, ended.said
            check_same(out, whole)


def check_refused(ended: Ended, code: int, words: str, name: str) -> None:
    """See that a command ended with a sentence."""
    assert ended.code == code, f"{name}: {ended.said}"
    assert words in ended.said, name
    assert "Traceback" not in ended.said, name


def check_nothing_half(out: Path) -> None:
    """See that what a command wrote is whole, and that it has cleaned up behind itself."""
    check_whole(out)
    assert [name for name in hidden(out) if not name.endswith(".jsonl.part")] == []  # that is to be taken up


def touch(folder: Path, seconds: int) -> None:
    """Say of all files that they were written at another time."""
    for file in folder.rglob("*"):
        os.utime(file, (seconds, seconds))
