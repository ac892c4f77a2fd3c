"""Settings: what `semicoupled train gauge --help` lists. Imports no torch, so that help is quick."""

from __future__ import annotations

from dataclasses import dataclass, field

from semicoupled.errors import SettingsError
from semicoupled.training.settings import GoalWeights, SegmentSettings, SwitchSettings, TrainingSettings


@dataclass(frozen=True)
class DataSettings:
    """Where the clips come from.

    Args:
        root: a folder of ``.npz`` files, each with `frames` (T H W, 0 to 255) and `value` (T): all of one size.
        validation: a pattern of file names that are held back.
    """

    root: str | None = None
    validation: str = "held*.npz"


@dataclass(frozen=True)
class ModelSettings:
    """The network.

    Args:
        kind: the name under which scores stand in tables.
        widths: channels of each layer.
        strides: of each layer.
    """

    kind: str = "semicoupled"
    widths: tuple[int, ...] = (8, 8)
    strides: tuple[int, ...] = (2, 1)

    def __post_init__(self) -> None:
        """Check what goes together."""
        if len(self.widths) != len(self.strides):
            raise SettingsError(
                f"model.strides: expected {len(self.widths)}, one for each of model.widths, got {len(self.strides)}"
            )


@dataclass(frozen=True)
class GaugeSettings:
    """Settings of the task.

    Args:
        seed: everything random follows from it.
        data: where the clips come from.
        model: the network.
        training: how long and how fast.
        switches: which gradients are stopped.
        segments: how long sequences are cut.
        goals: weights of the losses.
    """

    seed: int = 0
    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    training: TrainingSettings = field(default_factory=lambda: TrainingSettings(steps=60, batch=4, learning_rate=0.01))
    switches: SwitchSettings = field(default_factory=lambda: SwitchSettings(method="stsgd"))
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    goals: GoalWeights = field(default_factory=GoalWeights)


SETTINGS = GaugeSettings
