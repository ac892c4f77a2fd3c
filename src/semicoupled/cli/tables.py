"""Tables in the terminal; their cells are shown as they are, also where they look like rich's markup."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from semicoupled.page import cell_text
from semicoupled.report import Table as ReportTable
from semicoupled.report import number, rows_table
from semicoupled.rows import Row


def output() -> Console:
    """Give the standard output; where it is no terminal, lines are not folded at 80 letters."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)


def scores_table(rows: Sequence[Row], title: str = "") -> Table:
    """Lay scores out for the terminal: one line a row, one column a condition that any of them has.

    Args:
        rows: the scores, in the order in which they shall appear.
        title: what stands above the table.
    """
    plain = rows_table(rows)
    table = Table(title=escape(title) or None, title_justify="left")
    for name in plain.columns:
        table.add_column(escape(name), justify="right" if name in ("value", "count") else "left")
    for line in plain.rows:
        table.add_row(*(escape(number(cell) if isinstance(cell, float) else str(cell)) for cell in line))
    return table


def printed(table: ReportTable) -> Table:
    """Lay a report's table out for the terminal."""
    shown = Table(title=escape(table.caption) or None, title_justify="left")
    for index, column in enumerate(table.columns):
        shown.add_column(escape(column), justify="right" if index else "left")
    for line in table.rows:
        shown.add_row(*(escape(cell_text(cell)) for cell in line))
    return shown
