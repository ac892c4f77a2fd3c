"""What a task is asked to do: predict, score, look at data, convert them, make some. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

from semicoupled.description import Description
from semicoupled.errors import DataError, SettingsError, nearest
from semicoupled.task_parts import SettingsT, TaskModel
from semicoupled.training.progress import Progress

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class NoOptions:
    """What a task says of how to predict that has nothing to choose."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class PredictRequest:
    """What to predict from, and where to.

    Args:
        inputs: files or folders that the task reads; a task may do without.
        out: files or folders to write to, at least one.
        options: of the class that the task's settings module names as ``PREDICT_OPTIONS``.
        progress: who is told how far it is.
        stopped: asked now and then by a prediction that goes on until it is stopped.
    """

    inputs: Sequence[Path]
    out: Sequence[Path]
    options: Any = NoOptions()
    progress: Progress | None = None
    stopped: Callable[[], bool] = _never

    def only_out(self) -> Path:
        """Give the one place to write to.

        Raises:
            SettingsError: there are several.
        """
        if len(self.out) != 1:
            raise SettingsError(f"--out: expected one file, got {', '.join(map(str, self.out))}. Give it once")
        return self.out[0]


@dataclass(frozen=True)
class EvaluateRequest(Generic[SettingsT]):
    """What to score.

    Args:
        settings: of the run.
        model: the trained model; None scores the baselines alone.
        description: of the data that the model was trained on.
        root: other data than the run's; None scores the run's own.
        split: ``"validation"``, ``"all"``, or another that the task knows.
        device: where to compute.
        workers: processes that load data.
        progress: who is told how far it is.
    """

    settings: SettingsT
    model: TaskModel | None
    description: Description
    root: Path | None
    split: str
    device: torch.device
    workers: int = 0
    progress: Progress | None = None

    def check_split(self, known: Sequence[str], elsewhere: Sequence[str] | None = None) -> None:
        """Refuse a split that there is not.

        Args:
            known: the task's.
            elsewhere: those that other data than the run's have; None for all that are known.

        Raises:
            SettingsError: there is no such split, or none of it in other data.
        """
        if self.split not in known:
            raise SettingsError(f"there is no split {self.split!r}. {nearest(self.split, known)}")
        if self.root is not None and elsewhere is not None and self.split not in elsewhere:
            named = " or ".join(map(repr, elsewhere))
            raise SettingsError(f"split {self.split!r} is of the run's own data; with --data.root expected {named}")


@dataclass(frozen=True)
class DataRequest(Generic[SettingsT]):
    """Which data to look at.

    Args:
        settings: of the task; its data section says how files are read.
        root: the folder, or a pattern of files.
        progress: who is told how far it is.
    """

    settings: SettingsT
    root: Path
    progress: Progress | None = None


@dataclass(frozen=True)
class ConvertRequest:
    """What to write in another format.

    Args:
        source: the file or folder to read, its format told by its content.
        out: the file or folder to write.
        format: the name of its format; None tells it by `out`, where that is possible.
    """

    source: Path
    out: Path
    format: str | None = None


@dataclass(frozen=True)
class MakeRequest:
    """Which data to make.

    Args:
        out: the folder to write; new or empty.
        count: samples to learn from, at least 1; the parts to validate and to test on are smaller. None for as many as
            the task thinks enough.
        seed: everything random follows from it.
        progress: who is told how far it is.
    """

    out: Path
    count: int | None = None
    seed: int = 0
    progress: Progress | None = None

    def check(self) -> None:
        """Refuse what cannot be made.

        Raises:
            SettingsError: a number is too small.
            DataError: the folder holds something.
        """
        if self.count is not None and self.count < 1:
            raise SettingsError(f"--count: expected at least 1, got {self.count}.")
        if self.seed < 0:
            raise SettingsError(f"--seed: expected 0 or more, got {self.seed}.")
        if self.out.exists() and (not self.out.is_dir() or any(self.out.iterdir())):
            raise DataError(
                f"{self.out}: is there already; expected a new or an empty folder. Name another, or delete it"
            )
