"""What the studies that are scored on several places share: those of rain and of driving."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from semicoupled.cli.options import Parser, add_computing, names
from semicoupled.cli.progress import progress
from semicoupled.cli.study import add_study_options, place
from semicoupled.cli.study_of_task import study_budget, study_command, study_settings
from semicoupled.cli.study_view import show_study, study_folder, view_of


def study_places(parser: Parser, arguments: Sequence[str], name: str, task: str, budget: str, others: str) -> int:
    """Train and score the variants on what is held back and on other places, and say what is reached.

    Args:
        parser: with ``--data.root``, ``--data.validation``, and perhaps ``--data.test``.
        arguments: of the command.
        name: of the study.
        task: whose folder ``study`` has the modules ``page``, ``running`` and ``variants``.
        budget: wall time of each variant where none is given.
        others: what ``--other`` names, for the help.
    """
    parser.add_argument("--other", type=names, default=(), metavar="DIR,DIR", help=others)
    add_study_options(parser, (0, 1, 2))
    add_computing(parser)
    options = parser.parse(arguments)

    from semicoupled.studies.request import StudyRequest
    from semicoupled.studies.trials import choose

    page, running, known = (
        import_module(f"semicoupled.tasks.{task}.study.{module}") for module in ("page", "running", "variants")
    )
    each = study_budget(options, budget)
    given = {"validation": options.validation, "test": getattr(options, "test", None)}
    parts = {f"--data.{part}": value for part, value in given.items() if value is not None}
    data = [f"--data.root={options.root}", *(f"{option}={value}" for option, value in parts.items())]
    with progress() as shown:
        request = StudyRequest(
            choose(name, known.VARIANTS, options.variants),
            options.seeds,
            study_folder(options, name),
            study_settings(options, known.QUICK, data, each),
            device=options.device,
            workers=options.workers,
            progress=shown,
        )
        rows = running.run_study(request, [Path(other) for other in options.other])
    said = ["--data.root", place(options.root)]
    said += [word for option, value in parts.items() for word in (option, shlex.quote(value))]
    said += ["--other", ",".join(place(other) for other in options.other)] if options.other else []
    view = view_of(page, name, task)
    command = study_command(name, options, said, each)
    show_study(view, rows, options, f"{options.root}, held back: {options.validation}", command)
    return 0
