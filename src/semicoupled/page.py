"""Pages of the documentation whose figures commands write: a section between two marks, replaced as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from semicoupled import __version__
from semicoupled.errors import DataError
from semicoupled.files import write_text
from semicoupled.report import Cell, Table, number

_FIGURE = re.compile(r"[-+\u2212]?\.?\d")


def put_section(page: Path, name: str, text: str, title: str) -> None:
    """Put a section into a page, in the place of an older one of the same name.

    Args:
        page: Markdown; made if it is not there.
        name: of the section.
        text: with its heading.
        title: what a new page begins with.

    Raises:
        DataError: the page holds half a section of this name, or is no text.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    try:
        old = page.read_text(encoding="utf-8") if page.exists() else title
    except UnicodeDecodeError as error:
        raise DataError(f"{page}: is no text in UTF-8 ({error}); expected Markdown. Name another page") from error
    new = f"{begin}\n{text}{end}"
    behind = old.split(begin, 1)[-1]
    if (begin in old) != (end in behind):
        raise DataError(f"{page}: has only one of {begin!r} and {end!r}; expected both or none. Take it out")
    if begin in old:
        before, rest = old.split(begin, 1)
        write_text(page, f"{before}{new}{rest.split(end, 1)[1]}")
    else:
        write_text(page, f"{old.rstrip()}\n\n{new}\n")


def markdown_table(table: Table) -> str:
    """Lay a report's table out as Markdown: figures to the right, words and the first column to the left."""
    rows = [[cell_text(cell) for cell in line] for line in table.rows]
    marks = (
        " ---: " if index and _are_figures([line[index] for line in rows]) else " --- "
        for index in range(len(table.columns))
    )
    lines = ["| " + " | ".join(table.columns) + " |", "|" + "|".join(marks) + "|"]
    lines += ["| " + " | ".join(line) + " |" for line in rows]
    return "\n".join(lines) + "\n"


def _are_figures(cells: Sequence[str]) -> bool:
    """Whether most of what a column holds begins with a figure."""
    filled = [cell for cell in cells if cell.strip("- ")]
    return 2 * sum(_FIGURE.match(cell) is not None for cell in filled) >= len(filled)


def cell_text(cell: Cell) -> str:
    """Write a cell's value; a dash where there is none."""
    if cell is None:
        return "-"
    return number(cell) if isinstance(cell, float) else str(cell)


def write_markdown(path: Path, command: str, table: Table) -> None:
    """Write a table as Markdown, under the command that made it, so that no figure is ever typed by hand.

    Args:
        path: the file; replaced as a whole.
        command: that made it.
        table: what it found.
    """
    lines = [
        f"Written by `{command} --markdown {path.name}`, semicoupled {__version__}.",
        "",
        *([table.caption, ""] if table.caption else []),
        markdown_table(table),
    ]
    write_text(path, "\n".join(lines))
