"""One HTML file that shows a run: text, tables and pictures, all inside it, nothing fetched from outside."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from semicoupled.errors import DataError
from semicoupled.files import write_bytes, write_text
from semicoupled.rows import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cell = str | int | float | None

_MEDIA_TYPES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"\xff\xd8\xff": "image/jpeg",
}


@dataclass(frozen=True)
class Table:
    """Figures in rows and columns.

    Args:
        columns: the heads.
        rows: as many cells each as there are heads; None and NaN are shown as a dash.
        caption: one sentence above the table.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A still or moving picture.

    Args:
        content: a matplotlib figure, the bytes of a PNG, GIF or JPEG file, or the path of such a file.
        caption: one sentence below it; it also stands in for the picture where none can be seen.
        pixelated: show enlarged pixels sharp instead of smooth (feature maps, small clips).
    """

    content: Figure | bytes | Path
    caption: str
    pixelated: bool = False


@dataclass(frozen=True)
class Section:
    """A titled part of a report.

    Args:
        title: its heading.
        text: paragraphs, parted by an empty line.
        parts: tables and pictures, in order.
    """

    title: str
    text: str = ""
    parts: Sequence[Table | Picture] = ()


def write_report(path: Path, title: str, sections: Iterable[Section], summary: str = "") -> None:
    """Write a self-contained report; an older one is replaced only once the new one is whole.

    Args:
        path: the HTML file.
        title: its heading.
        sections: what it shows.
        summary: paragraphs below the heading.

    Raises:
        DataError: a picture is neither PNG, GIF nor JPEG.
    """
    write_text(path, render(title, sections, summary))


def render(title: str, sections: Iterable[Section], summary: str = "") -> str:
    """Give the report as HTML text; see `write_report`.

    Raises:
        DataError: a picture is no PNG, GIF or JPEG.
    """
    sections = list(sections)
    links = "".join(
        f'<li><a href="#part-{number}">{html.escape(section.title)}</a></li>' for number, section in enumerate(sections)
    )
    contents = f"<nav><ul>{links}</ul></nav>" if len(sections) > 2 else ""
    body = "".join(_section(section, f"part-{number}") for number, section in enumerate(sections))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # an empty icon keeps browsers from asking a server for one
        f'<link rel="icon" href="data:,">\n<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n<h1>{html.escape(title)}</h1>\n{_paragraphs(summary)}{contents}{body}</main>\n</body>\n</html>\n"
    )


def png(figure: Figure) -> bytes:
    """Give a figure as a PNG file, on white, so that it can be read on any background."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, facecolor="white", bbox_inches="tight")
    return buffer.getvalue()


def write_figure(path: Path, figure: Figure) -> None:
    """Write a figure as a PNG file, whole or not at all."""
    write_bytes(path, png(figure))


def rows_table(rows: Sequence[Row], caption: str = "") -> Table:
    """Lay scores out: one line a row, one column a condition that any of them has.

    Args:
        rows: the scores, in the order in which they shall appear.
        caption: one sentence above the table.
    """
    conditions = list(dict.fromkeys(name for row in rows for name in row.condition))
    intervals = any(row.interval is not None for row in rows)
    columns = ["model", "metric", *conditions, "value", *(["interval"] if intervals else []), "unit", "count"]
    lines: list[list[Cell]] = []
    for row in rows:
        interval = "" if row.interval is None else f"{number(row.interval[0])} – {number(row.interval[1])}"
        lines.append(
            [
                row.model,
                row.metric,
                *(row.condition.get(name, "") for name in conditions),
                float(row.value),
                *([interval] if intervals else []),
                "" if row.unit == "1" else row.unit,
                row.count,
            ]
        )
    return Table(columns, lines, caption)


def number(value: float) -> str:
    """Write a number with four significant digits; a dash for what is undefined."""
    if math.isnan(value):
        return "–"
    return f"{value:.4g}"


def _section(section: Section, identifier: str) -> str:
    parts = "".join(_table(part) if isinstance(part, Table) else _picture(part) for part in section.parts)
    title = html.escape(section.title)
    return f'<section id="{identifier}">\n<h2>{title}</h2>\n{_paragraphs(section.text)}{parts}</section>\n'


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{html.escape(part.strip())}</p>\n" for part in text.split("\n\n") if part.strip())


def _table(table: Table) -> str:
    caption = f"<caption>{html.escape(table.caption)}</caption>" if table.caption else ""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in table.columns)
    lines = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>\n" for row in table.rows)
    return (
        f'<div class="wide"><table>{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{lines}</tbody></table></div>\n'
    )


def _cell(cell: Cell) -> str:
    if cell is None:
        return '<td class="number">–</td>'
    if isinstance(cell, float):
        return f'<td class="number">{number(cell)}</td>'
    if isinstance(cell, int):
        return f'<td class="number">{cell}</td>'
    return f"<td>{html.escape(cell)}</td>"


def _picture(picture: Picture) -> str:
    content = _bytes(picture.content)
    media_type = next((kind for start, kind in _MEDIA_TYPES.items() if content.startswith(start)), None)
    if media_type is None:
        raise DataError(
            f"the picture {picture.caption!r} begins with {content[:8]!r}; expected a PNG, GIF or JPEG file, "
            "or a matplotlib figure. Save it as PNG first"
        )
    data = base64.b64encode(content).decode("ascii")
    caption = html.escape(picture.caption)
    kind = ' class="pixelated"' if picture.pixelated else ""
    return (
        f'<figure><img{kind} alt="{caption}" src="data:{media_type};base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>\n"
    )


def _bytes(content: Figure | bytes | Path) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, Path):
        return content.read_bytes()
    return png(content)


_STYLE = """
:root { color-scheme: light dark; --back: #fff; --front: #1b1f24; --soft: #57606a; --line: #d0d7de; --link: #0550ae }
@media (prefers-color-scheme: dark) {
  :root { --back: #14171a; --front: #e6e9ec; --soft: #9aa4ae; --line: #3a424a; --link: #79b8ff }
}
body { margin: 0; background: var(--back); color: var(--front); font: 16px/1.55 system-ui, sans-serif }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.2rem 5rem }
h1 { font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere } h2 { margin-top: 2.6rem; font-size: 1.25rem }
a { color: var(--link) } p { max-width: 44rem }
.wide { overflow-x: auto; margin: 1rem 0 }
table { border-collapse: collapse; font-size: .92rem }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem }
th, td { padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap }
td.number { text-align: right; font-variant-numeric: tabular-nums }
figure { margin: 1.2rem 0 } figcaption { color: var(--soft); font-size: .9rem; max-width: 44rem }
img { max-width: 100%; background: #fff; border-radius: 4px } img.pixelated { image-rendering: pixelated }
"""
