"""``semicoupled study driving``: the structure, its p and its length, CNN and CNN+LSTM, all with the same wall time."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.cli.study_of_task import study_parser
from semicoupled.cli.study_places import study_places

BUDGET = "10m"


def main(arguments: Sequence[str]) -> int:
    """Train and score the variants, and say what is reached."""
    parser = study_parser(
        "driving",
        "--data.root DIR [--data.validation RUNS] [--data.test RUNS] [--other DIR,DIR]",
        BUDGET,
        "Compare the structure with CNN, CNN+LSTM and ConvLSTM on drives.",
    )
    parser.add_argument("--data.root", dest="root", required=True, metavar="DIR", help="drives, as in train")
    parser.add_argument(
        "--data.validation",
        dest="validation",
        default="last:5",
        metavar="RUNS",
        help="whole runs that are held back and scored, as in train (%(default)s)",
    )
    parser.add_argument(
        "--data.test", dest="test", metavar="RUNS", help="whole runs that are left out of everything, as in train"
    )
    return study_places(
        parser, arguments, "driving", "driving", BUDGET, "drives of other places, scored each by itself"
    )
