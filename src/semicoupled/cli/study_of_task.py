"""What the studies of tasks share on the command line: their settings, what they print, draw and write."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from importlib import import_module

from semicoupled.cli.options import Parser, add_computing
from semicoupled.cli.progress import progress
from semicoupled.cli.study import add_study_options, place
from semicoupled.cli.study_own import add_own, own_of
from semicoupled.cli.study_view import show_study, study_folder, view_of
from semicoupled.cli.task_options import preset_files
from semicoupled.errors import SettingsError, nearest


def study_budget(options: argparse.Namespace, budget: str) -> str | None:
    """Give the wall time of each variant: ``--budget``, else `budget`; none with ``--quick``."""
    return options.budget or (None if options.quick else budget)


def study_settings(
    options: argparse.Namespace, quick: Sequence[str], data: Sequence[str], budget: str | None
) -> list[str]:
    """Give the settings that all variants share.

    Args:
        options: what `study.add_study_options` and `options.add_computing` read.
        quick: those of ``--quick``.
        data: those that say where the data are, and all others that were given; they win.
        budget: wall time of each variant.
    """
    return [
        *(quick if options.quick else ()),
        *([f"--training.time_budget={budget}"] if budget is not None else []),
        *([f"--training.precision={options.precision}"] if options.precision != "auto" else []),
        *data,
    ]


def study_command(name: str, options: argparse.Namespace, data: Sequence[str], budget: str | None) -> str:
    """Give the command that makes the same figures, without the places where they go.

    Args:
        name: of the study.
        options: as they were read.
        data: words that say where the data are, fit for a shell.
        budget: wall time of each variant.
    """
    parts = ["semicoupled", "study", name, *(["--quick"] if options.quick else []), *data]
    parts += ["--seeds", ",".join(map(str, options.seeds))]
    parts += [] if budget is None else ["--budget", budget]
    parts += ["--variants", ",".join(options.variants)] if options.variants else []
    parts += [] if options.precision == "auto" else ["--precision", options.precision]
    return " ".join(parts)


def study_parser(name: str, usage: str, budget: str, description: str) -> Parser:
    """Begin the parser of a study of a task.

    Args:
        name: of the study.
        usage: what is its own.
        budget: wall time of each variant where none is given.
        description: what is compared.
    """
    return Parser(
        f"study {name}",
        f"{usage} [--seeds 0,1,2] [--budget {budget}] [--variants A,B] [--out DIR] [--page F.md] [--json F] [--quick]",
        f"{description} What is finished is not done again, and a training that was killed is taken up.",
    )


def add_setting_options(parser: Parser) -> None:
    """Add ``--preset``; other options that the parser does not know are settings of all variants."""
    parser.add_argument(
        "--preset",
        action="append",
        default=[],
        metavar="NAME",
        help="what all variants begin with, as in train; any setting of the task can be given, too",
    )


def check_presets(task: str, presets: Sequence[str]) -> tuple[str, ...]:
    """Give presets of a task, or refuse what is none.

    Raises:
        SettingsError: there is no such preset.
    """
    known = preset_files(task)
    for name in presets:
        if name not in known:
            raise SettingsError(f"task {task} has no preset {name!r}. {nearest(name, known)}")
    return tuple(presets)


def said_settings(presets: Sequence[str], rest: Sequence[str]) -> list[str]:
    """Write presets and settings as they were given, fit for a shell."""
    return [*(word for name in presets for word in ("--preset", name)), *map(shlex.quote, rest)]


def study_task(
    arguments: Sequence[str],
    name: str,
    budget: str,
    description: str,
    root: str,
) -> int:
    """Train and score the variants of a task's study, and say what is reached.

    Args:
        arguments: of the command.
        name: of the task, whose folder ``study`` has the modules ``page``, ``running`` and ``variants``.
        budget: wall time of each variant where none is given.
        description: what is compared.
        root: what `--data.root` holds, for the help.
    """
    parser = study_parser(
        name,
        "--data.root DIR [--preset NAME ...] [--SETTING VALUE ...] [--rates A=R,...] [--budgets A=T,...] [--once A,B]",
        budget,
        description,
    )
    parser.add_argument("--data.root", dest="root", required=True, metavar="DIR", help=f"{root}, as in train")
    add_setting_options(parser)
    add_own(parser)
    add_study_options(parser, (0, 1, 2))
    add_computing(parser)
    options, rest = parser.split(arguments)

    from semicoupled.studies.request import StudyRequest
    from semicoupled.studies.trials import choose

    page, running, known = (
        import_module(f"semicoupled.tasks.{name}.study.{module}") for module in ("page", "running", "variants")
    )
    presets = check_presets(name, options.preset or known.PRESETS)
    each, own = study_budget(options, budget), own_of(options)
    variants = own.of(choose(name, known.VARIANTS, options.variants))
    with progress() as shown:
        request = StudyRequest(
            variants,
            options.seeds,
            study_folder(options, name),
            study_settings(options, known.QUICK, [f"--data.root={options.root}", *rest], each),
            presets,
            own.single(variants),
            device=options.device,
            workers=options.workers,
            progress=shown,
        )
        rows = running.run_study(request)
    view = view_of(page, name, name)
    said = ["--data.root", place(options.root), *said_settings(options.preset, rest), *own.said()]
    show_study(view, rows, options, options.root, study_command(name, options, said, each))
    return 0
