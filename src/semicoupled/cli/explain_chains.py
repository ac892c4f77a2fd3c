"""``semicoupled explain chains``: how many back-propagation chains the switches leave (Fig. 3)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from semicoupled.cli.options import Parser, count
from semicoupled.cli.tables import output
from semicoupled.explain.chains import ChainCounts, expected_chains
from semicoupled.explain.chains_plot import paper_counts, plot_chains
from semicoupled.report import write_figure
from semicoupled.rows import Row, write_rows


def main(arguments: Sequence[str]) -> int:
    """Count back-propagation chains (Fig. 3)."""
    parser = Parser(
        "explain chains",
        "[--layers N --steps T] [--stop P] [--plot F] [--json F]",
        "Count back-propagation chains (Fig. 3); without numbers, those of the paper.",
    )
    parser.add_argument("--layers", type=count, help="depth of the stack")
    parser.add_argument("--steps", type=count, help="frames of the sequence")
    parser.add_argument("--stop", type=float, default=0.0, help="probability that a switch stops the gradient")
    parser.add_argument("--plot", type=Path, metavar="F", help="draw the counts against the length into this PNG file")
    parser.add_argument("--json", type=Path, metavar="F", help="also write the counts to this file")
    options = parser.parse(arguments)
    if (options.layers is None) != (options.steps is None):
        parser.error("give both --layers and --steps, or neither")
    if options.layers is None:
        counts = paper_counts()
    else:
        counts = [expected_chains(options.layers, options.steps, options.stop)]
    table = Table("layers", "steps", "stop", "expected chains")
    for found in counts:
        table.add_row(str(found.layers), str(found.steps), f"{found.stop:g}", f"{found.total:,.2f}".replace(",", " "))
    output().print(table)
    if len(counts) == 1:
        lengths = Table("length", "expected chains")
        for length, number in enumerate(counts[0].by_length, start=1):
            lengths.add_row(str(length), f"{number:,.2f}".replace(",", " "))
        output().print(lengths)
    if options.plot is not None:
        write_figure(options.plot, plot_chains(counts))
        print(f"drawn into {options.plot}")
    if options.json is not None:
        rows = [_row(found) for found in counts]
        write_rows(options.json, "explain", "chains", rows)
    return 0


def _row(counts: ChainCounts) -> Row:
    condition = {"layers": counts.layers, "steps": counts.steps, "stop": counts.stop}
    return Row("semicoupled", "chains", condition, counts.total, len(counts.by_length))
