"""``semicoupled predict``: predict from files."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from semicoupled.cli.options import Parser, add_computing, autocast
from semicoupled.cli.progress import progress
from semicoupled.cli.task_options import add_task_options, choose_task, read_task_options
from semicoupled.errors import SettingsError
from semicoupled.find_task import predict_options


def main(arguments: Sequence[str]) -> int:
    """Predict with a run, and name the files as they are written.

    Raises:
        SettingsError: no input was named.
    """
    parser = Parser("predict", "TASK RUN INPUT... --out PATH ...", "Predict from files.")
    parser.add_argument("run", metavar="RUN", help="a run folder, or pretrained[:NAME]")
    parser.add_argument("inputs", nargs="*", type=Path, metavar="INPUT", help="files or folders that the task reads")
    parser.add_argument(
        "--out",
        type=Path,
        action="append",
        required=True,
        metavar="PATH",
        help="file or folder to write to; may be given again where the task writes several",
    )
    add_computing(parser)
    chosen = choose_task(parser, arguments)
    if chosen is None:
        return 0
    cls = predict_options(chosen.task)
    add_task_options(parser, chosen.task, cls)
    found = parser.parse(chosen.rest, intermixed=True)
    options = read_task_options(cls, found)
    if not (found.inputs or getattr(options, "without_inputs", False)):
        raise SettingsError(f"{parser.prog}: the following arguments are required: INPUT. See `{parser.prog} --help`")
    for file in predict(chosen.task, found.run, found.inputs, found.out, options, found.device, found.precision):
        print(file, flush=True)
    return 0


def predict(
    task: str, run: str, inputs: Sequence[Path], out: Sequence[Path], options: Any, device: str, precision: str
) -> Iterator[Path]:
    """Predict with a run.

    Args:
        task: the task's name.
        run: a run folder, or ``pretrained[:NAME]``.
        inputs: files or folders.
        out: files or folders to write to.
        options: the task's own.
        device: as ``--device``.
        precision: as ``--precision``.

    Returns:
        The files, as they are written.
    """
    from semicoupled.devices import choose_device
    from semicoupled.run_folder import load
    from semicoupled.task_requests import PredictRequest

    with _termination() as terminated:
        loaded = load(run, device, task)
        with progress() as shown, autocast(choose_device(device), precision):
            yield from loaded.predicting(PredictRequest(inputs, out, options, shown, lambda: bool(terminated)))


@contextmanager
def _termination() -> Generator[list[int]]:
    """Give a list that fills when SIGTERM comes, so that what is being written is finished before the end.

    A second one ends the program at once.
    """
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        received.append(number)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    try:
        before = signal.signal(signal.SIGTERM, note)
    except ValueError:  # not the main thread: whoever started it stops it
        yield received
        return
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)
