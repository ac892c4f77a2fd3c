"""Settings of action recognition. Imports no torch, so that help is quick."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from semicoupled.errors import SettingsError
from semicoupled.live_options import check_live, is_live
from semicoupled.ranges import at_least
from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.training.settings import (
    GoalWeights,
    SegmentSettings,
    SwitchSettings,
    TrainingSettings,
    check_kind,
)

Average = Literal["probabilities", "scores", "frames"]
Kind = Literal[
    "semicoupled",
    "cnn",
    "cnn_lstm",
    "convlstm",
    "convgru",
    "cbm",
    "two_stream_3d",
    "r2plus1d",
    "r3d_18",
    "mc3_18",
    "r2plus1d_18",
    "s3d",
]
Size = Literal["xs", "s", "table1", "backbone"]
Backbone = Literal["vgg16", "inception_v1", "resnet18"]
MotionOrMain = Literal["main", "flow", "difference"]

NAMED = ("r3d_18", "mc3_18", "r2plus1d_18", "s3d")
"""torchvision's, with layers of their own."""
AT_ONCE = ("r2plus1d", "two_stream_3d", *NAMED)
"""They see a clip at once and do not stream."""


@dataclass(frozen=True)
class ModelSettings:
    """The network. Rivals get the same depth, widths, strides, norm and shortcuts.

    Args:
        kind: ``semicoupled``, or a rival: ``cnn`` (each frame by itself), ``cnn_lstm`` (LRCN), ``convlstm``,
            ``convgru``, ``cbm``, ``r2plus1d`` (3D convolutions: sees a clip at once and does not stream),
            ``two_stream_3d`` (a tower for images and one for their flow, fused in 3D: likewise; it needs `data.color`
            ``rgb_flow``), or one of torchvision's: ``r3d_18``, ``mc3_18``, ``r2plus1d_18``, ``s3d`` (likewise).
        size: ``xs`` and ``s`` (9 layers, real time on a CPU), ``table1`` (17 layers, the paper's stand-alone network)
            or ``backbone`` (a CNN, then 15 layers).
        widths: channels of each layer, in place of those of `size`.
        strides: of each layer, likewise.
        first_kernel: of the first convolution, odd; null for that of `size`.
        pool_first: a max-pool behind the first layer; null as `size` has it.
        norm: ``batch``, ``joint``, ``group`` or ``none``.
        cell: the temporal branch of ``semicoupled``: ``rnn`` (Eq. 5), ``lstm``, ``gru`` or ``linear``.
        initial_gate: sigma(c_0) of ``semicoupled``: 0.5 (paper) or 0.
        shortcut_every: layers that a shortcut spans; null for none.
        grid: rows and columns of cells that the last map is averaged over before the answer; ``[1, 1]`` is a global
            average.
        dropout: share of the averaged features that are left out in training.
        hidden: width of the LSTM of ``cnn_lstm``; null for the last of the widths.
        backbone: of the size ``backbone``.
        backbone_weights: a file of its weights, or of those of a network of torchvision's; or what torchvision
            downloads, ``imagenet`` for a backbone and ``kinetics`` for a network. Null begins with random ones.
        checkpointing: compute each layer again in the backward pass instead of keeping its maps.
    """

    kind: Kind = "semicoupled"
    size: Size = "xs"
    widths: tuple[int, ...] | None = None
    strides: tuple[int, ...] | None = None
    first_kernel: int | None = None
    pool_first: bool | None = None
    norm: Literal["batch", "joint", "group", "none"] = "batch"
    cell: Literal["rnn", "lstm", "gru", "linear"] = "rnn"
    initial_gate: float = 0.5
    shortcut_every: int | None = 2
    grid: tuple[int, int] = (1, 1)
    dropout: float = 0.0
    hidden: int | None = None
    backbone: Backbone = "vgg16"
    backbone_weights: str | None = None
    checkpointing: bool = False

    def __post_init__(self) -> None:
        """Check that the layers agree."""
        if (self.widths is None) != (self.strides is None) or (
            self.widths is not None and (not self.widths or len(self.widths) != len(self.strides or ()))
        ):
            raise SettingsError(
                "model.widths and model.strides: expected both, with one number for each layer, or neither; got "
                f"{self.widths} and {self.strides}."
            )
        if not 0 <= self.dropout < 1:
            raise SettingsError(f"model.dropout: expected a number in [0, 1), got {self.dropout!r}.")
        if min(self.grid) < 1:
            raise SettingsError(f"model.grid: expected at least 1 row and 1 column, got {list(self.grid)}.")
        if self.kind != "semicoupled" and self.cell != "rnn":
            raise SettingsError(f"model.cell {self.cell}: model.kind {self.kind} has no temporal branch to choose.")


@dataclass(frozen=True)
class SubGoals:
    """What the two streams with a single branch learn; their weights are `goals.spatial` and `goals.temporal`.

    Args:
        temporal: ``main``, the optical ``flow`` (paper), the ``difference`` from the frame before, or several of them.
            How important time is can be said if ``main`` is among them. The spatial stream always learns the main goal.
    """

    temporal: tuple[MotionOrMain, ...] = ("main",)

    def __post_init__(self) -> None:
        """Check that there is something to learn."""
        if not self.temporal or len(set(self.temporal)) != len(self.temporal):
            raise SettingsError(
                f"sub_goals.temporal: expected one or more goals, each once, got {self.temporal!r}. To learn none, set "
                "goals.temporal to 0."
            )


@dataclass(frozen=True)
class LossSettings:
    """The main goal: cross entropy of a video's answer.

    Args:
        average: what is averaged over the frames, in learning and in the answer for a video: their ``probabilities``
            (Sec. 5.5) or their ``scores`` before the softmax, which learns sooner; ``frames`` asks every frame by
            itself, and averages probabilities in the answer.
        smoothing: share of the truth that is spread over all classes, in [0, 1).
    """

    average: Average = "probabilities"
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Check the range."""
        if not 0 <= self.smoothing < 1:
            raise SettingsError(f"loss.smoothing: expected a number in [0, 1), got {self.smoothing!r}.")


@dataclass(frozen=True)
class EvaluationSettings:
    """How videos are scored; may be chosen anew with `evaluate`.

    Args:
        clips: null runs over the whole video once, frame by frame with a state (the network's own way); a number takes
            so many clips of `data.frames` frames, spread over the video, and averages them.
        crops: 1 takes the middle; 3 also both ends of the longer side, and averages.
        chunk: frames that are computed at once; memory grows with it, the result does not change.
        fuse: the folder of another run of the same classes, such as one that sees ``flow``: the probabilities of both
            are averaged, and scored as well (two-stream fusion).
    """

    clips: int | None = None
    crops: Literal[1, 3] = 1
    chunk: int = 32
    fuse: str | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("clips", "chunk"):
            value = getattr(self, name)
            at_least(f"evaluation.{name}", value, 1)


@dataclass(frozen=True)
class ActionSettings:
    """All settings of action recognition.

    Args:
        seed: everything random follows from it.
        data: where the videos are, and how they become clips.
        model: the network.
        sub_goals: what the temporal stream learns.
        loss: the main goal.
        training: how long and how fast to train.
        switches: which gradients are stopped.
        segments: how long clips are cut.
        goals: weights of the losses.
        evaluation: how videos are scored.
    """

    seed: int = 0
    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    sub_goals: SubGoals = field(default_factory=SubGoals)
    loss: LossSettings = field(default_factory=LossSettings)
    training: TrainingSettings = field(
        default_factory=lambda: TrainingSettings(
            batch=16, learning_rate=1e-3, schedule="cosine", warm_up=0.03, tensorboard=False
        )
    )
    switches: SwitchSettings = field(default_factory=SwitchSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    goals: GoalWeights = field(default_factory=GoalWeights)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        kind = self.model.kind
        check_kind(kind, self.switches, self.goals, branched=("semicoupled", "cbm"))
        if kind in AT_ONCE and self.segments.length is not None:
            raise SettingsError(f"segments.length: model.kind {kind} sees a clip at once. Leave it out.")
        if kind in AT_ONCE and kind != "two_stream_3d" and self.model.size == "backbone":
            raise SettingsError(f"model.size backbone: model.kind {kind} has layers of its own. Choose another size.")
        if kind == "two_stream_3d" and self.data.color != "rgb_flow":
            raise SettingsError(
                f"model.kind two_stream_3d: sees images and their flow; expected data.color rgb_flow, got "
                f"{self.data.color}. Set it."
            )
        if kind in NAMED and self.data.color != "rgb":
            raise SettingsError(f"model.kind {kind}: expected data.color rgb, got {self.data.color}.")


@dataclass(frozen=True)
class PredictSettings:
    """What can be chosen in a prediction.

    Args:
        top: classes that an answer names, the most probable first.
        per_frame: write each frame's time and probabilities of all classes, too.
        on_error: ``skip`` writes a record with the error of a video that cannot be read, and goes on; ``fail`` stops
            there.
        chunk: frames that are computed at once; memory grows with it, the result does not change.
        batch: videos that are answered side by side, frame by frame; records then come in the order in which videos
            end, and agree with those of 1 up to rounding.
        devices: processes that share the videos: each on a GPU of its own where there are several, else on the CPU's
            cores. What a killed one had begun is taken up by the others, and what a killed call had done by the next.
            On several machines start them with torchrun, and leave this out.
        annotate: a folder to write the videos to, with the answer drawn into each frame.
        camera: live from a camera: its number, its device, or an address that FFmpeg reads (rtsp://...). No inputs are
            given then. It ends with Ctrl-C, or after `frames`.
        stdin: live from the standard input: WIDTHxHEIGHT of raw RGB frames, or ``mjpeg``. It ends with its input.
        frames: end after so many live frames.
        window: live frames whose mean is the answer.
    """

    top: int = 5
    per_frame: bool = True
    on_error: Literal["skip", "fail"] = "skip"
    chunk: int = 16
    batch: int = 1
    devices: int = 1
    annotate: str | None = None
    camera: str | None = None
    stdin: str | None = None
    frames: int | None = None
    window: int = 25

    def __post_init__(self) -> None:
        """Check the ranges, and what goes together."""
        for name in ("top", "chunk", "batch", "devices", "window", "frames"):
            value = getattr(self, name)
            at_least(name, value, 1)
        check_live(self)

    @property
    def live(self) -> bool:
        """Whether frames come from a camera or through the standard input."""
        return is_live(self)

    @property
    def without_inputs(self) -> bool:
        """Whether a prediction needs no files."""
        return self.live


SETTINGS = ActionSettings
PREDICT_OPTIONS = PredictSettings
LESS_MEMORY = {
    "evaluate": "--evaluation.chunk, --evaluation.crops or --evaluation.clips",
    "predict": "--chunk, --batch or --devices",
}
"""What to lower where memory runs short, by command."""
