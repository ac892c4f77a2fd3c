"""``semicoupled evaluate``: score a trained model beside the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semicoupled.cli.options import Parser, add_computing, autocast
from semicoupled.cli.progress import progress
from semicoupled.cli.tables import output, scores_table
from semicoupled.cli.task_options import choose_task
from semicoupled.find_task import find_task
from semicoupled.rows import Row, write_rows

CHOSEN_ANEW = ("evaluation", "predict")
"""Groups of settings that do not change a trained model."""


def main(arguments: Sequence[str]) -> int:
    """Score a run."""
    parser = Parser(
        "evaluate",
        "TASK RUN [--data.root DIR] [--split S] [--json F] [--evaluation.NAME VALUE] ...",
        "Score a trained model beside the baselines. Settings of the run that begin with evaluation. or predict. can "
        "be chosen anew, such as --evaluation.leads 12; they change what is scored, not the model.",
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
    rest, choices = _part(chosen.rest)
    options = parser.parse(rest)
    split = options.split or ("validation" if options.root is None else "all")
    rows = evaluate(
        chosen.task, options.run, options.root, split, options.device, options.precision, options.workers, choices
    )
    where = "the run's own data" if options.root is None else str(options.root)
    headline = find_task(chosen.task).headline
    shown = rows if headline is None else headline(rows)
    output().print(scores_table(shown, f"{chosen.task}, {where}, {split}"))
    if len(shown) < len(rows):
        print(f"{len(shown)} of {len(rows)} scores; --json F writes all")
    if options.json is not None:
        write_rows(options.json, chosen.task, f"{where}, {split}", rows)
    return 0


def evaluate(
    task: str,
    run: str,
    root: Path | None,
    split: str,
    device: str,
    precision: str,
    workers: int,
    choices: Sequence[str] = (),
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
        choices: options that replace settings of the run, such as ``--evaluation.leads=12``.
    """
    from semicoupled.devices import choose_device
    from semicoupled.run_folder import load
    from semicoupled.settings_file import parse_settings
    from semicoupled.task_requests import EvaluateRequest

    loaded = load(run, device, task)
    settings = loaded.settings
    if choices:
        settings = parse_settings(type(settings), choices, [loaded.folder.settings_file])
    where = choose_device(device)
    with progress() as shown, autocast(where, precision):
        request = EvaluateRequest(
            settings=settings,
            model=loaded.model,
            description=loaded.description,
            root=root,
            split=split,
            device=where,
            workers=workers,
            progress=shown,
        )
        return loaded.task.evaluate(request)


def _part(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part arguments into the command's own and settings that are chosen anew, with their values."""
    own: list[str] = []
    choices: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument.startswith(tuple(f"--{group}." for group in CHOSEN_ANEW)):
            choices.append(argument)
            if "=" not in argument:
                choices += [value for value in (next(rest, None),) if value is not None]
        else:
            own.append(argument)
    return own, choices
