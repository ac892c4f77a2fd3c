"""Figure 3: the expected number of back-propagation chains, computed exactly; nothing is trained."""

from __future__ import annotations

from semicoupled.explain.chains_plot import paper_counts, plot_chains
from semicoupled.report import Cell, Table
from semicoupled.reproduce.reproduction import Outcome, Reproduction
from semicoupled.reproduce.request import Request
from semicoupled.rows import Row


def run(request: Request) -> Outcome:
    """Count the chains of the paper's depths, lengths and stop probabilities."""
    del request
    counts = paper_counts()
    rows = [
        Row(
            "semicoupled",
            "chains",
            {"layers": count.layers, "steps": count.steps, "stop": count.stop},
            count.total,
            len(count.by_length),
        )
        for count in counts
    ]
    lines: list[list[Cell]] = []
    for count in counts:
        longest = max(range(len(count.by_length)), key=lambda index: count.by_length[index]) + 1
        lines.append(
            [f"{count.layers} layers, {count.steps} frames", f"{count.stop:g}", f"{count.total:,.2f}", longest]
        )
    caption = "Fig. 3: expected number of back-propagation chains, in all, and the length that most of them have."
    picture = "Fig. 3: expected number of back-propagation chains by their length, for three stacks and three p."
    return Outcome(
        "explain",
        "chains",
        rows,
        [Table(["stack", "p", "chains", "commonest length"], lines, caption)],
        {"figure3": (plot_chains(counts), picture)},
    )


FIGURE_3 = Reproduction(
    "figure3",
    "Figure 3: back-propagation chains",
    "expected numbers of chains by length for growing depths and lengths, with and without STSGD; drawn, "
    "without figures.",
    ("The chains are counted from the structure and the switches exactly; docs/equations.md derives the sum.",),
    None,
    (),
    lambda request: (),
    run,
)
