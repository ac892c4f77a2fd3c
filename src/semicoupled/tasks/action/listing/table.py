"""Lists that are CSV with a head: their rows by column, each with its place."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from semicoupled.errors import DataError
from semicoupled.tasks.action.listing.clip import read_lines


class Row(NamedTuple):
    """One line of a table.

    Attributes:
        where: list and line, for errors.
        cells: by column, in lower case; empty where the line ends early. Blanks around a cell do not count.
    """

    where: str
    cells: Mapping[str, str]


def columns_of(path: Path) -> list[str]:
    """Give the names in the first line of a file, in lower case; none if it is no text."""
    try:
        lines = read_lines(path)
        return _columns(lines[0].text) if lines else []
    except (DataError, csv.Error):
        return []


def rows_of(path: Path) -> Iterator[Row]:
    """Read the rows below the head.

    Raises:
        DataError: the file cannot be read, or a line has more cells than the head: which of them are meant is not
            known.
    """
    head, *lines = read_lines(path)
    columns = _columns(head.text)
    reader = csv.reader([line.text for line in lines], skipinitialspace=True)
    try:
        for row in reader:
            where = f"{path}: line {lines[reader.line_num - 1].number}"
            cells = [cell.strip() for cell in row]
            if any(cells[len(columns) :]):
                raise DataError(
                    f"{where}: has {len(cells)} cells; expected {len(columns)} ({', '.join(columns)}). Put a cell that "
                    "holds a comma between quotation marks"
                )
            missing = [""] * (len(columns) - len(cells))
            yield Row(where, dict(zip(columns, [*cells, *missing], strict=False)))
    except csv.Error as error:
        raise DataError(f"{path}: is no table ({error}); expected CSV. Write it anew") from error


def _columns(line: str) -> list[str]:
    return [cell.strip().lower() for cell in next(csv.reader([line], skipinitialspace=True))]
