"""``semicoupled replay``: does a model still say what it said, frame by frame and in time?"""

from __future__ import annotations

import json
import math
from argparse import ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from semicoupled.cli.options import Parser, add_computing, autocast
from semicoupled.cli.progress import progress
from semicoupled.cli.tables import output, printed
from semicoupled.errors import SettingsError, nearest

if TYPE_CHECKING:
    from semicoupled.tasks.driving.operating.predictor import DrivingPredictor
    from semicoupled.tasks.driving.operating.replay import Replayed

TASKS = ("driving",)
FORMAT = 1


def main(arguments: Sequence[str]) -> int:
    """Replay drives and compare; the exit code is 1 where an answer differs or comes too late.

    Raises:
        SettingsError: the task has no replay.
    """
    parser = Parser(
        "replay",
        "driving RUN INPUT... --against F.csv [--tolerance X] [--budget MS] [--json F]",
        "Run recorded drives through a model frame by frame, as in a car, and compare with stored answers. "
        "`semicoupled predict driving RUN INPUT... --out F.csv` stores them.",
    )
    parser.add_argument("task", metavar="driving", help="the task")
    parser.add_argument("run", metavar="RUN", help="a run folder, or pretrained[:NAME]")
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="what the answers were made from")
    parser.add_argument("--against", type=Path, required=True, metavar="F.csv", help="the stored answers")
    parser.add_argument(
        "--tolerance",
        type=_above_zero,
        metavar="X",
        help="how far an answer may differ, in the unit of the angles (default: .002 of the angle's scale)",
    )
    parser.add_argument(
        "--budget", type=_above_zero, metavar="MS", help="milliseconds that 95 %% of the frames must stay below"
    )
    parser.add_argument("--rate", type=_above_zero, metavar="N", help="images a second, of folders of images")
    parser.add_argument("--unpacked", action="store_true", help="run the network as it was trained, not laid out anew")
    parser.add_argument("--json", type=Path, metavar="F", help="also write the result to this file")
    add_computing(parser)
    options = parser.parse(arguments, intermixed=True)
    if options.task not in TASKS:
        raise SettingsError(f"{parser.prog}: cannot replay task {options.task!r}. {nearest(options.task, TASKS)}")

    from semicoupled.devices import choose_device
    from semicoupled.run_folder import load
    from semicoupled.tasks.driving.operating.answer_table import read_csv
    from semicoupled.tasks.driving.operating.inputs import read_inputs
    from semicoupled.tasks.driving.operating.replay import default_tolerance, replay

    loaded = load(options.run, options.device, options.task)
    predictor = cast("DrivingPredictor", loaded.task.predictor(loaded.settings, loaded.description, loaded.model))
    stored = read_csv(options.against)
    drives = read_inputs(options.inputs, predictor.settings.data, predictor.unit, options.rate)
    tolerance = default_tolerance(predictor) if options.tolerance is None else options.tolerance
    with progress() as shown, autocast(choose_device(options.device), options.precision):
        found = replay(predictor, drives, stored, packed=not options.unpacked, progress=shown)
    good = [_good(each, tolerance, options.budget) for each in found]
    _show(found, good, tolerance, options.budget, predictor.unit)
    if options.json is not None:
        _write(options.json, found, good, tolerance, options.budget, predictor.unit)
    return 0 if all(good) else 1


def _good(found: Replayed, tolerance: float, budget: float | None) -> bool:
    return found.difference <= tolerance and (budget is None or found.late <= budget)


def _show(found: Sequence[Replayed], good: Sequence[bool], tolerance: float, budget: float | None, unit: str) -> None:
    from semicoupled.report import Table

    columns = ["drive", "frames", f"largest difference, {unit}", "at frame", "ms, mean", "ms, 95 %", "ms, slowest", ""]
    rows = [
        [
            each.drive,
            each.frames,
            "no answer" if math.isinf(each.difference) else f"{each.difference:.2g}",
            each.frame,
            *(f"{value:.2f}" for value in (each.mean, each.late, each.slowest)),
            "good" if fine else _why(each, tolerance, budget),
        ]
        for each, fine in zip(found, good, strict=True)
    ]
    allowed = f"allowed: {tolerance:.3g} {unit}" + ("" if budget is None else f", {budget:g} ms")
    output().print(printed(Table(columns, rows, f"replay, {allowed}")))
    failed = len(good) - sum(good)
    print(
        f"{len(good)} drives, {sum(each.frames for each in found)} frames: "
        + (f"{failed} FAILED" if failed else "good")
    )


def _why(found: Replayed, tolerance: float, budget: float | None) -> str:
    reasons = ["DIFFERS"] if not found.difference <= tolerance else []
    return ", ".join([*reasons, *(["LATE"] if budget is not None and found.late > budget else [])])


def _write(
    file: Path, found: Sequence[Replayed], good: Sequence[bool], tolerance: float, budget: float | None, unit: str
) -> None:
    from semicoupled.files import write_text

    drives = [
        {**each._asdict(), "difference": None if math.isinf(each.difference) else each.difference, "good": fine}
        for each, fine in zip(found, good, strict=True)
    ]
    content = {"format": FORMAT, "unit": unit, "tolerance": tolerance, "budget": budget, "good": all(good)}
    write_text(file, json.dumps({**content, "drives": drives}, indent=1) + "\n")


def _above_zero(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise ArgumentTypeError(f"{text!r} is no number above 0")
    return value
