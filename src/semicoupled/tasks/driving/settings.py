"""Settings of driving. Imports no torch, so that help is quick."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from semicoupled.errors import SettingsError
from semicoupled.ranges import at_least
from semicoupled.tasks.driving.data_settings import (
    AngleSettings,
    AngleUnit,
    AugmentSettings,
    DataSettings,
)
from semicoupled.tasks.driving.predict_options import PredictOptions
from semicoupled.training.settings import (
    GoalWeights,
    SegmentSettings,
    SwitchSettings,
    TrainingSettings,
    check_kind,
)

__all__ = [
    "PREDICT_OPTIONS",
    "SETTINGS",
    "AngleSettings",
    "AngleUnit",
    "AugmentSettings",
    "DataSettings",
    "DrivingSettings",
    "EvaluationSettings",
    "ModelSettings",
    "PredictOptions",
    "SubGoals",
]

Kind = Literal["semicoupled", "convlstm", "cnn", "cnn_lstm", "resnet18", "vgg_lstm"]
Size = Literal["paper", "s", "xs", "xxs"]
Way = Literal["stream", "clips"]
TemporalGoal = Literal["main", "flow", "difference"]

THRESHOLDS: dict[str, tuple[float, float]] = {
    "degrees": (6.0, 3.0),
    "radians": (0.105, 0.052),
    "normalized": (0.2, 0.1),
}
"""Default of `EvaluationSettings.angle_thresholds`, by unit: lambda of Table 5, for degrees."""

BOUNDS: dict[str, tuple[float, float]] = {"degrees": (5.0, 20.0), "radians": (0.087, 0.349), "normalized": (0.1, 0.5)}
"""Default of `EvaluationSettings.curve` and `sharp`, by unit."""


@dataclass(frozen=True)
class ModelSettings:
    """The network. Rivals get the same depth, strides, norm and shortcuts, and `width` times the channels.

    Args:
        kind: ``semicoupled``, or a rival: ``convlstm``; ``cnn``, which sees the newest frame alone; ``cnn_lstm``;
            ``resnet18`` and ``vgg_lstm``, the named networks of Sec. 5.7.
        size: ``paper`` (Table 1: 17 layers, 64 to 512 channels), ``s`` or ``xs`` (9 layers), ``xxs`` (6).
        width: factor on the channels of every layer.
        widths: channels of each layer in place of those of `size`; then `strides` must be given, too.
        strides: of each layer, in place of those of `size`.
        pool_first: a 3x3 max-pool with stride 2 behind the first layer (Table 1).
        norm: ``batch``, ``joint``, ``group`` or ``none``.
        cell: the temporal branch of ``semicoupled``: ``rnn`` (Eq. 5), ``lstm``, ``gru`` or ``linear``.
        initial_gate: sigma(c_0) of ``semicoupled``: 0.5 (paper) or 0.
        shortcut_every: layers that a shortcut spans; None for no shortcuts.
        grid: rows and columns of cells that the last map is averaged over before the linear map to the angle. 1 x 1 is
            the paper's global average, which tells what is there but not where.
        hidden: width of the LSTM of ``cnn_lstm`` and ``vgg_lstm``.
        dropout: share of the pooled features that is left out in training, in [0, 1).
    """

    kind: Kind = "semicoupled"
    size: Size = "xxs"
    width: float = 1.0
    widths: tuple[int, ...] | None = None
    strides: tuple[int, ...] | None = None
    pool_first: bool = True
    norm: Literal["batch", "joint", "group", "none"] = "batch"
    cell: Literal["rnn", "lstm", "gru", "linear"] = "rnn"
    initial_gate: float = 0.5
    shortcut_every: int | None = 2
    grid: tuple[int, int] = (2, 4)
    hidden: int = 128
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Check that the layers agree."""
        if (self.widths is None) != (self.strides is None) or len(self.widths or ()) != len(self.strides or ()):
            raise SettingsError(
                f"model.strides: expected one for each layer of model.widths, or neither of them; got {self.strides} "
                f"for {self.widths}."
            )
        if self.kind != "semicoupled" and self.cell != "rnn":
            raise SettingsError(f"model.cell {self.cell}: model.kind {self.kind} has no temporal branch to choose.")
        if not self.width > 0:
            raise SettingsError(f"model.width: expected more than 0, got {self.width!r}.")
        for cells in self.grid:
            at_least("model.grid", cells, 1)
        at_least("model.hidden", self.hidden, 1)
        if not 0 <= self.dropout < 1:
            raise SettingsError(f"model.dropout: expected a share from 0 to below 1, got {self.dropout!r}.")


@dataclass(frozen=True)
class SubGoals:
    """What is learned; the weights of the three goals are those of `goals`.

    Args:
        warm_up: frames at the begin of a clip whose answer is not learned from; null learns from the last frame alone,
            as the paper does.
        temporal: what the temporal stream learns: ``main`` (the angle), the optical ``flow``, the ``difference`` from
            the frame before, or several of them. Importance can be told if ``main`` is among them. The spatial stream
            learns the angle.
        motion: weight of flow and difference beside the angle.
    """

    warm_up: int | None = 2
    temporal: tuple[TemporalGoal, ...] = ("main", "flow", "difference")
    motion: float = 0.01

    def __post_init__(self) -> None:
        """Check that there is something to learn."""
        if not self.temporal or len(set(self.temporal)) != len(self.temporal):
            raise SettingsError(
                f"sub_goals.temporal: expected one or more goals, each once, got {self.temporal!r}. To learn none, set "
                "goals.temporal to 0."
            )
        if self.warm_up is not None:
            at_least("sub_goals.warm_up", self.warm_up, 0)
        at_least("sub_goals.motion", self.motion, 0)


@dataclass(frozen=True)
class EvaluationSettings:
    """What is scored, and how a drive is answered.

    Args:
        way: ``stream`` runs along a drive with its state; ``clips`` answers each frame from the clip that ends with it,
            as the paper does.
        angle_thresholds: lambda of Eq. 24, in the unit of the angle. Null: 6 and 3 degrees, or .2 and .1 of full lock.
        curve: a road is straight where the smoothed label is at most this far from 0, in the unit of the angle, and a
            curve above. Null: 5 degrees, or .1 of full lock.
        sharp: a curve is sharp above this. Null: 20 degrees, or .5 of full lock.
        smoothing_seconds: of the centered mean that the smoothed label is.
    """

    way: Way = "stream"
    angle_thresholds: tuple[float, ...] | None = None
    curve: float | None = None
    sharp: float | None = None
    smoothing_seconds: float = 0.5

    def __post_init__(self) -> None:
        """Check the ranges."""
        for threshold in self.angle_thresholds or (1.0,):
            if not threshold > 0:
                raise SettingsError(f"evaluation.angle_thresholds: expected numbers above 0, got {threshold!r}.")
        if self.curve is not None and self.sharp is not None and not 0 <= self.curve <= self.sharp:
            raise SettingsError(
                f"evaluation.sharp: expected at least evaluation.curve ({self.curve:g}), got {self.sharp:g}."
            )
        at_least("evaluation.smoothing_seconds", self.smoothing_seconds, 0)

    def thresholds(self, unit: str) -> tuple[float, ...]:
        """Give the angle thresholds for angles of a unit."""
        return THRESHOLDS[unit] if self.angle_thresholds is None else self.angle_thresholds

    def bounds(self, unit: str) -> tuple[float, float]:
        """Give the bounds of curves and of sharp curves for angles of a unit."""
        curve, sharp = BOUNDS[unit]
        return (curve if self.curve is None else self.curve), (sharp if self.sharp is None else self.sharp)


@dataclass(frozen=True)
class DrivingSettings:
    """All settings of driving.

    Args:
        seed: everything random follows from it.
        data: where the drives are.
        model: the network.
        sub_goals: what the streams learn.
        training: how long and how fast to train.
        switches: which gradients are stopped.
        segments: how clips are cut (LTSC).
        goals: weights of the three losses.
        evaluation: what is scored.
    """

    seed: int = 0
    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    sub_goals: SubGoals = field(default_factory=SubGoals)
    training: TrainingSettings = field(
        default_factory=lambda: TrainingSettings(
            steps=2000,
            batch=16,
            learning_rate=6e-3,
            schedule="cosine",
            warm_up=0.05,
            weight_average=0.99,
            keep="last",
            tensorboard=False,
        )
    )
    switches: SwitchSettings = field(default_factory=SwitchSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    goals: GoalWeights = field(default_factory=GoalWeights)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)

    def __post_init__(self) -> None:
        """Check what is fine alone but not together."""
        check_kind(self.model.kind, self.switches, self.goals, branched=("semicoupled",))
        if self.sub_goals.warm_up is not None and self.sub_goals.warm_up >= self.data.frames:
            raise SettingsError(
                f"sub_goals.warm_up: {self.sub_goals.warm_up} of data.frames {self.data.frames} leave no frame to "
                "learn from. Lower it, or leave it out for the last frame alone."
            )


SETTINGS = DrivingSettings
PREDICT_OPTIONS = PredictOptions
LESS_MEMORY = {
    "evaluate": "the length and the number of drives (--data.root)",
    "predict": "the drives that are given at a time; --streams main needs less, too",
}
"""What to lower where memory runs short, by command."""
