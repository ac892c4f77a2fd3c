"""The log of a run: ``log.jsonl``, one JSON object a line, and the same for TensorBoard.

Every line has `kind` (`training` or `validation`), `step` (steps made so far) and `seconds` (of training so far, over
all resumes). Lines of kind `training` hold means over the steps since the line before: `main_loss`, `spatial_loss`,
`temporal_loss`, `overlap_loss` (where computed), then `learning_rate`, and what the switches stand at: `stop_spatial`,
`stop_temporal`, with ASTSGD `spatial_focus` (q), with the learned controller `formula_focus` (Eq. 20) beside
it. Lines of kind `validation` hold the task's scores.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

from semicoupled.errors import RunError
from semicoupled.files import write_text

FILE = "log.jsonl"
FOLDER = "tensorboard"

Kind = Literal["training", "validation"]

_MEND = "Take that line out; the training goes on without it"


class RunLog:
    """Writes a run's log."""

    def __init__(self, folder: Path, step: int, *, tensorboard: bool = True) -> None:
        """Open the log; lines of steps that will be made again are removed.

        Args:
            folder: of the run.
            step: steps made so far; 0 begins anew.
            tensorboard: also write event files.
        """
        path = folder / FILE
        if path.exists():
            kept = [line for line in read_log(folder) if line["step"] <= step] if step else []
            write_text(path, "".join(json.dumps(line) + "\n" for line in kept))
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", newline="\n")
        self._events: Any = None
        if tensorboard:
            from torch.utils.tensorboard.writer import SummaryWriter  # a second, and reading a log needs no torch

            self._events = SummaryWriter(str(folder / FOLDER), purge_step=step + 1)

    def write(self, kind: Kind, step: int, seconds: float, numbers: Mapping[str, float]) -> None:
        """Add a line, and see that it leaves this process."""
        values = {name: float(value) if math.isfinite(value) else None for name, value in numbers.items()}
        line = {"kind": kind, "step": step, "seconds": round(seconds, 3), **values}
        self._file.write(json.dumps(line, allow_nan=False) + "\n")
        self._file.flush()
        if self._events is not None:
            for name, value in numbers.items():
                self._events.add_scalar(f"{kind}/{name}", value, step)

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._events is not None:
            self._events.close()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Read a run's log; a last line that was cut off (by a kill) is left out.

    Args:
        folder: of the run.

    Returns:
        The lines in order; none where there is no log yet.

    Raises:
        RunError: a whole line is none that a training wrote.
    """
    path = folder / FILE
    if not path.exists():
        return []
    lines: list[dict[str, Any]] = []
    for number, text in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        try:
            line: object = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RunError(f"{path}: line {number} is broken ({error}). {_MEND}") from error
        known = cast("dict[str, Any]", line) if isinstance(line, dict) else {}
        if not isinstance(known.get("step"), int) or not isinstance(known.get("kind"), str):
            raise RunError(f"{path}: line {number} has no kind and step. {_MEND}")
        lines.append(known)
    return lines
