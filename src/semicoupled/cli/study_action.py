"""``semicoupled study action``: the structure, its parts, rivals of equal size, with the same wall time."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.cli.study_of_task import study_task

BUDGET = "10m"


def main(arguments: Sequence[str]) -> int:
    """Train and score the variants, and say what is reached."""
    return study_task(
        arguments,
        "action",
        BUDGET,
        "Compare the structure with its parts left out, and with CNN, CNN+LSTM, ConvLSTM, CBM and a 3D network of "
        "equal size, on groups (speakers, people, places) that were not learned from.",
        "videos",
    )
