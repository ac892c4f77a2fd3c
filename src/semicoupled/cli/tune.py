"""``semicoupled tune``: the same learning-rate search for every model, so that a comparison is fair.

Every kind of model is trained with every rate for the same steps from the same seed; the score is that of the
validation split of the training data. Test data are never looked at. Where the task has presets for a kind of model (a
rival that knows no switches, for example), they are laid over the settings of this kind, as `semicoupled demo` does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from semicoupled.cli.options import Parser, add_computing, count, names, numbers
from semicoupled.cli.progress import progress
from semicoupled.cli.tables import output, scores_table
from semicoupled.cli.task_options import add_settings, choose_task, presets_for, resolve_settings
from semicoupled.rows import Row, write_rows
from semicoupled.settings_file import to_plain
from semicoupled.task_parts import TaskSettings
from semicoupled.training.progress import Progress

RATES = (3e-4, 1e-3, 3e-3)


def main(arguments: Sequence[str]) -> int:
    """Search, print the table, and name the best rate of each model."""
    parser = Parser(
        "tune",
        "TASK [--models A,B,C] [--rates 3e-4,1e-3,3e-3] [--steps N] [--json F] [--SETTING VALUE] ...",
        "Search the learning rate, the same way for every kind of model, on the validation split.",
    )
    add_settings(parser)
    parser.add_argument("--models", type=names, default=(), metavar="A,B", help="kinds of model; default: model.kind")
    parser.add_argument("--rates", type=numbers, default=RATES, metavar="R,R", help="learning rates to try")
    parser.add_argument("--steps", type=count, metavar="N", help="optimizer steps of each; default: training.steps")
    parser.add_argument("--run", type=Path, metavar="DIR", help="keep the run folders here")
    parser.add_argument("--json", type=Path, metavar="F", help="also write the table to this file")
    add_computing(parser)
    chosen = choose_task(parser, arguments, with_settings=True)
    if chosen is None:
        return 0
    options, rest = parser.split(chosen.rest)
    if options.steps is not None:
        rest += ["--training.steps", str(options.steps)]
    if options.precision != "auto":
        rest += ["--training.precision", options.precision]

    def settings(kind: str | None, rate: float) -> TaskSettings:
        tried = [*rest, "--training.learning_rate", str(rate), *([] if kind is None else ["--model.kind", kind])]
        presets = options.preset if kind is None else presets_for(chosen.task, options.preset, kind)
        return resolve_settings(chosen.task, presets, options.config, tried, parser)

    # all of them are made before the first is trained, so that a wrong one is found at once
    trials = [settings(kind, rate) for kind in options.models or (None,) for rate in options.rates]
    with tempfile.TemporaryDirectory() as temporary, progress() as shown:
        folder = options.run or Path(temporary)
        rows = tune(chosen.task, trials, folder, options.device, options.workers, shown)
    output().print(scores_table(rows, f"{chosen.task}: validation score after {trials[0].training.steps} steps"))
    for row in best(rows):
        print(f"{row.model}: best learning rate {row.condition['learning_rate']:g}")
    if options.json is not None:
        write_rows(options.json, chosen.task, "validation", rows)
    return 0


def tune(
    task: str, trials: Sequence[TaskSettings], folder: Path, device: str, workers: int, progress: Progress
) -> list[Row]:
    """Train with each of several settings, and give the validation scores.

    Args:
        task: the task's name.
        trials: settings that differ in kind and learning rate.
        folder: takes a run folder for each; those that are there are not trained again.
        device: as ``--device``.
        workers: processes that load data.
        progress: who is told how far it is.
    """
    from semicoupled.find_task import find_task
    from semicoupled.run_folder import open_run
    from semicoupled.training.loop import fit

    found = find_task(task)
    rows: list[Row] = []
    progress.begin(f"tuning {task}", len(trials))
    try:
        for done, settings in enumerate(trials):
            kind, rate = str(to_plain(settings.model)["kind"]), settings.training.learning_rate
            path = folder / f"{kind}-{rate:g}-{settings.seed}"
            _ = open_run(path, task, settings)
            result = fit(found, settings, path, device=device, workers=workers, progress=progress)
            condition = {"learning_rate": rate, "steps": result.steps, "seed": settings.seed}
            rows.append(Row(kind, "score", condition, result.scores["score"], 1))
            progress.update(done + 1)
    finally:
        progress.end()
    return rows


def best(rows: Sequence[Row]) -> list[Row]:
    """Give the row of the highest score of each model."""
    kinds = dict.fromkeys(row.model for row in rows)
    return [max((row for row in rows if row.model == kind), key=lambda row: row.value) for kind in kinds]
