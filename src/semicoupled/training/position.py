"""Where a training stands, and everything that an exact resume needs beside it."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from semicoupled.errors import RunError
from semicoupled.training import weights
from semicoupled.training.averaging import WeightAverage
from semicoupled.training.checkpoint import Checkpoint
from semicoupled.training.run_settings import RunSettings
from semicoupled.training.settings import Precision
from semicoupled.training.switches import Switches

_logger = logging.getLogger(__name__)


@dataclass
class Position:
    """Where a training stands.

    Args:
        step: optimizer steps made.
        elapsed: seconds that they took, over all resumes, on the clock of the time budget.
        validated: the step of the last validation.
        kept_step: the step whose weights are kept.
        scores: their validation scores; empty before the first validation.
        window: sums of the losses since the last line of the log.
        window_steps: how many steps are in them.
    """

    step: int = 0
    elapsed: float = 0.0
    validated: int = -1
    kept_step: int = -1
    scores: dict[str, float] = field(default_factory=dict[str, float])
    window: dict[str, float] = field(default_factory=dict[str, float])
    window_steps: int = 0


class Resumable:
    """All that changes in a training, as the content of a checkpoint and back."""

    def __init__(
        self,
        settings: RunSettings,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        switches: Switches | None,
        average: WeightAverage | None,
        device: torch.device,
        precision: Precision,
    ) -> None:
        """Take what is to be saved and restored."""
        groups = ("training", "switches", "segments", "goals")
        named = {"seed": settings.seed} | {
            f"{group}.{name}": value for group in groups for name, value in asdict(getattr(settings, group)).items()
        }
        self._settings: dict[str, Any] = json.loads(json.dumps(named))  # a tuple and a list are the same setting
        self._model, self._optimizer = model, optimizer
        self._switches, self._average, self._device = switches, average, device
        self._precision = precision

    def content(self, at: Position) -> dict[str, Any]:
        """Give the content of a checkpoint."""
        cuda = self._device.type == "cuda"
        return {
            "settings": self._settings,
            "precision": self._precision,
            "position": asdict(at),
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "switches": None if self._switches is None else self._switches.state_dict(),
            "average": None if self._average is None else self._average.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state(self._device) if cuda else None,
        }

    def take_up(self, folder: Path, found: Checkpoint) -> Position:
        """Go back to where a checkpoint was written.

        Args:
            folder: of the run.
            found: its newest checkpoint.

        Raises:
            RunError: it was begun with other settings or another model.
        """
        content = found.content
        missing = [name for name in self.content(Position()) if name not in content]
        if missing or not isinstance(content["settings"], dict):
            raise RunError(
                f"{folder}: its checkpoint of step {found.step} has no {', '.join(missing) or 'settings'}. Remove the "
                "folder checkpoints to train from the beginning."
            )
        before: dict[str, Any] = content["settings"]
        names = sorted(name for name in {*before, *self._settings} if before.get(name) != self._settings.get(name))
        if names:
            different = "; ".join(f"{name}: {before.get(name)} there, {self._settings.get(name)} now" for name in names)
            raise RunError(
                f"{folder}: was begun with other settings ({different}). Take it up with those, or choose another run "
                "folder."
            )
        try:
            _ = self._model.load_state_dict(content["model"])
            self._optimizer.load_state_dict(content["optimizer"])
        except (RuntimeError, ValueError) as error:
            raise RunError(
                f"{folder}: its checkpoint is of another model: {error}. Take it up with the settings that it was "
                "begun with, or choose another run folder."
            ) from error
        if self._switches is not None:
            self._switches.load_state_dict(content["switches"])
        if self._average is not None:
            self._average.load_state_dict(content["average"])
        torch.set_rng_state(content["random"])
        if content["random_cuda"] is not None and self._device.type == "cuda":
            torch.cuda.set_rng_state(content["random_cuda"], self._device)
        _logger.info("%s: taken up at step %d.", folder, found.step)
        at = Position(**content["position"])
        kept = folder / weights.FILE
        if kept.is_file():  # it may be of a validation after this checkpoint
            about = weights.read_about(kept)
            try:
                at.kept_step, at.scores = int(about["step"]), json.loads(about["scores"])
            except (KeyError, ValueError, RecursionError) as error:
                raise RunError(
                    f"{kept}: does not say of which step it is ({error!r}); expected the weights that this training "
                    "wrote. Choose another run folder."
                ) from error
        return at
