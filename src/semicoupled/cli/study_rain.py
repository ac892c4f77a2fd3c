"""``semicoupled study rain``: the structure, its rivals and advection on radar files, all with the same wall time."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.cli.study_of_task import study_parser
from semicoupled.cli.study_places import study_places

BUDGET = "25m"


def main(arguments: Sequence[str]) -> int:
    """Train and score the variants, and say what is reached."""
    parser = study_parser(
        "rain",
        "--data.root PATTERN --data.validation PATTERNS [--other DIR,DIR]",
        BUDGET,
        "Compare the structure with its rivals and with advection on radar files.",
    )
    parser.add_argument(
        "--data.root", dest="root", required=True, metavar="PATTERN", help="radar files to learn from, as in train"
    )
    parser.add_argument(
        "--data.validation",
        dest="validation",
        required=True,
        metavar="PATTERNS",
        help="whole events that are held back and scored, with commas between them, as in train",
    )
    return study_places(parser, arguments, "rain", "nowcasting", BUDGET, "other places, scored each by itself")
