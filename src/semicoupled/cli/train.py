"""``semicoupled train``: train a model into a run folder, or take a training up again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from semicoupled.cli.options import Parser, add_computing
from semicoupled.cli.progress import progress
from semicoupled.cli.task_options import add_settings, choose_task, resolve_settings
from semicoupled.errors import SettingsError
from semicoupled.settings_file import dump_settings

if TYPE_CHECKING:
    from semicoupled.run_folder import RunFolder
    from semicoupled.task_parts import TaskModel, TaskSettings
    from semicoupled.training.loop import FitResult


def main(arguments: Sequence[str]) -> int:
    """Train, and say where the result lies.

    Raises:
        SettingsError: an unknown task, or settings that do not go together; several processes and no --run.
    """
    parser = Parser(
        "train",
        "TASK [--config F] [--run DIR] [--init RUN] [--seed N] [--time-budget T] [--SETTING VALUE] ...",
        "Train a model. Every setting of the task is an option, such as --training.steps 400.",
    )
    add_settings(parser)
    parser.add_argument("--print-config", action="store_true", help="print all settings as YAML and do nothing")
    parser.add_argument("--run", type=Path, metavar="DIR", help="the run's folder; one that exists is taken up again")
    parser.add_argument("--init", metavar="RUN", help="begin with the weights of this run, or of pretrained[:NAME]")
    parser.add_argument("--time-budget", metavar="T", help="train for this long: 90s, 10m, 1h30m; 10m@cpu of CPU time")
    add_computing(parser)
    chosen = choose_task(parser, arguments, with_settings=True)
    if chosen is None:
        return 0
    options, rest = parser.split(chosen.rest)
    if options.time_budget is not None:
        rest += ["--training.time_budget", options.time_budget]
    if options.precision != "auto":
        rest += ["--training.precision", options.precision]
    settings = resolve_settings(chosen.task, options.preset, options.config, rest, parser)
    if options.print_config:
        print(dump_settings(settings), end="")
        return 0
    path = options.run or _new_folder(chosen.task)
    folder, result = train(chosen.task, settings, path, options.device, options.workers, options.init)
    scores = ", ".join(f"{name} {value:.4g}" for name, value in result.scores.items())
    print(f"kept the weights of step {result.kept_step} of {result.steps}: {scores}")
    print(f"run:    {folder.path}\nreport: {folder.report_file}")
    return 0


def train(
    task: str, settings: TaskSettings, path: Path, device: str = "auto", workers: int = 0, init: str | None = None
) -> tuple[RunFolder, FitResult]:
    """Train into a run folder and write its report.

    Args:
        task: the task's name.
        settings: all of them.
        path: the run folder; taken up again if it exists.
        device: as ``--device``.
        workers: processes that load data.
        init: a run whose weights to begin with, or None.

    Returns:
        The run's folder, and how the training went.
    """
    from semicoupled.curves import training_section
    from semicoupled.find_task import find_task
    from semicoupled.report import write_report
    from semicoupled.run_folder import RunFolder, open_run, resolve_run
    from semicoupled.training.loop import fit

    found = find_task(task)
    weights = None if init is None else resolve_run(init, task).weights_file
    first = int(os.environ.get("RANK", "0")) == 0  # torchrun starts several processes; one writes
    folder = open_run(path, task, settings) if first else RunFolder(path, task)
    with progress() as shown:
        result = fit(found, settings, path, device=device, workers=workers, progress=shown, init=weights)
        if first:
            model, splits = cast("TaskModel", result.model), found.splits(settings)
            for name, find_out in found.extras.items():
                folder.write_extra(name, find_out(settings, model, splits, shown))
            drawn = found.draw(settings, model, splits, path)
            title = f"{task}: {path.name}"
            write_report(folder.report_file, title, [training_section(path), *drawn], found.summary)
    return folder, result


def _new_folder(task: str) -> Path:
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise SettingsError("several processes train together, and each would choose a folder; give one with --run DIR")
    return Path("runs") / f"{task}-{datetime.now():%Y%m%d-%H%M%S}"
