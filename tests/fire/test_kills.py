"""Killed at random moments, every command comes to the end that it comes to undisturbed, and leaves nothing behind."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest
from fire_commands import TASKS, kinds_of
from fire_kills import commands, kill

KILLS = int(os.environ.get("SEMICOUPLED_KILLS", "30"))
"""Of each command in the slow tests."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how long a process has computed")


@pytest.mark.parametrize(
    ("task", "kills"), [("toy", 1), *(pytest.param(name, KILLS, marks=pytest.mark.slow) for name in TASKS)]
)
def test_a_killed_command_ends_as_an_undisturbed_one(task: str, kills: int, tmp_path: Path) -> None:
    done = commands(task, tmp_path)
    for kind in kinds_of(task):
        command, once, whole = done[kind]
        chosen = random.Random(f"{kills} {command.name}")
        counts = kill(command, whole, once, tmp_path / "killed" / kind, kills, chosen)
        assert counts.kills >= kills
        assert counts.ends >= 1
