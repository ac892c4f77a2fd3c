"""The part of a task's settings that training reads. Imports no torch, so that help is quick."""

from __future__ import annotations

from typing import Protocol

from semicoupled.training.settings import GoalWeights, SegmentSettings, SwitchSettings, TrainingSettings


class RunSettings(Protocol):
    """How a run is trained."""

    @property
    def seed(self) -> int:
        """Everything random follows from it."""
        ...

    @property
    def training(self) -> TrainingSettings:
        """How long, how fast."""
        ...

    @property
    def switches(self) -> SwitchSettings:
        """Which gradients are stopped."""
        ...

    @property
    def segments(self) -> SegmentSettings:
        """How long sequences are cut."""
        ...

    @property
    def goals(self) -> GoalWeights:
        """Weights of the losses."""
        ...
