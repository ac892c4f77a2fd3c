"""``semicoupled study rain``: the structure, its rivals and advection on radar files, all with the same wall time."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from semicoupled.cli.options import add_computing, names
from semicoupled.cli.progress import progress
from semicoupled.cli.study import add_study_options, place
from semicoupled.cli.study_of_task import study_budget, study_command, study_parser, study_settings
from semicoupled.cli.study_view import StudyView, show_study, study_folder

BUDGET = "25m"


def main(arguments: Sequence[str]) -> int:
    """Train and score the variants, and say what is reached."""
    parser = study_parser(
        "rain",
        "--data.root PATTERN --data.validation PATTERNS [--other DIR,DIR]",
        BUDGET,
        "Compare the structure with its rivals and with advection on radar files.",
    )
    parser.add_argument(
        "--data.root", dest="root", required=True, metavar="PATTERN", help="radar files to learn from, as in train"
    )
    parser.add_argument(
        "--data.validation",
        dest="validation",
        required=True,
        metavar="PATTERNS",
        help="whole events that are held back and scored, with commas between them, as in train",
    )
    parser.add_argument(
        "--other", type=names, default=(), metavar="DIR,DIR", help="other places, scored each by itself"
    )
    add_study_options(parser, (0, 1, 2))
    add_computing(parser)
    options = parser.parse(arguments)

    from semicoupled.studies import choose
    from semicoupled.study_request import StudyRequest
    from semicoupled.tasks.nowcasting.study.page import PAGE_TITLE, pictures, section, tables
    from semicoupled.tasks.nowcasting.study.running import run_study
    from semicoupled.tasks.nowcasting.study.variants import QUICK, TASK, VARIANTS

    budget = study_budget(options, BUDGET)
    data = [f"--data.root={options.root}", f"--data.validation={options.validation}"]
    with progress() as shown:
        request = StudyRequest(
            choose("rain", VARIANTS, options.variants),
            options.seeds,
            study_folder(options, "rain"),
            study_settings(options, QUICK, data, budget),
            device=options.device,
            workers=options.workers,
            progress=shown,
        )
        rows = run_study(request, [Path(other) for other in options.other])
    said = ["--data.root", place(options.root), "--data.validation", shlex.quote(options.validation)]
    said += ["--other", ",".join(place(other) for other in options.other)] if options.other else []
    view = StudyView("rain", TASK, PAGE_TITLE, tables, pictures, section)
    command = study_command("rain", options, said, budget)
    show_study(view, rows, options, f"{options.root}, held back: {options.validation}", command)
    return 0
