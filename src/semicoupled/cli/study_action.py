"""``semicoupled study action``: the structure, its parts, rivals of equal size, with the same wall time."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.cli.options import add_computing
from semicoupled.cli.progress import progress
from semicoupled.cli.study import add_study_options, place
from semicoupled.cli.study_of_task import (
    StudyView,
    add_rates,
    add_setting_options,
    check_presets,
    said_settings,
    show_study,
    study_budget,
    study_command,
    study_folder,
    study_parser,
    study_settings,
    with_rates,
)

BUDGET = "10m"


def main(arguments: Sequence[str]) -> int:
    """Train and score the variants, and say what is reached."""
    parser = study_parser(
        "action",
        "--data.root DIR [--preset NAME ...] [--SETTING VALUE ...] [--rates VARIANT=RATE,...]",
        BUDGET,
        "Compare the structure with its parts left out, and with CNN, CNN+LSTM, ConvLSTM, CBM and a 3D network of "
        "equal size, on groups (speakers, people, places) that were not learned from.",
    )
    parser.add_argument("--data.root", dest="root", required=True, metavar="DIR", help="videos, as in train")
    add_setting_options(parser)
    add_rates(parser)
    add_study_options(parser, (0, 1, 2))
    add_computing(parser)
    options, rest = parser.split(arguments)

    from semicoupled.studies import choose
    from semicoupled.tasks.action.study.page import PAGE_TITLE, classes_of, pictures, section, tables
    from semicoupled.tasks.action.study.studies import PRESETS, QUICK, TASK, VARIANTS, run_study

    presets = check_presets(TASK, options.preset or PRESETS)
    budget = study_budget(options, BUDGET)
    with progress() as shown:
        rows = run_study(
            with_rates(choose("action", VARIANTS, options.variants), options.rates),
            options.seeds,
            study_folder(options, "action"),
            options=study_settings(options, QUICK, [f"--data.root={options.root}", *rest], budget),
            presets=presets,
            device=options.device,
            workers=options.workers,
            progress=shown,
        )
    view = StudyView("action", TASK, PAGE_TITLE, tables, pictures, section)
    said = ["--data.root", place(options.root), *said_settings(options.preset, rest, options.rates)]
    command = study_command("action", options, said, budget)
    show_study(view, rows, options, options.root, command, f"{len(classes_of(rows))} classes")
    return 0
