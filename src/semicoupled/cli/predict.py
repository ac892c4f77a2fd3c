"""``semicoupled predict``: predict from files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semicoupled.cli.options import Parser, add_computing, autocast
from semicoupled.cli.progress import progress
from semicoupled.cli.task_options import choose_task


def main(arguments: Sequence[str]) -> int:
    """Predict with a run, and name the files that were written."""
    parser = Parser("predict", "TASK RUN INPUT... --out PATH ...", "Predict from files.")
    parser.add_argument("run", metavar="RUN", help="a run folder, or pretrained[:NAME]")
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="files or folders that the task reads")
    parser.add_argument("--out", type=Path, required=True, metavar="PATH", help="file or folder to write to")
    add_computing(parser)
    chosen = choose_task(parser, arguments)
    if chosen is None:
        return 0
    options = parser.parse(chosen.rest)
    for file in predict(chosen.task, options.run, options.inputs, options.out, options.device, options.precision):
        print(file)
    return 0


def predict(task: str, run: str, inputs: Sequence[Path], out: Path, device: str, precision: str) -> list[Path]:
    """Predict with a run.

    Args:
        task: the task's name.
        run: a run folder, or ``pretrained[:NAME]``.
        inputs: files or folders.
        out: file or folder to write to.
        device: as ``--device``.
        precision: as ``--precision``.

    Returns:
        The files that were written.
    """
    from semicoupled.devices import choose_device
    from semicoupled.run_folder import load

    loaded = load(run, device, task)
    with progress() as shown, autocast(choose_device(device), precision):
        return loaded.predict(inputs, out, shown)
