"""``semicoupled study outline``: the structure and its rivals at 2, 5, 10 and 15 layers, with the same wall time."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.cli.options import add_computing
from semicoupled.cli.progress import progress
from semicoupled.cli.study import add_study_options, place
from semicoupled.cli.study_of_task import (
    StudyView,
    add_own,
    add_setting_options,
    check_presets,
    own_of,
    said_settings,
    show_study,
    study_budget,
    study_command,
    study_folder,
    study_parser,
    study_settings,
)

BUDGET = "10m"


def main(arguments: Sequence[str]) -> int:
    """Train and score the variants, and say what is reached."""
    parser = study_parser(
        "outline",
        "--data.root DIR [--preset NAME ...] [--SETTING VALUE ...] [--rates A=R,...] [--budgets A=T,...] [--once A,B]",
        BUDGET,
        "Compare the structure with ConvLSTM, ConvGRU and CBM at 2, 5, 10 and 15 layers on outlines (Table 4), and q's "
        "beginnings (Fig. 5c).",
    )
    parser.add_argument("--data.root", dest="root", required=True, metavar="DIR", help="annotations, as in train")
    add_setting_options(parser)
    add_own(parser)
    add_study_options(parser, (0, 1, 2))
    add_computing(parser)
    options, rest = parser.split(arguments)

    from semicoupled.studies import choose
    from semicoupled.tasks.outline.study.page import PAGE_TITLE, pictures, section, tables
    from semicoupled.tasks.outline.study.studies import PRESETS, QUICK, TASK, VARIANTS, run_study

    presets = check_presets(TASK, options.preset or PRESETS)
    budget, own = study_budget(options, BUDGET), own_of(options)
    variants = own.of(choose("outline", VARIANTS, options.variants))
    with progress() as shown:
        rows = run_study(
            variants,
            options.seeds,
            study_folder(options, "outline"),
            options=study_settings(options, QUICK, [f"--data.root={options.root}", *rest], budget),
            presets=presets,
            once=own.single(variants),
            device=options.device,
            workers=options.workers,
            progress=shown,
        )
    view = StudyView("outline", TASK, PAGE_TITLE, tables, pictures, section)
    said = ["--data.root", place(options.root), *said_settings(options.preset, rest), *own.said()]
    command = study_command("outline", options, said, budget)
    show_study(view, rows, options, options.root, command)
    return 0
