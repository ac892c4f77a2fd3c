"""Kill a command again and again, until it comes to its end, and compare that end with an undisturbed one.

``python tests/fire/fire_kills.py --kills 30 --seed 0 [--only driving]`` does it for every task and kind, and counts;
``--page docs/results/fire.md`` puts the counts into a page. Reports are written without their pictures (`SETUP`).
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fire_commands import TASKS, Command, evaluation, kinds_of, prediction, training
from fire_compare import check_same, check_whole, hidden
from fire_process import Ended, Moment, run

from semicoupled.page import put_section

MARGIN = 1.0
"""How far behind the end of an undisturbed run a moment may lie, as a share of its time."""
SETUP = "fire_setups:without_pictures"
PAGE_TITLE = "# Under fire\n"


class Counts(NamedTuple):
    """What was done to a command.

    Attributes:
        kills: that struck while it ran.
        by_operation: of them, those between two file operations.
        ends: how often it came to its end, and was compared.
        taken_up: processes that began with what a killed one had left.
    """

    kills: int
    by_operation: int
    ends: int
    taken_up: int


def undisturbed(command: Command, folder: Path) -> Ended:
    """Run a command to its end.

    Raises:
        AssertionError: it failed, or left something half.
    """
    folder.mkdir(parents=True)
    ended = run(command.make(folder), folder, setup=SETUP)
    assert ended.code == 0, f"{command.name}: exit code {ended.code}\n{ended.said}"
    check_whole(folder)
    assert hidden(folder) == [], command.name
    return ended


def kill(command: Command, whole: Path, once: Ended, folder: Path, kills: int, random: random.Random) -> Counts:
    """Kill a command so many times, and compare each end that it comes to with the undisturbed one.

    Args:
        command: what is killed.
        whole: the undisturbed result.
        once: how that came about.
        folder: for the results of the killed ones.
        kills: at least so many.
        random: chooses the moments.

    Raises:
        AssertionError: a file is half, an end differs, or something was left behind.
    """
    struck = by_operation = ends = taken_up = attempt = 0
    out = folder / "0"
    out.mkdir(parents=True)
    while True:
        moment = None
        if struck < kills:
            moment = _moment(once, random)
        taken_up += any(out.iterdir())
        ended = run(command.make(out), out, moment, SETUP)
        check_whole(out)
        if ended.code == -9:
            struck += 1
            by_operation += moment is not None and moment.operation is not None
            continue
        assert ended.code == 0, f"{command.name}: exit code {ended.code}, expected a kill or 0\n{ended.said}"
        assert hidden(out) == [], command.name
        check_same(out, whole)
        ends += 1
        shutil.rmtree(out)
        if struck >= kills:
            return Counts(struck, by_operation, ends, taken_up)
        attempt += 1
        out = folder / str(attempt)
        out.mkdir()


class Whole(NamedTuple):
    """A command, how it went undisturbed, and its result."""

    command: Command
    once: Ended
    result: Path


def commands(task: str, folder: Path, kinds: Sequence[str] | None = None) -> dict[str, Whole]:
    """Train, evaluate and predict once, undisturbed.

    Args:
        task: its name.
        folder: for data and results.
        kinds: what is wanted; the training is made anyway. None for all that there are.

    Returns:
        What each kind came to.
    """
    data = folder / "data"
    data.mkdir(parents=True)
    trained = training(task, data)
    found = {"train": Whole(trained, undisturbed(trained, folder / "train"), folder / "train")}
    run_folder = folder / "train" / "run"
    for kind in kinds_of(task) if kinds is None else kinds:
        if kind != "train":
            given = data / kind
            given.mkdir()
            made = evaluation(task, run_folder) if kind == "evaluate" else prediction(task, kind, run_folder, given)
            found[kind] = Whole(made, undisturbed(made, folder / kind), folder / kind)
    return found


def _moment(once: Ended, random: random.Random) -> Moment:
    if random.random() < 0.5:
        return Moment(operation=random.randint(1, once.operations))
    return Moment(seconds=random.uniform(0.0, once.seconds * MARGIN))


def main() -> int:
    """Kill all, and print a line for each."""
    parser = argparse.ArgumentParser(description="Kill every command at random moments, and compare where it ends.")
    parser.add_argument("--kills", type=int, default=30, help="of each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="a part of a name, such as 'driving' or 'toy predict'")
    parser.add_argument("--page", type=Path, help="put the counts into this page of the documentation")
    options = parser.parse_args()
    total = 0
    for task in TASKS:
        kinds = [kind for kind in kinds_of(task) if options.only in f"{task} {kind}"]
        if not kinds:
            continue
        with tempfile.TemporaryDirectory(prefix="fire_") as temporary:
            folder = Path(temporary)
            for kind, (command, once, whole) in commands(task, folder, kinds).items():
                if options.only not in command.name:
                    continue
                begin = time.monotonic()
                chosen = random.Random(f"{options.seed} {command.name}")
                done = kill(command, whole, once, folder / "killed" / kind, options.kills, chosen)
                total += done.kills
                line = (
                    f"{command.name}: {done.kills} kills ({done.by_operation} between file operations), taken up "
                    f"{done.taken_up} times, {done.ends} ends as undisturbed"
                )
                print(f"{line}, {time.monotonic() - begin:.0f} s", flush=True)
                if options.page is not None:
                    put_section(options.page, f"kills {command.name}", f"- {line}\n", PAGE_TITLE)
    print(f"{total} kills, no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
