"""Settings of the toys. Imports no torch, so that help is quick."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from semicoupled.errors import SettingsError
from semicoupled.ranges import at_least
from semicoupled.training.settings import (
    GoalWeights,
    SegmentSettings,
    SwitchSettings,
    TrainingSettings,
    check_kind,
)

Question = Literal["which_way", "which_shape", "star"]
Kind = Literal["semicoupled", "convlstm", "convgru", "cbm", "cnn_lstm"]
SpatialGoal = Literal["main", "shape"]
TemporalGoal = Literal["main", "flow", "difference"]


@dataclass(frozen=True)
class DataSettings:
    """What is asked, and what the generated samples look like.

    Args:
        question: ``which_way`` a shape moves (8 directions), ``which_shape`` moves (4), or how many frames ago the
            ``star`` was.
        size: height and width in px; None for 32 (star: 16).
        frames: of a sample; None for 8 (star: 60).
        noise: standard deviation of the pixel noise; the contrast of the shapes is .5 to 1 (star: 1).
        radius: smallest and largest circumscribed radius of the moving shapes in px.
        speed: slowest and fastest motion in px per frame.
        wrap: a shape leaves the frame on one side and enters on the other, so that no single frame tells its direction;
            else it stays inside.
        early: star: 1 puts it at any frame alike, above 1 at earlier frames, so that training sees long distances
            more often.
        clips: number of samples to learn from; None for new ones in every step.
        validation: number of samples that choose the best weights.
        test: number of samples of each test.
    """

    question: Question = "which_way"
    size: int | None = None
    frames: int | None = None
    noise: float = 0.1
    radius: tuple[float, float] = (6.0, 10.0)
    speed: tuple[float, float] = (1.0, 2.5)
    wrap: bool = True
    early: float = 1.0
    clips: int | None = None
    validation: int = 512
    test: int = 1024

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("clips", "validation", "test"):
            count = getattr(self, name)
            at_least(f"data.{name}", count, 1)
        at_least("data.noise", self.noise, 0)

    @property
    def side(self) -> int:
        """Height and width of a frame in px."""
        return self.size or (16 if self.question == "star" else 32)

    @property
    def length(self) -> int:
        """Number of frames of a sample."""
        return self.frames or (60 if self.question == "star" else 8)

    @property
    def classes(self) -> int:
        """Number of possible answers."""
        return {"which_way": 8, "which_shape": 4, "star": self.length + 1}[self.question]


@dataclass(frozen=True)
class ModelSettings:
    """The network. Rivals get the same depth, widths, strides, norm and shortcuts.

    Args:
        kind: ``semicoupled``, or a rival: ``convlstm``, ``convgru``, ``cbm``, ``cnn_lstm``.
        widths: channels of each layer; their number is the depth.
        strides: of each layer.
        norm: ``batch``, ``joint``, ``group`` or ``none``.
        cell: the temporal branch of ``semicoupled``: ``rnn`` (Eq. 5), ``lstm``, ``gru`` or ``linear``.
        initial_gate: sigma(c_0) of ``semicoupled``: 0.5 (paper) or 0.
        shortcut_every: layers that a shortcut spans; None for no shortcuts.
        hidden: width of the LSTM of ``cnn_lstm``.
        grid: cells on a side of the map that the LSTM of ``cnn_lstm`` sees; 1 hides from it where the shape is.
    """

    kind: Kind = "semicoupled"
    widths: tuple[int, ...] = (16, 16, 24, 24, 24, 32, 32, 32)
    strides: tuple[int, ...] = (2, 1, 2, 1, 1, 2, 1, 1)
    norm: Literal["batch", "joint", "group", "none"] = "batch"
    cell: Literal["rnn", "lstm", "gru", "linear"] = "rnn"
    initial_gate: float = 0.5
    shortcut_every: int | None = 2
    hidden: int = 64
    grid: int = 4

    def __post_init__(self) -> None:
        """Check that the layers agree."""
        if not self.widths or len(self.widths) != len(self.strides):
            raise SettingsError(
                f"model.strides: expected one for each of the {len(self.widths)} layers of model.widths (at least 1), "
                f"got {len(self.strides)}."
            )
        if self.kind != "semicoupled" and self.cell != "rnn":
            raise SettingsError(f"model.cell {self.cell}: model.kind {self.kind} has no temporal branch to choose.")


@dataclass(frozen=True)
class SubGoals:
    """What the two streams with a single branch learn; their weights are `goals.spatial` and `goals.temporal`.

    Args:
        spatial: ``main``, or the ``shape`` in the frame, or both.
        temporal: ``main``, the optical ``flow``, the ``difference`` from the frame before, or several of them.
            How important time is (`semicoupled explain importance`) can be said if both lists have ``main``.
    """

    spatial: tuple[SpatialGoal, ...] = ("main",)
    temporal: tuple[TemporalGoal, ...] = ("main",)

    def __post_init__(self) -> None:
        """Check that there is something to learn."""
        for name in ("spatial", "temporal"):
            goals = getattr(self, name)
            if not goals or len(set(goals)) != len(goals):
                raise SettingsError(
                    f"sub_goals.{name}: expected one or more goals, each once, got {goals!r}. To learn none, set "
                    f"goals.{name} to 0."
                )


@dataclass(frozen=True)
class ToySettings:
    """All settings of a toy.

    Args:
        seed: everything random follows from it; the samples of validation and tests are the same for all seeds.
        data: what is asked.
        model: the network.
        sub_goals: what the spatial and the temporal stream learn.
        training: how long and how fast to train.
        switches: which gradients are stopped.
        segments: how long sequences are cut.
        goals: weights of the three losses.
    """

    seed: int = 0
    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    sub_goals: SubGoals = field(default_factory=SubGoals)
    training: TrainingSettings = field(
        default_factory=lambda: TrainingSettings(
            steps=400, batch=32, learning_rate=3e-3, schedule="cosine", warm_up=0.05, tensorboard=False
        )
    )
    switches: SwitchSettings = field(default_factory=SwitchSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    goals: GoalWeights = field(default_factory=GoalWeights)

    def __post_init__(self) -> None:
        """Check what is fine alone but not together."""
        check_kind(self.model.kind, self.switches, self.goals, branched=("semicoupled", "cbm"))
        if self.goals.temporal and self.data.question == "star" and "flow" in self.sub_goals.temporal:
            raise SettingsError(
                "sub_goals.temporal: in the star's sequences nothing moves: there is no flow. Leave flow out."
            )


SETTINGS = ToySettings
LESS_MEMORY = {
    "evaluate": "the number of clips that are made (data.validation and data.test of the run)",
    "predict": "the clips: give fewer at a time, or shorter ones",
}
"""What to lower where memory runs short, by command."""
