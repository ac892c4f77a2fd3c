"""What a table or a figure of the paper is here: its trainings, how it is run, what comes out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from semicoupled.page import markdown_table
from semicoupled.reproduce.door import DataNeed
from semicoupled.reproduce.request import Request
from semicoupled.rows import Row
from semicoupled.studies.trials import Trial, options_list

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from semicoupled.report import Table

PAGE_TITLE = (
    "# The paper's tables and figures, made anew\n\n"
    "Every section between two marks is written by the command that stands in it. [The page on "
    "reproducing](../reproduce.md) says what each command does, and what differs from the paper.\n"
)

QUICK_SAYS = "With `--quick`: it shows that everything runs. The figures say nothing."


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came out.

    Attributes:
        task: whose rows they are.
        data: which data were scored, in words.
        rows: all scores, the paper's among them.
        tables: in the order in which they are read.
        pictures: figures with their captions, by name.
        notes: paragraphs.
    """

    task: str
    data: str
    rows: Sequence[Row]
    tables: Sequence[Table] = ()
    pictures: Mapping[str, tuple[Figure, str]] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Reproduction:
    """A table or a figure of the paper, or what else it claims.

    Attributes:
        name: ``table4``.
        title: what it shows.
        paper: what the paper did.
        differs: what differs here, a sentence each, at the size ``small``.
        data: which it needs; None for none.
        lines: names that ``--lines`` knows.
        trials: gives its trainings without beginning any.
        run: trains what is not trained yet, and makes tables and pictures.
        budget: gives the time of each training.
    """

    name: str
    title: str
    paper: str
    differs: tuple[str, ...]
    data: DataNeed | None
    lines: tuple[str, ...]
    trials: Callable[[Request], Sequence[Trial]]
    run: Callable[[Request], Outcome]
    budget: Callable[[Request], str | None] = lambda request: request.budget


def section(found: Reproduction, request: Request, outcome: Outcome, command: str, shown: Sequence[str]) -> str:
    """Write a reproduction's section in Markdown.

    Args:
        found: the reproduction.
        request: what was asked for.
        outcome: what came out.
        command: what made it.
        shown: the pictures' files, as seen from the page, in order.
    """
    parts = [f"## {found.title}\n\n    {command}\n", f"The paper: {found.paper}\n"]
    if request.quick:
        parts.append(f"**{QUICK_SAYS}**\n")
    parts += [f"What differs here:\n\n{bullets(found.differs)}"] if found.differs and request.size == "small" else []
    parts += [f"{table.caption}\n\n{markdown_table(table)}" for table in outcome.tables]
    parts += [f"{note}\n" for note in outcome.notes]
    for file, (_, caption) in zip(shown, outcome.pictures.values(), strict=True):
        parts.append(f"![{caption}]({file})\n\n{caption}\n")
    variants = list({trial.variant.name: trial.variant for trial in found.trials(request)}.values())
    parts += [f"What was trained:\n\n{options_list(variants)}"] if variants else []
    return "\n".join(parts)


def bullets(sentences: Sequence[str]) -> str:
    """Write sentences as a list in Markdown."""
    return "".join(f"* {options_as_code(sentence)}\n" for sentence in sentences)


def options_as_code(sentence: str) -> str:
    """Put options between backticks: in plain text two dashes would become one long one."""
    return re.sub(r"(?<![`\w-])--[a-z][\w.-]*\w", r"`\g<0>`", sentence)
