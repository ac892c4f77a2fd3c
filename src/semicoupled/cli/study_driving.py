"""``semicoupled study driving``: the structure, its p and its length, CNN and CNN+LSTM, all with the same wall time."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from semicoupled.cli.options import add_computing, names
from semicoupled.cli.progress import progress
from semicoupled.cli.study import add_study_options, place
from semicoupled.cli.study_of_task import study_budget, study_command, study_parser, study_settings
from semicoupled.cli.study_view import StudyView, show_study, study_folder

BUDGET = "10m"


def main(arguments: Sequence[str]) -> int:
    """Train and score the variants, and say what is reached."""
    parser = study_parser(
        "driving",
        "--data.root DIR [--data.validation RUNS] [--data.test RUNS] [--other DIR,DIR]",
        BUDGET,
        "Compare the structure with CNN, CNN+LSTM and ConvLSTM on drives.",
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

    from semicoupled.studies import choose
    from semicoupled.study_request import StudyRequest
    from semicoupled.tasks.driving.study.page import PAGE_TITLE, pictures, section, tables
    from semicoupled.tasks.driving.study.running import run_study
    from semicoupled.tasks.driving.study.variants import QUICK, TASK, VARIANTS

    budget = study_budget(options, BUDGET)
    data = [f"--data.root={options.root}", f"--data.validation={options.validation}"]
    data += [f"--data.test={options.test}"] if options.test is not None else []
    with progress() as shown:
        request = StudyRequest(
            choose("driving", VARIANTS, options.variants),
            options.seeds,
            study_folder(options, "driving"),
            study_settings(options, QUICK, data, budget),
            device=options.device,
            workers=options.workers,
            progress=shown,
        )
        rows = run_study(request, [Path(other) for other in options.other])
    said = ["--data.root", place(options.root), "--data.validation", shlex.quote(options.validation)]
    said += ["--data.test", shlex.quote(options.test)] if options.test is not None else []
    said += ["--other", ",".join(place(other) for other in options.other)] if options.other else []
    view = StudyView("driving", TASK, PAGE_TITLE, tables, pictures, section)
    command = study_command("driving", options, said, budget)
    show_study(view, rows, options, f"{options.root}, held back: {options.validation}", command)
    return 0
