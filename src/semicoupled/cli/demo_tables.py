"""A report's table for the terminal, and for a page of the documentation."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table as Printed

from semicoupled import __version__
from semicoupled.files import write_text
from semicoupled.page import cell_text, markdown_table
from semicoupled.report import Table


def printed(table: Table) -> Printed:
    """Lay a table out for the terminal."""
    shown = Printed(title=table.caption or None, title_justify="left")
    for index, column in enumerate(table.columns):
        shown.add_column(column, justify="right" if index else "left")
    for line in table.rows:
        shown.add_row(*(cell_text(cell) for cell in line))
    return shown


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
