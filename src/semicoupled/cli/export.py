"""``semicoupled export``: write a trained model as programs that run without this package."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from semicoupled.cli.options import Parser
from semicoupled.cli.progress import progress
from semicoupled.cli.tables import output
from semicoupled.cli.task_options import choose_task

if TYPE_CHECKING:
    from semicoupled.export.exporter import Exported, Format
    from semicoupled.export.reduced import Weights
    from semicoupled.export.signature import Measured

WEIGHTS = ("float32", "bf16", "int8")
FORMATS = ("all", "torch", "onnx")


def main(arguments: Sequence[str]) -> int:
    """Export a run, and name the files that were written."""
    parser = Parser(
        "export",
        "TASK RUN --out DIR [--format F] [--weights W] [--size HxW]",
        "Write one step of a trained model as torch.export and ONNX programs, compared with the model and measured.",
    )
    parser.add_argument("run", metavar="RUN", help="a run folder, or pretrained[:NAME]")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    parser.add_argument("--format", default="all", choices=FORMATS, help="what to write (default: %(default)s)")
    parser.add_argument(
        "--weights", default="float32", choices=WEIGHTS, help="how ONNX files store weights (default: %(default)s)"
    )
    parser.add_argument(
        "--size",
        type=size,
        metavar="HxW",
        help="frames to measure with, such as 350x350 (default: as in training)",
    )
    chosen = choose_task(parser, arguments)
    if chosen is None:
        return 0
    options = parser.parse(chosen.rest)
    exported = export(chosen.task, options.run, options.out, options.format, options.weights, options.size)
    for name, made in exported.made.items():
        if made.fixed_because is not None:
            free = ", ".join(made.dynamic) or "nothing"
            output().print(f"{name}: free to vary is {free} alone. {made.fixed_because}", markup=False)
    output().print(table(exported.measured))
    for file in exported.files:
        print(file)
    return 0


def export(task: str, run: str, out: Path, form: Format, weights: Weights, frame: tuple[int, int] | None) -> Exported:
    """Export a run.

    Args:
        task: the task's name.
        run: a run folder, or ``pretrained[:NAME]``.
        out: the folder to write.
        form: as ``--format``.
        weights: as ``--weights``.
        frame: as ``--size``.
    """
    from semicoupled.export.exporter import export_run
    from semicoupled.run_folder import load

    loaded = load(run, "cpu", task)
    with progress() as shown:
        return export_run(loaded, out, form=form, weights=weights, size=frame, progress=shown)


def size(text: str) -> tuple[int, int]:
    """Read ``350x390``: height and width."""
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r}: expected height and width in px, such as 350x390")
    return int(found[1]), int(found[2])


def table(measured: Mapping[str, Sequence[Measured]]) -> Table:
    """Lay out what was measured."""
    found = Table(title="One step", title_justify="left")
    for name in ("program", "by", "weights", "difference", "ms", "kB"):
        found.add_column(name, justify="right" if name in ("difference", "ms", "kB") else "left")
    for name, rows in measured.items():
        for row in rows:
            kilobytes = "" if row.bytes is None else f"{row.bytes / 1000:.0f}"
            difference = "" if row.bytes is None else f"{row.difference:.1e}"
            found.add_row(name, row.runtime, row.weights, difference, f"{row.milliseconds:.2f}", kilobytes)
    return found
