"""``semicoupled study motion``: which classes need time, on made clips of which that is known."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.cli.options import add_computing
from semicoupled.cli.progress import progress
from semicoupled.cli.study import add_study_options
from semicoupled.cli.study_of_task import said_settings, study_budget, study_command, study_parser, study_settings
from semicoupled.cli.study_view import StudyView, show_study, study_folder

BUDGET = "3m"


def main(arguments: Sequence[str]) -> int:
    """Make the clips, train and score the variants, and say what is reached."""
    parser = study_parser(
        "motion",
        "[--SETTING VALUE ...]",
        BUDGET,
        "Say which classes need time, on made clips: of squares that move in four ways the motion alone tells the "
        "class, of a disc and a cross any frame.",
    )
    add_study_options(parser, (0, 1, 2))
    add_computing(parser)
    options, rest = parser.split(arguments)

    from semicoupled.studies.request import StudyRequest
    from semicoupled.studies.trials import choose
    from semicoupled.tasks.action.study import motion
    from semicoupled.tasks.action.study.made import Counts, write_clips
    from semicoupled.tasks.action.study.page import PAGE_TITLE
    from semicoupled.tasks.action.study.running import run_study
    from semicoupled.tasks.action.study.variants import QUICK, TASK, VARIANTS

    budget, folder = study_budget(options, BUDGET), study_folder(options, "motion")
    root = write_clips(folder / "clips", Counts(2, 1, 2) if options.quick else None)
    with progress() as shown:
        request = StudyRequest(
            choose("motion", VARIANTS, options.variants or motion.VARIANTS_SHOWN),
            options.seeds,
            folder,
            study_settings(options, QUICK, [f"--data.root={root}", *rest], budget),
            motion.PRESETS,
            device=options.device,
            workers=options.workers,
            progress=shown,
        )
        rows = run_study(request)
    view = StudyView("motion", TASK, PAGE_TITLE, motion.tables, motion.pictures, motion.section)
    command = study_command("motion", options, said_settings((), rest), budget)
    show_study(view, rows, options, "generated", command)
    return 0
