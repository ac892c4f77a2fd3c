"""``semicoupled explain focus``: q over the training (Fig. 4b)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semicoupled.cli.options import Parser
from semicoupled.cli.tables import output, scores_table
from semicoupled.explain.focus import draw_focus, read_focus
from semicoupled.report import write_figure
from semicoupled.rows import Row, write_rows
from semicoupled.run_folder import resolve_run


def main(arguments: Sequence[str]) -> int:
    """Draw q of one or several runs, and print where it began, where it ended, and its mean."""
    parser = Parser(
        "explain focus", "RUN... [--out F.png] [--json F]", "Draw q over the training, Eq. 20 beside a learned one."
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders, trained with switches.method astsgd")
    parser.add_argument("--out", type=Path, metavar="F", help="the picture; by default focus.png in the first run")
    parser.add_argument("--json", type=Path, metavar="F", help="also write the numbers to this file")
    options = parser.parse(arguments)
    folders = [resolve_run(run) for run in options.runs]
    histories = {folder.path.name: read_focus(folder.path) for folder in folders}
    rows: list[Row] = []
    for name, history in histories.items():
        values = {"first": history.focus[0], "last": history.focus[-1], "mean": history.mean(0.0, 1.0)}
        rows += [Row(name, "q", {"of": part}, value, len(history.steps)) for part, value in values.items()]
    output().print(scores_table(rows, "q, how often the temporal branch is stopped"))
    path = options.out or folders[0].path / "focus.png"
    write_figure(path, draw_focus(histories))
    if options.json is not None:
        write_rows(options.json, folders[0].task, "training", rows)
    print(f"drawn into {path}")
    return 0
