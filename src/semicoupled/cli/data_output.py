"""A report on data in the terminal: what was found, the heaviest first, after the tables."""

from __future__ import annotations

from collections import Counter

from rich.markup import escape

from semicoupled.cli.tables import output, printed
from semicoupled.data_report import SEVERITIES, DataReport
from semicoupled.report import Table

_COLORS = {"problem": "bold red", "warning": "yellow", "note": "dim"}
_SHOWN = 40


def print_report(report: DataReport) -> None:
    """Print a report; of very many findings the first, since a file or a page takes all of them."""
    console = output()
    console.print(f"[bold]{escape(report.title)}[/bold]\n{escape(report.summary)}")
    for section in report.sections:
        tables = [part for part in section.parts if isinstance(part, Table)]
        if not section.text and not tables:
            continue  # pictures alone are for the page
        console.print(f"\n[bold]{escape(section.title)}[/bold]")
        if section.text:
            console.print(escape(section.text))
        for table in tables:
            console.print(printed(table))
    counts = Counter(finding.severity for finding in report.findings)
    if report.findings:
        console.print("\n[bold]Findings[/bold]")
    for finding in report.ordered[:_SHOWN]:
        color = _COLORS[finding.severity]
        console.print(
            f"[{color}]{finding.severity}[/{color}] {escape(finding.where)}: {escape(finding.text)}", soft_wrap=True
        )
    if len(report.findings) > _SHOWN:
        console.print(f"... and {len(report.findings) - _SHOWN} more: --json or --page shows them all")
    said = [f"{counts[name]} {name}{'s' if counts[name] > 1 else ''}" for name in SEVERITIES if counts[name]]
    console.print("\n" + (", ".join(said) or "nothing wrong found"))
