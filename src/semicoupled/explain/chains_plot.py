"""Fig. 3: expected number of back-propagation chains against their length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semicoupled.explain.chains import ChainCounts, expected_chains

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAPER_SIZES = ((5, 5), (15, 10), (17, 5))
PAPER_STOPS = (0.0, 0.3, 0.5)


def paper_counts() -> list[ChainCounts]:
    """The sizes and stop probabilities to compare: three stacks, p = 0, 0.3 and 0.5."""
    return [expected_chains(layers, steps, stop) for layers, steps in PAPER_SIZES for stop in PAPER_STOPS]


def plot_chains(counts: Sequence[ChainCounts]) -> Figure:
    """Draw one panel for each stack, one curve for each stop probability.

    Args:
        counts: what to draw; counts of the same layers and steps share a panel.

    Returns:
        The figure, not yet saved.
    """
    from matplotlib.figure import Figure

    sizes = list(dict.fromkeys((count.layers, count.steps) for count in counts))
    figure = Figure(figsize=(4.2 * len(sizes), 3.4), layout="constrained")
    panels = figure.subplots(1, len(sizes), squeeze=False)[0]
    for panel, size in zip(panels, sizes, strict=True):
        for count in counts:
            if (count.layers, count.steps) == size:
                lengths = range(1, len(count.by_length) + 1)
                panel.plot(lengths, count.by_length, marker=".", label=f"p = {count.stop:g}: {count.total:,.0f} in all")
        panel.set_yscale("log")
        panel.set_ylim(bottom=1)
        panel.set_title(f"{size[0]} layers, {size[1]} frames", fontsize=10)
        panel.set_xlabel("length of the chain (layers + frames)")
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
    panels[0].set_ylabel("expected number of chains")
    return figure
