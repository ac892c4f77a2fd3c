"""``semicoupled study driving``: the structure, its p and its length, CNN and CNN+LSTM, all with the same wall time."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from semicoupled.cli.options import Parser, add_computing, names
from semicoupled.cli.progress import progress
from semicoupled.cli.study import add_study_options, place
from semicoupled.cli.tables import output, printed
from semicoupled.rows import write_rows

BUDGET = "10m"


def main(arguments: Sequence[str]) -> int:
    """Train and score the variants, and say what is reached."""
    parser = Parser(
        "study driving",
        "--data.root DIR [--data.validation RUNS] [--data.test RUNS] [--other DIR,DIR] [--seeds 0,1,2] "
        "[--budget 10m] [--variants A,B] [--out DIR] [--page F.md] [--json F] [--quick]",
        "Compare the structure with CNN, CNN+LSTM and ConvLSTM on drives. What is finished is not done again, and a "
        "training that was killed is taken up.",
    )
    parser.add_argument("--data.root", dest="root", required=True, metavar="DIR", help="drives, as in train")
    parser.add_argument(
        "--data.validation",
        dest="validation",
        default="last:5",
        metavar="RUNS",
        help="whole runs that are held back and scored, as in train (%(default)s)",
    )
    parser.add_argument(
        "--data.test", dest="test", metavar="RUNS", help="whole runs that are left out of everything, as in train"
    )
    parser.add_argument(
        "--other", type=names, default=(), metavar="DIR,DIR", help="drives of other places, scored each by itself"
    )
    add_study_options(parser, (0, 1, 2))
    add_computing(parser)
    options = parser.parse(arguments)

    from semicoupled.page import put_section
    from semicoupled.report import write_figure
    from semicoupled.studies import choose
    from semicoupled.tasks.driving.study.page import PAGE_TITLE, pictures, section, tables
    from semicoupled.tasks.driving.study.studies import QUICK, TASK, VARIANTS, run_study

    variants = choose("driving", VARIANTS, options.variants)
    folder = options.out or Path("runs") / "study-driving"
    budget = options.budget or (None if options.quick else BUDGET)
    settings = [
        *(QUICK if options.quick else ()),
        f"--data.root={options.root}",
        f"--data.validation={options.validation}",
        *([f"--data.test={options.test}"] if options.test is not None else []),
        *([f"--training.time_budget={budget}"] if budget is not None else []),
        *([f"--training.precision={options.precision}"] if options.precision != "auto" else []),
    ]
    with progress() as shown:
        rows = run_study(
            variants,
            options.seeds,
            folder,
            others=[Path(other) for other in options.other],
            options=settings,
            device=options.device,
            workers=options.workers,
            progress=shown,
        )
    for table in tables(rows):
        output().print(printed(table))
    drawn = pictures(rows)
    for name, (figure, _) in drawn.items():
        picture = folder / f"{name}.png"
        write_figure(picture, figure)
        print(f"plot: {picture}")
    if options.json is not None:
        write_rows(options.json, TASK, f"{options.root}, held back: {options.validation}", rows)
    if options.page is not None:
        shown_pictures: list[tuple[str, str]] = []
        for name, (figure, caption) in drawn.items():
            beside = options.page.with_name(f"study-{name}.png")
            write_figure(beside, figure)
            shown_pictures.append((beside.name, caption))
        text = section(rows, _command(options, budget), shown_pictures)
        put_section(options.page, "study driving", text, PAGE_TITLE)
        print(f"page: {options.page}")
    return 0


def _command(options: argparse.Namespace, budget: str | None) -> str:
    """Give the command that makes the same figures, without the places where they go."""
    parts = ["semicoupled", "study", "driving", *(["--quick"] if options.quick else [])]
    parts += ["--data.root", place(options.root), "--data.validation", shlex.quote(options.validation)]
    parts += ["--data.test", shlex.quote(options.test)] if options.test is not None else []
    parts += ["--other", ",".join(place(other) for other in options.other)] if options.other else []
    parts += ["--seeds", ",".join(map(str, options.seeds))]
    parts += [] if budget is None else ["--budget", budget]
    parts += ["--variants", ",".join(options.variants)] if options.variants else []
    parts += [] if options.precision == "auto" else ["--precision", options.precision]
    return " ".join(parts)
