"""How a study shows its rows on the command line: tables, pictures, scores, and the section of a page."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from semicoupled.cli.tables import output, printed
from semicoupled.rows import Row, write_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from semicoupled.report import Table


class StudyView(NamedTuple):
    """How a study shows its rows.

    Attributes:
        name: of the study; pictures on pages begin with it.
        task: its task's name.
        title: what a new page begins with.
        tables: in the order in which they are read.
        pictures: figures with their captions, by name.
        section: Markdown from rows, the command, and file and caption of each picture.
        part: tells sections of the study apart that stand on one page.
    """

    name: str
    task: str
    title: str
    tables: Callable[[Sequence[Row]], Sequence[Table]]
    pictures: Callable[[Sequence[Row]], Mapping[str, tuple[Figure, str]]]
    section: Callable[[Sequence[Row], str, Sequence[tuple[str, str]]], str]
    part: Callable[[Sequence[Row]], str] = lambda rows: ""


def view_of(page: ModuleType, name: str, task: str) -> StudyView:
    """Give the view of a study whose task has a module ``study/page.py``.

    Args:
        page: that module; where its ``part_of`` is missing, the study has one section.
        name: of the study.
        task: its task's name.
    """
    view = StudyView(name, task, page.PAGE_TITLE, page.tables, page.pictures, page.section)
    return view._replace(part=page.part_of) if hasattr(page, "part_of") else view


def study_folder(options: argparse.Namespace, name: str) -> Path:
    """Give the folder of a study: ``--out``, or ``runs/study-NAME``."""
    return options.out or Path("runs") / f"study-{name}"


def show_study(view: StudyView, rows: Sequence[Row], options: argparse.Namespace, data: str, command: str) -> None:
    """Print a study's tables and draw its pictures; write its scores and its section where that is asked for.

    Args:
        view: the study.
        rows: what it found.
        options: with ``out``, ``json`` and ``page``.
        data: which data was scored, in words.
        command: that made the rows.
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
        part = view.part(rows)
        beside: list[tuple[str, str]] = []
        for name, (figure, caption) in drawn.items():
            picture = options.page.with_name(f"study-{'-'.join([name, *part.split()])}.png")
            write_figure(picture, figure)
            beside.append((picture.name, caption))
        section = view.section(rows, command, beside)
        put_section(options.page, " ".join(["study", view.name, *part.split()]), section, view.title)
        print(f"page: {options.page}")
