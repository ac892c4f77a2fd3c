"""Settings of outlines. Imports no torch, so that help is quick."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from semicoupled.errors import SettingsError
from semicoupled.ranges import at_least
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.predict_options import PredictOptions
from semicoupled.training.settings import (
    GoalWeights,
    SegmentSettings,
    SwitchSettings,
    TrainingSettings,
    check_kind,
)

Kind = Literal["semicoupled", "convlstm", "convgru", "cbm"]
Prompt = Literal["start_end", "start", "box"]
PROMPTS: tuple[Prompt, ...] = ("start_end", "start", "box")

WIDTHS: dict[int, tuple[int, ...]] = {
    2: (64, 8),
    5: (128, 128, 64, 32, 8),
    10: (128, 128, 128, 128, 128, 64, 64, 64, 32, 8),
    15: (256, 256, 128, 128, 128, 128, 64, 64, 64, 64, 64, 64, 32, 32, 8),
}
"""Channels of the layers for which Table 4's parameter counts come out."""


@dataclass(frozen=True)
class ModelSettings:
    """The features and the decoder.

    Args:
        kind: ``semicoupled``, or a rival: ``convlstm``, ``convgru``, ``cbm``.
        backbone: ``vgg16_bn`` (paper), ``resnet50`` (dilated, Polygon-RNN++), ``efficientnet_lite0``, ``light``,
            which a CPU can train from scratch, or ``narrow``, a quarter of it.
        pretrained: file of weights that it begins with: for ``vgg16_bn`` and ``resnet50`` torchvision's (``.pth`` or
            safetensors), for ``efficientnet_lite0`` the published ones (``.pth``); or ``imagenet``: torchvision
            downloads it, the extra ``imagenet`` brings it. None starts from scratch.
        freeze: leave the backbone as it is, its statistics too.
        cache_gigabytes: memory for what a frozen backbone gives for images that come again, which `data.views` sees
            to; 0 computes it each time.
        features: channels of the image's features.
        layers: depth of the decoder: 2, 5, 10 or 15, with the widths of Table 4.
        widths: channels of the decoder's layers, in place of `layers`.
        norm: of the decoder: ``batch``, ``joint``, ``group`` or ``none`` (Table 4's counts).
        cell: the temporal branch of ``semicoupled``: ``rnn`` (Eq. 5), ``lstm``, ``gru`` or ``linear``.
        initial_gate: sigma(c_0) of ``semicoupled``: 0.5 (paper) or 0.
        shortcut_every: layers that a shortcut spans; None for no shortcuts (Table 4's counts).
        positions: how the decoder is shown the first point, t-2 and t-1: ``cells``, 1 in the point's cell (paper), or
            ``fields``, which fall off with the distance from the point, so that every cell knows how far it is from it.
        head: ``linear``: one linear map of the whole last map; ``cells``: the same small linear map in every cell.
        checkpointing: compute each layer again in the backward pass instead of keeping its maps.
        skips: how the backbone's maps become features: ``pyramid`` (Polygon-RNN, as in the paper), or ``branches``,
            joined at four times the grid's size (Polygon-RNN++), which `graph` needs.
        attention: weigh the features in each step by what the decoder remembers (Polygon-RNN++); of ``convlstm`` and
            ``convgru``.
        evaluator: a network that tells the IoU of a finished outline, and so chooses among several (Polygon-RNN++).
        graph: a graph network that moves the points of a finished outline on a grid four times as fine, and as many
            points between them (Polygon-RNN++).
        learn: ``all``, or ``parts``: the evaluator and the graph network alone; begin with the weights of a run then.
    """

    kind: Kind = "semicoupled"
    backbone: Literal["vgg16_bn", "resnet50", "efficientnet_lite0", "light", "narrow"] = "light"
    pretrained: str | None = None
    freeze: bool = False
    cache_gigabytes: float = 0.0
    features: int = 128
    layers: int = 5
    widths: tuple[int, ...] | None = None
    norm: Literal["batch", "joint", "group", "none"] = "none"
    cell: Literal["rnn", "lstm", "gru", "linear"] = "rnn"
    initial_gate: float = 0.5
    shortcut_every: int | None = None
    positions: Literal["cells", "fields"] = "cells"
    head: Literal["linear", "cells"] = "linear"
    checkpointing: bool = False
    skips: Literal["pyramid", "branches"] = "pyramid"
    attention: bool = False
    evaluator: bool = False
    graph: bool = False
    learn: Literal["all", "parts"] = "all"

    def __post_init__(self) -> None:
        """Check that the parts agree."""
        if self.widths is None and self.layers not in WIDTHS:
            raise SettingsError(
                f"model.layers: expected {', '.join(map(str, WIDTHS))}, got {self.layers!r}. Give "
                "model.widths for other depths."
            )
        if self.widths is not None and (not self.widths or min(self.widths) < 1):
            raise SettingsError(f"model.widths: expected one number of channels a layer, got {self.widths!r}.")
        at_least("model.features", self.features, 1)
        if self.kind != "semicoupled" and self.cell != "rnn":
            raise SettingsError(f"model.cell {self.cell}: model.kind {self.kind} has no temporal branch to choose.")
        at_least("model.cache_gigabytes", self.cache_gigabytes, 0)
        if self.cache_gigabytes and not self.freeze:
            raise SettingsError(
                "model.cache_gigabytes: what a backbone gives can be kept only if it stays as it is. Set model.freeze, "
                "or leave it out."
            )
        if self.pretrained is not None and self.backbone in ("light", "narrow"):
            raise SettingsError(
                f"model.pretrained {self.pretrained}: there are no weights of model.backbone {self.backbone}. Choose "
                "efficientnet_lite0, vgg16_bn or resnet50, or leave it out."
            )
        if self.freeze and self.pretrained is None:
            raise SettingsError(
                "model.freeze: the backbone would stay random. Give model.pretrained, or set it to false."
            )
        if self.attention and self.kind not in ("convlstm", "convgru"):
            raise SettingsError(
                f"model.attention follows what a ConvLSTM or a ConvGRU remembers, but model.kind is {self.kind}. Set "
                "model.kind to convlstm or convgru, or model.attention to false."
            )
        if self.graph and self.skips != "branches":
            raise SettingsError(
                f"model.graph looks at fine features, but model.skips is {self.skips}. Set model.skips to branches, or "
                "model.graph to false."
            )
        if self.learn == "parts" and not (self.evaluator or self.graph):
            raise SettingsError(
                "model.learn parts: there is no part to learn. Set model.evaluator or model.graph to true, or "
                "model.learn to all."
            )

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of the decoder's layers."""
        return WIDTHS[self.layers] if self.widths is None else self.widths


@dataclass(frozen=True)
class LossSettings:
    """What counts as a good outline in training.

    Args:
        spread: cells over which a right point is spread: its neighbors are a little right, too (Polygon-RNN++); 0 is
            the paper's form.
        maps: weight of the loss of three maps that are read from the image's features: the object, its border, and its
            points (the first point of an outline of which only the box is given is chosen by the last one).
        points: weight of the next point's loss, told all points before it.
        reinforce: weight of the self-critical loss (Polygon-RNN++): outlines are drawn by chance and judged by IoU.
        evaluator: weight of the evaluator's loss, where there is one.
        graph: weight of the graph network's loss, where there is one.
    """

    spread: float = 0.5
    maps: float = 1.0
    points: float = 1.0
    reinforce: float = 0.0
    evaluator: float = 1.0
    graph: float = 1.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("spread", "maps", "points", "reinforce", "evaluator", "graph"):
            at_least(f"loss.{name}", getattr(self, name), 0)


@dataclass(frozen=True)
class EvaluationSettings:
    """What is scored.

    Args:
        prompts: what is known of an outline: ``start_end``, ``start`` or ``box``.
        beam: outlines that are kept in view; 1 takes the likeliest point each time.
        firsts: first points that are tried where none is given, the likeliest ones. Of all outlines that come of them
            the evaluator chooses, or the likeliest is taken where the model has none.
        clicks: corrections at most of the simulated annotator; 0 leaves it out.
        jitter: px of the image by which its corrections miss (standard deviation).
        moves: objects of which a point is moved, to time how long the rest takes; 0 leaves it out.
        limit: score so many instances of a split at most, evenly taken; None for all.
    """

    prompts: tuple[Prompt, ...] = ("start_end", "start", "box")
    beam: int = 1
    firsts: int = 1
    clicks: int = 0
    jitter: float = 1.0
    moves: int = 0
    limit: int | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.prompts or len(set(self.prompts)) != len(self.prompts):
            raise SettingsError(f"evaluation.prompts: expected one or more, each once, got {self.prompts!r}.")
        for name in ("beam", "firsts"):
            at_least(f"evaluation.{name}", getattr(self, name), 1)
        for name in ("clicks", "jitter", "moves"):
            at_least(f"evaluation.{name}", getattr(self, name), 0)
        at_least("evaluation.limit", self.limit, 1)


@dataclass(frozen=True)
class OutlineSettings:
    """All settings of a run that draws outlines.

    Args:
        seed: everything random follows from it.
        data: where the outlines are.
        model: the network.
        loss: what counts as a good outline.
        training: how long and how fast to train.
        switches: which gradients are stopped.
        segments: how long sequences are cut.
        goals: weights of the three losses; all three goals are the points (Sec. 5.6).
        evaluation: what is scored.
    """

    seed: int = 0
    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    training: TrainingSettings = field(
        default_factory=lambda: TrainingSettings(
            steps=4000, batch=16, learning_rate=1e-3, schedule="cosine", warm_up=0.05, precision="auto"
        )
    )
    switches: SwitchSettings = field(default_factory=SwitchSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    goals: GoalWeights = field(default_factory=lambda: GoalWeights(spatial=0.0, temporal=0.0))
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)

    def __post_init__(self) -> None:
        """Check what is fine alone but not together."""
        check_kind(self.model.kind, self.switches, self.goals, branched=("semicoupled", "cbm"))
        if self.segments.length is not None and (self.loss.reinforce or self.model.evaluator or self.model.graph):
            raise SettingsError(
                f"segments.length {self.segments.length}: the self-critical loss, the evaluator and the graph network "
                "judge whole outlines. Set segments.length to null."
            )
        if self.model.learn == "parts" and self.loss.reinforce:
            raise SettingsError(
                f"loss.reinforce {self.loss.reinforce:g}: with model.learn parts the decoder stays as it is. Set "
                "loss.reinforce to 0, or model.learn to all."
            )


SETTINGS = OutlineSettings
PREDICT_OPTIONS = PredictOptions
LESS_MEMORY = {
    "evaluate": "--evaluation.beam, --evaluation.firsts, or the number of objects (--evaluation.limit)",
    "predict": "--beam, --firsts, or the objects that are given at a time",
}
"""What to lower where memory runs short, by command."""
