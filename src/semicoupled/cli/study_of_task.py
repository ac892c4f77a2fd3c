"""What the studies of tasks share on the command line: their settings, what they print, draw and write."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from semicoupled.cli.options import Parser, add_computing, names
from semicoupled.cli.progress import progress
from semicoupled.cli.study import add_study_options, place
from semicoupled.cli.tables import output, printed
from semicoupled.cli.task_options import preset_files
from semicoupled.errors import SettingsError, nearest
from semicoupled.rows import Row, write_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from semicoupled.report import Table
    from semicoupled.studies import Variant


class StudyView(NamedTuple):
    """How a study shows its rows.

    Attributes:
        name: of the study; pictures on pages begin with it.
        task: its task's name.
        title: what a new page begins with.
        tables: in the order in which they are read.
        pictures: figures with their captions, by name.
        section: Markdown from rows, the command, and file and caption of each picture.
    """

    name: str
    task: str
    title: str
    tables: Callable[[Sequence[Row]], Sequence[Table]]
    pictures: Callable[[Sequence[Row]], Mapping[str, tuple[Figure, str]]]
    section: Callable[[Sequence[Row], str, Sequence[tuple[str, str]]], str]


def study_folder(options: argparse.Namespace, name: str) -> Path:
    """Give the folder of a study: ``--out``, or ``runs/study-NAME``."""
    return options.out or Path("runs") / f"study-{name}"


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


def show_study(
    view: StudyView, rows: Sequence[Row], options: argparse.Namespace, data: str, command: str, part: str = ""
) -> None:
    """Print a study's tables and draw its pictures; write its scores and its section where that is asked for.

    Args:
        view: the study.
        rows: what it found.
        options: with ``out``, ``json`` and ``page``.
        data: which data was scored, in words.
        command: that made the rows.
        part: tells sections of one study apart that stand on one page.
    """
    from semicoupled.page import put_section
    from semicoupled.report import write_figure

    folder = study_folder(options, view.name)
    for table in view.tables(rows):
        output().print(printed(table))
    drawn = view.pictures(rows)
    for name, (figure, _) in drawn.items():
        picture = folder / f"{name}.png"
        write_figure(picture, figure)
        print(f"plot: {picture}")
    if options.json is not None:
        write_rows(options.json, view.task, data, rows)
    if options.page is not None:
        beside: list[tuple[str, str]] = []
        for name, (figure, caption) in drawn.items():
            picture = options.page.with_name(f"study-{'-'.join([name, *part.split()])}.png")
            write_figure(picture, figure)
            beside.append((picture.name, caption))
        section = view.section(rows, command, beside)
        put_section(options.page, " ".join(["study", view.name, *part.split()]), section, view.title)
        print(f"page: {options.page}")


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


class Own(NamedTuple):
    """What single variants have of their own, by a variant's name, or by what it begins with, up to an underscore.

    Attributes:
        rates: learning rates.
        budgets: wall times.
        once: variants that are trained with the first seed alone.
    """

    rates: Mapping[str, str]
    budgets: Mapping[str, str]
    once: Sequence[str]

    def of(self, variants: Sequence[Variant]) -> tuple[Variant, ...]:
        """Give variants with their own learning rates and wall times; of two names that fit the longer one counts.

        Raises:
            SettingsError: something for none of them.
        """
        given = tuple(variants)
        for option, name, values in (
            ("rates", "learning_rate", self.rates),
            ("budgets", "time_budget", self.budgets),
            ("once", "", dict.fromkeys(self.once, "")),
        ):
            for wanted in values:
                if not any(_is_of(wanted, variant) for variant in given):
                    known = nearest(wanted, [variant.name for variant in given])
                    raise SettingsError(f"--{option}: no variant is called {wanted!r}. {known}")
            given = tuple(_with_own(variant, name, values) for variant in given) if name else given
        return given

    def single(self, variants: Sequence[Variant]) -> tuple[str, ...]:
        """Give the names of those variants that are trained once."""
        return tuple(v.name for v in variants if any(_is_of(wanted, v) for wanted in self.once))

    def said(self) -> list[str]:
        """Write it as it was given, fit for a shell."""
        words: list[str] = []
        for option, values in (("rates", self.rates), ("budgets", self.budgets)):
            words += [f"--{option}", ",".join(f"{name}={value}" for name, value in values.items())] if values else []
        return [*words, *(["--once", ",".join(self.once)] if self.once else [])]


def add_own(parser: Parser) -> None:
    """Add ``--rates``, ``--budgets`` and ``--once``; see `Own`."""
    parser.add_argument(
        "--rates",
        type=_pairs,
        default={},
        metavar="VARIANT=RATE,...",
        help="learning rates, found with `semicoupled tune`; convlstm=2e-3 is also convlstm_15's; else the preset's",
    )
    parser.add_argument(
        "--budgets",
        type=_pairs,
        default={},
        metavar="VARIANT=T,...",
        help="wall times of variants that get more or less than --budget; the tables say how long each took",
    )
    parser.add_argument(
        "--once", type=names, default=(), metavar="A,B", help="variants that are trained with the first seed alone"
    )


def own_of(options: argparse.Namespace) -> Own:
    """Give what `add_own` read; with ``--quick`` nobody has a wall time."""
    return Own(options.rates, {} if options.quick else options.budgets, options.once)


def _is_of(name: str, variant: Variant) -> bool:
    return variant.name == name or variant.name.startswith(f"{name}_")


def _with_own(variant: Variant, setting: str, values: Mapping[str, str]) -> Variant:
    wanted = max((name for name in values if _is_of(name, variant)), key=len, default=None)
    if wanted is None:
        return variant
    return dataclasses.replace(variant, options=(*variant.options, f"--training.{setting}={values[wanted]}"))


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise argparse.ArgumentTypeError(f"{part!r}: expected a variant and what it gets, such as cnn=2e-3")
        found[name] = value
    return found


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
    part: Callable[[Sequence[Row]], str] = lambda rows: "",
) -> int:
    """Train and score the variants of a task's study, and say what is reached.

    Args:
        arguments: of the command.
        name: of the task, whose folder ``study`` has the modules ``page``, ``running`` and ``variants``.
        budget: wall time of each variant where none is given.
        description: what is compared.
        root: what `--data.root` holds, for the help.
        part: tells sections apart that stand on one page.
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

    from semicoupled.studies import choose
    from semicoupled.study_request import StudyRequest

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
    view = StudyView(name, name, page.PAGE_TITLE, page.tables, page.pictures, page.section)
    said = ["--data.root", place(options.root), *said_settings(options.preset, rest), *own.said()]
    show_study(view, rows, options, options.root, study_command(name, options, said, each), part(rows))
    return 0
