"""``semicoupled reproduce``: the paper's tables and figures, its figures beside ours."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from semicoupled.cli.options import Parser, add_computing, names
from semicoupled.cli.progress import progress
from semicoupled.cli.study import place, seeds
from semicoupled.cli.study_of_task import said_settings
from semicoupled.cli.tables import output, printed
from semicoupled.errors import SettingsError

if TYPE_CHECKING:
    from semicoupled.reproduce.reproduction import Outcome, Reproduction
    from semicoupled.reproduce.request import Request

DATA = "SEMICOUPLED_DATA"
"""Names the folder of docs/data.md, whose nearest data stand in where none are given."""


def main(arguments: Sequence[str]) -> int:
    """Train what is not trained yet, print the paper's figures beside ours, and write them where that is asked for.

    Raises:
        SettingsError: options that do not go together.
    """
    parser = _parser()
    options, rest = parser.split(arguments)

    from semicoupled.reproduce.registry import NAMES, find_reproduction

    if options.list or options.name is None:
        if options.name is not None:
            raise SettingsError("--list shows all there is. Leave the name out, or give --dry-run with it")
        for name in NAMES:
            found = find_reproduction(name)
            print(f"  {name:<12}{found.title}")
        if options.page is not None:
            _write_list(options.page)
        return 0
    found, request = find_reproduction(options.name), _request(options, rest)
    if found.data is None and (options.root is not None or options.preset):
        raise SettingsError(f"{found.name} needs no data and has no presets. Leave --data.root and --preset out")
    if request.lines and not found.lines:
        raise SettingsError(f"--lines: {found.name} is no table. Leave it out")
    if options.dry_run:
        _show_plan(found, request)
        return 0

    with progress() as shown:
        outcome = found.run(replace(request, progress=shown))
    _show(found, request, outcome, options)
    return 0


def _parser() -> Parser:
    parser = Parser(
        "reproduce",
        "{table2,...,table7,figure2,...,figure5,supplement} [--list] [--dry-run] [--data.root DIR] "
        "[--size {small,paper}] [--quick] [--seeds 0,1,2] [--budget 10m] [--lines A,B] [--preset NAME ...] "
        "[--SETTING VALUE ...] [--out DIR] [--page F.md] [--json F]",
        "Run an experiment of the paper through the studies of its task, and show the paper's figures "
        "beside ours. What is finished is not done again, and a training that was killed is taken up.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="of a table or a figure, or supplement")
    parser.add_argument("--list", action="store_true", help="list what there is, and end")
    parser.add_argument(
        "--dry-run", action="store_true", help="show the trainings, how long they take and the data they need, and end"
    )
    parser.add_argument(
        "--data.root",
        dest="root",
        metavar="DIR",
        help="the data, as in train; default: the nearest of $SEMICOUPLED_DATA (docs/data.md)",
    )
    parser.add_argument(
        "--size",
        default="small",
        choices=("small", "paper"),
        help="small: networks for a CPU and minutes; paper: those of the paper, for a GPU (default: %(default)s)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="seconds a training, on made data where none are given: shows that it runs, not what comes out",
    )
    parser.add_argument("--seeds", type=seeds, metavar="N,N", help="default: 0,1,2; with --quick 0")
    parser.add_argument("--budget", metavar="T", help="time that each is trained for: 90s, 25m, or 25m@cpu of CPU time")
    parser.add_argument("--lines", type=names, default=(), metavar="A,B", help="of a table, as --dry-run names them")
    parser.add_argument(
        "--preset", action="append", default=[], metavar="NAME", help="what all lines begin with, instead of the usual"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folders and pictures; default: those of the study")
    parser.add_argument("--page", type=Path, metavar="F", help="also put the section into this Markdown page")
    parser.add_argument("--json", type=Path, metavar="F", help="also write the scores to this file")
    add_computing(parser)
    return parser


def _request(options: argparse.Namespace, rest: Sequence[str]) -> Request:
    from semicoupled.reproduce.request import Request

    data = os.environ.get(DATA)
    return Request(
        root=options.root,
        size=options.size,
        quick=options.quick,
        seeds=options.seeds,
        budget=options.budget,
        lines=options.lines,
        settings=tuple(rest),
        presets=tuple(options.preset),
        out=options.out,
        data=Path(data) if data else None,
        device=options.device,
        precision=options.precision,
        workers=options.workers,
    )


def _show_plan(found: Reproduction, request: Request) -> None:
    from semicoupled.reproduce.plan import make_plan, said_time

    plan = make_plan(found, request)
    if plan.trainings:
        output().print(printed(plan.table))
        print(f"{plan.trainings} trainings, {plan.left} left: {said_time(plan.minutes)}, and the scoring.")
    else:
        print(f"{found.title}: nothing is trained.")
    if found.lines:
        print(f"lines: {', '.join(found.lines)}")
    for note in plan.notes:
        print(note)


def _write_list(page: Path) -> None:
    """Put the list of what there is into a page, with its trainings, its time and its data."""
    from semicoupled.page import put_section
    from semicoupled.reproduce.plan import list_section

    put_section(page, "reproduce list", list_section(), "# The paper, made anew\n")
    print(f"page: {page}")


def _show(found: Reproduction, request: Request, outcome: Outcome, options: argparse.Namespace) -> None:
    from semicoupled.page import put_section
    from semicoupled.report import write_figure
    from semicoupled.reproduce.reproduction import PAGE_TITLE, QUICK_SAYS, section
    from semicoupled.rows import write_rows

    for table in outcome.tables:
        output().print(printed(table))
    for note in outcome.notes:
        print(note)
    if request.quick:
        print(QUICK_SAYS)
    elif request.size == "small":
        for sentence in found.differs:
            print(f"Differs from the paper: {sentence}")
    folder = request.out or Path("runs") / ("reproduce-quick" if request.quick else "reproduce")
    for name, (figure, _) in outcome.pictures.items():
        write_figure(folder / f"{name}.png", figure)
        print(f"plot: {folder / name}.png")
    if options.json is not None:
        write_rows(options.json, outcome.task, outcome.data, outcome.rows)
    if options.page is not None:
        beside: list[str] = []
        for name, (figure, _) in outcome.pictures.items():
            picture = options.page.with_name(f"reproduce-{name}.png")
            write_figure(picture, figure)
            beside.append(picture.name)
        text = section(found, request, outcome, _command(found, request), beside)
        put_section(options.page, f"reproduce {found.name}", text, PAGE_TITLE)
        print(f"page: {options.page}")


def _command(found: Reproduction, request: Request) -> str:
    """Give the command that makes the same figures, without the places where they go."""
    parts = ["semicoupled", "reproduce", found.name, *(["--quick"] if request.quick else [])]
    parts += ["--size", request.size] if request.size != "small" else []
    parts += ["--data.root", place(request.root)] if request.root is not None else []
    parts += said_settings(request.presets, request.settings)
    if found.name != "figure3":  # nothing is trained
        parts += ["--seeds", ",".join(map(str, request.chosen_seeds))]
    budget = found.budget(request)
    parts += ["--budget", budget] if budget is not None else []
    parts += ["--lines", ",".join(request.lines)] if request.lines else []
    parts += ["--precision", request.precision] if request.precision != "auto" else []
    return " ".join(parts)
