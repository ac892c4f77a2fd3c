"""Settings of the smallest task."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from semicoupled.errors import SettingsError
from semicoupled.training.settings import GoalWeights, SegmentSettings, SwitchSettings, TrainingSettings


@dataclass(frozen=True)
class DataSettings:
    """Where the frames come from.

    Args:
        root: a folder; None generates.
        validation: a glob.
        frames: of a clip, at least 1.
    """

    root: Path | None = None
    validation: str | None = None
    frames: int = 4

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.frames < 1:
            raise SettingsError(f"data.frames: expected at least 1, got {self.frames}")


@dataclass(frozen=True)
class ModelSettings:
    """The network.

    Args:
        kind: ours or a rival.
        widths: channels of each layer.
    """

    kind: Literal["semicoupled", "convlstm"] = "semicoupled"
    widths: tuple[int, ...] = (4, 4)


@dataclass(frozen=True)
class BrightnessSettings:
    """Settings of the task.

    Args:
        seed: everything random follows from it.
        data: where the frames come from.
        model: the network.
        training: how long and how fast.
        switches: which gradients are stopped.
        segments: how long sequences are cut.
        goals: weights of the losses.
    """

    seed: int = 0
    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    training: TrainingSettings = field(default_factory=lambda: TrainingSettings(steps=4, batch=2))
    switches: SwitchSettings = field(default_factory=SwitchSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    goals: GoalWeights = field(default_factory=lambda: GoalWeights(spatial=0.0, temporal=0.0))


SETTINGS = BrightnessSettings
