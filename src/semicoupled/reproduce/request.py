"""What is asked for: which data, which size, how long, how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from semicoupled.errors import SettingsError
from semicoupled.paper_table import Size
from semicoupled.training.progress import Progress

SEEDS = (0, 1, 2)
QUICK_SEEDS = (0,)


@dataclass(frozen=True)
class Request:
    """A call of ``semicoupled reproduce``.

    Args:
        root: of the data, as in train; None for the nearest data, or made ones with `quick`.
        size: ``small`` for a CPU and minutes, ``paper`` for the paper's networks and settings.
        quick: seconds a training, on made data where none are given: shows that it runs, not what comes out.
        seeds: every line is trained with each; None for 0, 1 and 2 (with `quick` 0 alone).
        budget: time of each training; None for the reproduction's own.
        lines: of the table; none for all.
        settings: of the task, for all trainings alike; the lines' own win.
        presets: that all lines begin with, in place of the reproduction's.
        out: run folders; None for those of the study that is run.
        data: the folder of the nearest data (docs/data.md); None where there is none.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``auto``, ``float32`` or ``bf16``.
        workers: processes that load data.
        progress: who is told how far it is.
    """

    root: str | None = None
    size: Size = "small"
    quick: bool = False
    seeds: tuple[int, ...] | None = None
    budget: str | None = None
    lines: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    out: Path | None = None
    data: Path | None = None
    device: str = "auto"
    precision: str = "auto"
    workers: int = 0
    progress: Progress | None = None

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        if self.quick and self.size == "paper":
            raise SettingsError("--quick: the paper's size is nothing for minutes. Leave out --quick, or --size paper")

    @property
    def chosen_seeds(self) -> tuple[int, ...]:
        """The seeds that are trained."""
        if self.seeds is not None:
            return self.seeds
        return QUICK_SEEDS if self.quick else SEEDS

    def training_options(self, quick: Sequence[str], budget: str | None) -> list[str]:
        """Give the settings of all trainings that are asked for by options of the command's own.

        Args:
            quick: those of ``--quick``.
            budget: time of each training; None where steps end it.
        """
        return [
            *(quick if self.quick else ()),
            *([f"--training.time_budget={budget}"] if budget is not None else []),
            *([f"--training.precision={self.precision}"] if self.precision != "auto" else []),
        ]
