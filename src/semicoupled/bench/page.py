"""The tables of a bench as a section of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from semicoupled.bench.promises import kept
from semicoupled.environment import environment
from semicoupled.page import markdown_table
from semicoupled.report import Cell, Table
from semicoupled.rows import Row

PAGE_TITLE = "# Performance\n\nEvery section is written by the command that stands in it.\n"
TITLES = {
    "flops_per_second": "Floating-point operations per second",
    "share_of_peak": "Share of the convolution peak",
    "speedup": "How many times faster",
    "step_ratio": "A training step against the plain one",
    "seconds": "Seconds",
    "ms_per_frame": "Milliseconds a frame, streaming on one core",
    "page_faults": "Page faults in a training step",
    "state_bytes": "Size of the state",
    "peak_bytes": "Peak memory above the start",
    "frames_per_second": "Frames a second in training",
    "share_of_ideal": "Share of as many times the speed as there are processes",
    "averaging_share": "Share of a step that averages gradients",
    "parameters": "Parameters",
    "gradient_bytes": "Gradients that each process sends and receives in a step",
    "held_bytes": "Weights, gradients and the optimizer's state in each process, beside the maps",
    "input_bytes": "Decoded input of a step, all processes together",
    "peak_ratio": "Peak memory of a long sequence against a short one",
}
"""Metrics, in words."""
SCALED = ("FLOP/s", "B")
"""Units that take a prefix."""
PREFIXES = ("", "k", "M", "G", "T", "P")
"""Of the powers of 1000."""


def section(kind: str, rows: Sequence[Row], command: str, picture: str, left: int = 0) -> str:
    """Write the section: machine, plot, and a table for each metric.

    Args:
        kind: ``speed``, ``memory``, ``ways`` or ``scaling``.
        rows: what was measured.
        command: that measured it.
        picture: file of the plot, as seen from the page.
        left: number of parts that were not measured because the time was up.
    """
    cpu = environment()["cpu"]
    machine = (
        f"{cpu['cores']} cores ({cpu['capability']}), {torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    parts = [f"## {kind.capitalize()}\n", f"    {command}\n", f"{machine}.\n", f"![{kind}]({picture})\n"]
    if left:
        parts.append(f"{left} parts are missing: the time budget was used up.\n")
    promised = kept(rows)
    if promised is not None:
        parts += ["### What was promised\n", markdown_table(promised)]
    for metric in dict.fromkeys(row.metric for row in rows):
        parts += [f"### {TITLES[metric]}\n", markdown_table(table([row for row in rows if row.metric == metric]))]
    return "\n".join(parts) + "\n"


def table(rows: Sequence[Row]) -> Table:
    """Lay the rows of one metric out: model, conditions, value, range over the repeats."""
    names = list(dict.fromkeys(name for row in rows for name in row.condition))
    lines: list[list[Cell]] = []
    for row in rows:
        said = figure(row)
        conditions = [str(row.condition.get(name, "-")) for name in names]
        lines.append([row.model, *conditions, said.median, said.range, said.unit])
    return Table(["model", *names, "median", "range", "unit"], lines)


class Figure(NamedTuple):
    """What was measured, as a page has it.

    Attributes:
        median: with three significant digits; numbers without a unit with all of their whole part.
        range: over the repeats, in the same unit; a dash where there is none.
        unit: with the prefix of powers of 1000 that the median takes (GFLOP/s, MB).
    """

    median: str
    range: str
    unit: str


def figure(row: Row) -> Figure:
    """Write a row's value with as many digits as a measurement has."""
    power = 0
    if row.unit in SCALED:
        while power < len(PREFIXES) - 1 and abs(float(f"{row.value:.3g}")) >= 1000 ** (power + 1):
            power += 1
    scale = 1000**power
    span = "-" if row.interval is None else " to ".join(_short(end / scale) for end in row.interval)
    return Figure(_short(row.value / scale), span, PREFIXES[power] + row.unit)


def _short(value: float) -> str:
    if abs(float(f"{value:.3g}")) < 1000:
        return f"{value:.3g}"
    return f"{value:,.0f}".replace(",", " ")
