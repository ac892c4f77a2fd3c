"""What `semicoupled data check` and `data describe` find: tables for people, findings with their weight, one exit code.

The file format is a promise (format 1):

    {"format": 1, "task": "nowcasting", "data": "radar/2021", "summary": "...",
     "findings": [{"severity": "problem", "where": "2021-02-05", "text": "..."}],
     "sections": [{"title": "Folders", "text": "", "tables": [{"caption": "", "columns": ["..."], "rows": [["..."]]}]}]}
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from semicoupled.files import write_text
from semicoupled.report import Cell, Section, Table, write_report

FORMAT = 1

Severity = Literal["problem", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Args:
        severity: ``"problem"`` (the data cannot be used as they are), ``"warning"`` (they can, but look at it), or
            ``"note"``.
        where: the folder or the file.
        text: what, where, expected, got, what to do.
    """

    severity: Severity
    where: str
    text: str


@dataclass(frozen=True)
class DataReport:
    """What a look at data gave.

    Args:
        title: its heading.
        summary: one or two sentences.
        sections: tables and pictures, the most important first.
        findings: what was found, in order of the data.
    """

    title: str
    summary: str
    sections: Sequence[Section]
    findings: Sequence[Finding] = ()

    @property
    def exit_code(self) -> int:
        """0, or 1 where a problem was found."""
        return int(any(finding.severity == "problem" for finding in self.findings))

    @property
    def ordered(self) -> list[Finding]:
        """The findings, the heaviest first."""
        return sorted(self.findings, key=lambda finding: SEVERITIES.index(finding.severity))


def findings_table(report: DataReport) -> Table:
    """Lay the findings out, the heaviest first."""
    return Table(("severity", "where", "what"), [(one.severity, one.where, one.text) for one in report.ordered])


def write_json(path: Path, task: str, data: str, report: DataReport) -> None:
    """Write a report as JSON, whole or not at all; pictures are left out.

    Args:
        path: the file.
        task: the task's name.
        data: what was looked at: the folder or pattern.
        report: what was found.
    """
    document = {
        "format": FORMAT,
        "task": task,
        "data": data,
        "summary": report.summary,
        "findings": [{"severity": one.severity, "where": one.where, "text": one.text} for one in report.ordered],
        "sections": [
            {
                "title": section.title,
                "text": section.text,
                "tables": [_table(part) for part in section.parts if isinstance(part, Table)],
            }
            for section in report.sections
        ],
    }
    write_text(path, json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def write_page(path: Path, report: DataReport) -> None:
    """Write a report as one HTML file that fetches nothing from outside."""
    found = (
        Section("Findings", parts=[findings_table(report)])
        if report.findings
        else Section("Findings", "Nothing wrong was found.")
    )
    write_report(path, report.title, [found, *report.sections], report.summary)


def _table(table: Table) -> dict[str, object]:
    return {
        "caption": table.caption,
        "columns": list(table.columns),
        "rows": [[_finite(cell) for cell in row] for row in table.rows],
    }


def _finite(cell: Cell) -> Cell:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell
