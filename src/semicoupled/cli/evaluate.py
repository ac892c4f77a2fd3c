"""``semicoupled evaluate``: score a trained model beside the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semicoupled.cli.options import Parser, add_computing, autocast
from semicoupled.cli.progress import progress
from semicoupled.cli.tables import output, scores_table
from semicoupled.cli.task_options import choose_task
from semicoupled.rows import Row, write_rows


def main(arguments: Sequence[str]) -> int:
    """Score a run."""
    parser = Parser(
        "evaluate",
        "TASK RUN [--data.root DIR] [--split S] [--json F] ...",
        "Score a trained model beside the baselines.",
    )
    parser.add_argument("run", metavar="RUN", help="a run folder, or pretrained[:NAME]")
    parser.add_argument(
        "--data.root", dest="root", type=Path, metavar="DIR", help="score this data instead of the run's own"
    )
    parser.add_argument(
        "--split",
        metavar="S",
        help="part of the data: validation (the default), all (the default with --data.root), or another of the task",
    )
    parser.add_argument("--json", type=Path, metavar="F", help="also write the scores to this file")
    add_computing(parser)
    chosen = choose_task(parser, arguments)
    if chosen is None:
        return 0
    options = parser.parse(chosen.rest)
    split = options.split or ("validation" if options.root is None else "all")
    rows = evaluate(chosen.task, options.run, options.root, split, options.device, options.precision, options.workers)
    where = "the run's own data" if options.root is None else str(options.root)
    output().print(scores_table(rows, f"{chosen.task}, {where}, {split}"))
    if options.json is not None:
        write_rows(options.json, chosen.task, f"{where}, {split}", rows)
    return 0


def evaluate(
    task: str, run: str, root: Path | None, split: str, device: str, precision: str, workers: int
) -> Sequence[Row]:
    """Score a run.

    Args:
        task: the task's name.
        run: a run folder, or ``pretrained[:NAME]``.
        root: other data than the run's own, or None.
        split: part of the data.
        device: as ``--device``.
        precision: as ``--precision``.
        workers: processes that load data.
    """
    from semicoupled.devices import choose_device
    from semicoupled.run_folder import load
    from semicoupled.task import EvaluateRequest

    loaded = load(run, device, task)
    where = choose_device(device)
    with progress() as shown, autocast(where, precision):
        request = EvaluateRequest(
            settings=loaded.settings,
            model=loaded.model,
            description=loaded.description,
            root=root,
            split=split,
            device=where,
            workers=workers,
            progress=shown,
        )
        return loaded.task.evaluate(request)
