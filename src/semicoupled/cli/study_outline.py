"""``semicoupled study outline``: the structure and its rivals at 2, 5, 10 and 15 layers, with the same wall time."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.cli.study_of_task import study_task

BUDGET = "10m"


def main(arguments: Sequence[str]) -> int:
    """Train and score the variants, and say what is reached."""
    return study_task(
        arguments,
        "outline",
        BUDGET,
        "Compare the structure with ConvLSTM, ConvGRU and CBM at 2, 5, 10 and 15 layers on outlines (Table 4), and q's "
        "beginnings (Fig. 5c).",
        "annotations",
    )
