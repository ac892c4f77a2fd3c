"""``semicoupled study``: what each way to train is worth on the toys, what the structure is worth on real data."""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from semicoupled.cli.options import Parser, add_computing, count, names
from semicoupled.cli.progress import progress
from semicoupled.cli.tables import output
from semicoupled.errors import SettingsError, nearest
from semicoupled.rows import write_rows

if TYPE_CHECKING:
    from semicoupled.report import Table

STUDIES = {
    "star": "LTSC, truncated BPTT, strided sampling and full sequences, on how many frames ago the star was",
    "ablation": "the whole method without its parts, one at a time (Table 3), on a shorter form of the same",
    "rain": "the structure, its rivals and advection, on radar files (Table 7); `semicoupled study rain --help`",
    "driving": "the structure, its p and length, CNN and CNN+LSTM, on drives (Tables 5, 6); "
    "`semicoupled study driving --help`",
    "action": "the structure, its parts and rivals of equal size, on videos (Table 3, which classes need time); "
    "`semicoupled study action --help`",
    "motion": "which classes need time, on made clips of which that is known; `semicoupled study motion --help`",
    "outline": "the structure and its rivals at several depths, on outlines (Table 4, Fig. 5c); "
    "`semicoupled study outline --help`",
}
OF_TASKS = ("rain", "driving", "action", "motion", "outline")
"""Studies with a module and options of their own: ``study_NAME``."""


def main(arguments: Sequence[str]) -> int:
    """Train and test the variants of a study, and show how they compare.

    Raises:
        SettingsError: no such study.
    """
    if arguments and arguments[0] in OF_TASKS:
        return int(importlib.import_module(f"semicoupled.cli.study_{arguments[0]}").main(arguments[1:]))
    parser = Parser(
        "study",
        "{star,ablation,rain,driving,action,motion,outline} [--quick] [--seeds 0,1,2] [--budget 5m] [--variants A,B] "
        "[--out DIR] [--json F]",
        "Compare ways to train on the toys. Run folders that are finished are not trained again.",
    )
    parser.epilog = "studies: " + "; ".join(f"{name}: {summary}" for name, summary in STUDIES.items())
    parser.add_argument("study", metavar="STUDY", help="star, ablation, rain, driving, action, motion or outline")
    add_study_options(parser, (0,))
    parser.add_argument("--steps", type=count, metavar="N", help="optimizer steps of each; default: the preset's")
    add_computing(parser)
    options = parser.parse(arguments)
    if options.study not in STUDIES:
        raise SettingsError(f"there is no study {options.study!r}. {nearest(options.study, STUDIES)}")

    from semicoupled.page import put_section
    from semicoupled.report import write_figure
    from semicoupled.tasks.toy.studies import QUICK, choose, run_study
    from semicoupled.tasks.toy.study_page import PAGE_TITLE, plot, section, table

    variants = choose(options.study, options.variants)
    folder = options.out or Path("runs") / f"study-{options.study}"
    settings = [
        *(QUICK if options.quick else ()),
        *([f"--training.steps={options.steps}"] if options.steps is not None else []),
        *([f"--training.time_budget={options.budget}"] if options.budget is not None else []),
        *([f"--training.precision={options.precision}"] if options.precision != "auto" else []),
    ]
    with progress() as shown:
        rows = run_study(
            options.study,
            variants,
            options.seeds,
            folder,
            options=settings,
            device=options.device,
            workers=options.workers,
            progress=shown,
        )
    _print(table(options.study, rows))
    figure = plot(options.study, rows)
    picture = folder / f"{options.study}.png"
    write_figure(picture, figure)
    print(f"plot: {picture}")
    if options.json is not None:
        write_rows(options.json, "toy", "generated", rows)
    if options.page is not None:
        beside = options.page.with_name(f"study-{options.study}.png")
        write_figure(beside, figure)
        text = section(options.study, rows, _command(options), beside.name)
        put_section(options.page, f"study {options.study}", text, PAGE_TITLE)
        print(f"page: {options.page}")
    return 0


def add_study_options(parser: Parser, default: tuple[int, ...]) -> None:
    """Add what all studies share: ``--quick``, ``--seeds``, ``--budget``, ``--variants`` and where results go.

    Args:
        parser: of the study.
        default: its seeds where none are given.
    """
    parser.add_argument(
        "--quick", action="store_true", help="seconds a variant: shows that it runs, not what comes out"
    )
    parser.add_argument(
        "--seeds", type=seeds, default=default, metavar="N,N", help=f"default: {','.join(map(str, default))}"
    )
    parser.add_argument("--budget", metavar="T", help="time that each is trained for: 90s, 25m, or 25m@cpu of CPU time")
    parser.add_argument("--variants", type=names, default=(), metavar="A,B", help="only these; default: all")
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folders and the plot; default: runs/study-STUDY")
    parser.add_argument("--page", type=Path, metavar="F", help="also put the section into this Markdown page")
    parser.add_argument("--json", type=Path, metavar="F", help="also write the scores to this file")


def seeds(text: str) -> tuple[int, ...]:
    """Read whole numbers parted by commas, ``0,1,2``, each once."""
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: expected whole numbers parted by commas, such as 0,1,2") from error
    if len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"{text!r}: expected every seed once")
    return found


def place(where: str) -> str:
    """Write a folder or a pattern as documentation does: below ``$DATA``, or the last name of an absolute path."""
    data = os.environ.get("SEMICOUPLED_DATA")
    if data and Path(where).is_relative_to(data):
        return f'"$DATA/{Path(where).relative_to(data).as_posix()}"'
    return shlex.quote(Path(where).name if Path(where).is_absolute() else where)


def _print(shown: Table) -> None:
    from rich.markup import escape
    from rich.table import Table as Lines

    lines = Lines()
    for name in shown.columns:
        lines.add_column(escape(name))
    for row in shown.rows:
        lines.add_row(*(escape(str(cell)) for cell in row))
    output().print(lines)
    print(shown.caption)


def _command(options: argparse.Namespace) -> str:
    """Give the command that makes the same figures, without the places where they go."""
    parts = ["semicoupled", "study", options.study, *(["--quick"] if options.quick else [])]
    parts += ["--seeds", ",".join(map(str, options.seeds))]
    for name in ("steps", "budget"):
        value = getattr(options, name)
        parts += [] if value is None else [f"--{name}", str(value)]
    parts += ["--variants", ",".join(options.variants)] if options.variants else []
    parts += [] if options.precision == "auto" else ["--precision", options.precision]
    return shlex.join(parts)
