"""``semicoupled demo``: the paper's first claim in minutes, with a report to look at."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from semicoupled.cli.options import Parser, add_computing
from semicoupled.cli.progress import progress
from semicoupled.cli.tables import output, printed


def main(arguments: Sequence[str]) -> int:
    """Train on moving shapes, print the scores, write the report."""
    parser = Parser(
        "demo",
        "[--full] [--json F] [--out DIR] ...",
        "Train the structure and its rivals on moving shapes, and show what each branch learned. What is finished "
        "already is not trained again.",
    )
    parser.add_argument("--full", action="store_true", help="three seeds, and ConvLSTM too: many times as long")
    parser.add_argument("--quick", action="store_true", help="seconds: shows that it runs, not what comes out")
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="F", help="also write the scores to this file")
    parser.add_argument("--markdown", type=Path, metavar="F", help="also write the table to this file")
    add_computing(parser)
    options = parser.parse(arguments)

    from semicoupled.cli import demo_shapes
    from semicoupled.cli.demo_report import mean_table, picture, sections
    from semicoupled.cli.demo_runs import train_all
    from semicoupled.page import write_markdown
    from semicoupled.report import write_figure, write_report
    from semicoupled.rows import write_rows
    from semicoupled.tasks.toy.shapes_quick import QUICK

    began = time.monotonic()
    seeds = demo_shapes.FULL_SEEDS if options.full else (0,)
    changed = [
        *(QUICK if options.quick else ()),
        *([] if options.precision == "auto" else [f"--training.precision={options.precision}"]),
    ]
    plan = demo_shapes.plan(demo_shapes.FULL_KINDS if options.full else demo_shapes.KINDS, seeds, changed)
    with progress() as shown:
        runs = train_all(
            [*plan, *demo_shapes.plan_focus(changed)],
            options.out,
            device=options.device,
            workers=options.workers,
            progress=shown,
        )
        compared, with_focus = runs[: len(plan)], runs[len(plan) :]
        rows = [row for run in compared for row in run.rows]
        report, image = options.out / "report.html", options.out / "demo.png"
        ours = {
            run.settings.data.question: run for run in reversed(compared) if run.settings.model.kind == "semicoupled"
        }
        write_figure(image, picture(ours["which_way"], ours["which_shape"], rows))
        write_report(report, "Which way, and which shape?", sections(compared, with_focus), demo_shapes.SUMMARY)
    table = mean_table(rows)
    output().print(printed(table))
    if options.json is not None:
        write_rows(options.json, "toy", "generated", rows)
    if options.markdown is not None:
        write_markdown(options.markdown, "semicoupled demo --full" if options.full else "semicoupled demo", table)
    print(f"report:  {report}\npicture: {image}\n{(time.monotonic() - began) / 60:.1f} minutes")
    return 0
