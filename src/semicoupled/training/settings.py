"""All settings of training, as frozen dataclasses that check their ranges. Imports no torch, so that help is quick."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, NamedTuple

from semicoupled.errors import SettingsError
from semicoupled.ranges import above, at_least, one_of, within

Precision = Literal["auto", "float32", "bf16"]
LearningRateSchedule = Literal["constant", "cosine"]
StopSchedule = Literal["linear", "cosine", "constant"]
SwitchMethod = Literal["none", "stsgd", "astsgd"]
Scope = Literal["batch", "sample"]
Controller = Literal["formula", "learned"]
SegmentMethod = Literal["ltsc", "truncated_bptt", "strided"]
Carry = Literal["none", "end", "start"]

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """Read a duration such as ``90s``, ``10m``, ``1.5h`` or ``1h30m``.

    Args:
        text: numbers, each with its unit: s (seconds), m (minutes) or h (hours).

    Returns:
        Seconds, above 0.

    Raises:
        SettingsError: no number, no unit, an unknown unit, or nothing left of it.
    """
    compact = text.strip().lower().replace(" ", "")
    parts: list[tuple[str, str]] = re.findall(r"(\d+(?:\.\d+)?)([smh])", compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        raise SettingsError(
            f"time_budget: expected a duration with its unit, such as 90s, 10m, 1.5h or 1h30m, got {text!r}."
        )
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds <= 0:
        raise SettingsError(f"time_budget: expected more than 0 seconds, got {text!r}. Leave it out for no limit.")
    return seconds


class TimeBudget(NamedTuple):
    """How long to train.

    Attributes:
        seconds: above 0.
        of_cpu: they are the time that the training had on CPUs, its threads added up, instead of the wall's: other
            work on the machine then takes nothing of it.
    """

    seconds: float
    of_cpu: bool = False


def parse_time_budget(text: str) -> TimeBudget:
    """Read a time budget: a duration such as ``10m``, on the CPU's clock where ``@cpu`` follows it.

    Raises:
        SettingsError: what `parse_duration` refuses, or another clock.
    """
    duration, at, clock = text.strip().lower().partition("@")
    if at and clock.strip() != "cpu":
        raise SettingsError(
            f"time_budget: expected a duration such as 10m, or 10m@cpu on the CPU's clock, got {text!r}."
        )
    return TimeBudget(parse_duration(duration), bool(at))


@dataclass(frozen=True)
class TrainingSettings:
    """How long, how fast, and how carefully to train (Sec. 5.9).

    Args:
        steps: optimizer steps; ignored when `time_budget` is given.
        batch: samples of one forward pass (over all processes together).
        accumulate: forward passes whose gradients are averaged into one step.
        learning_rate: of Adam, above 0.
        betas: Adam's two decay rates, each in [0, 1).
        weight_decay: decoupled weight decay, at least 0.
        schedule: how the learning rate goes: `constant`, or `cosine` to 0 at the end.
        warm_up: share of the training in [0, 1) over which the learning rate rises linearly from 0.
        gradient_clamp: recurrent parameters' gradients are clamped element by element to this size just before the
            step; None leaves them alone.
        weight_average: decay in (0, 1) of a running average of all weights, which is then what is validated and
            kept; None for no average.
        precision: `float32`, `bf16` (mixed: weights and losses stay float32), or `auto`: bf16 where the device has
            instructions for it, else float32. A training that is taken up on another machine goes on as it began.
        time_budget: train for this long (`10m`, `1h30m`) instead of `steps`; schedules then follow the clock, so such
            a run cannot be repeated bit for bit. Validation counts; the last one, after the end, comes on top.
            `10m@cpu` counts the seconds on CPUs, all threads of the process added up, where others share the machine.
        validate_every: steps between validations; None validates at the end alone.
        checkpoint_every: steps between checkpoints.
        log_every: steps between log entries; an entry holds means over the steps since the one before.
        keep: which weights become the result: the `best` in validation score, or the `last`.
        tensorboard: write event files for TensorBoard beside ``log.jsonl``.
    """

    steps: int = 1000
    batch: int = 16
    accumulate: int = 1
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    schedule: LearningRateSchedule = "constant"
    warm_up: float = 0.0
    gradient_clamp: float | None = 5.0
    weight_average: float | None = None
    precision: Precision = "float32"
    time_budget: str | None = None
    validate_every: int | None = None
    checkpoint_every: int = 200
    log_every: int = 10
    keep: Literal["best", "last"] = "best"
    tensorboard: bool = True

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("steps", "batch", "accumulate", "checkpoint_every", "log_every"):
            at_least(f"training.{name}", getattr(self, name), 1)
        if self.validate_every is not None:
            at_least("training.validate_every", self.validate_every, 1)
        above("training.learning_rate", self.learning_rate, 0.0)
        for name, beta in zip(("betas[0]", "betas[1]"), self.betas, strict=True):
            within(f"training.{name}", beta, 0.0, 1.0, high_open=True)
        at_least("training.weight_decay", self.weight_decay, 0)
        one_of("training.schedule", self.schedule, ("constant", "cosine"))
        within("training.warm_up", self.warm_up, 0.0, 1.0, high_open=True)
        if self.gradient_clamp is not None:
            above("training.gradient_clamp", self.gradient_clamp, 0.0)
        if self.weight_average is not None:
            within("training.weight_average", self.weight_average, 0.0, 1.0, low_open=True, high_open=True)
        one_of("training.precision", self.precision, ("auto", "float32", "bf16"))
        one_of("training.keep", self.keep, ("best", "last"))
        _ = self.budget

    @property
    def budget(self) -> TimeBudget | None:
        """The time budget, or None."""
        return None if self.time_budget is None else parse_time_budget(self.time_budget)


@dataclass(frozen=True)
class SwitchSettings:
    """Which gradients are stopped, and how often (Sec. 5.2, Eq. 17-20).

    Args:
        method: `none`, `stsgd` (p falls from `start` to `end`), or `astsgd` (q follows the losses).
        start: STSGD's stop probability p at the beginning, in [0, 1].
        end: p at the end, in [0, 1].
        schedule: how p goes from one to the other; `constant` stays at `start`.
        scope: one draw a frame for the whole `batch`, or one for every `sample`.
        unbiased: divide passing gradients by the probability of passing.
        restore_one: ASTSGD never stops both branches of a frame at once, as in the released code.
        focus_floor: q_0, the least q, in [0, 1).
        spatial_loss_floor: thresh of Eq. 20: q is at its least once L_s is at or below this.
        balance: alpha of Eq. 20, in [0, 1]: how much L_g / L_s counts.
        momentum: of the running means of the losses, in [0, 1).
        classes: number of classes n; the initial main loss is then ln(n).
        initial_main_loss: InitL_g of Eq. 20 where it is known; without it and `classes`, the first measured loss.
        controller: q by the `formula` (Eq. 20) or `learned` by a network of three layers.
        controller_learning_rate: Adam's, for the learned controller.
    """

    method: SwitchMethod = "none"
    start: float = 0.5
    end: float = 0.0
    schedule: StopSchedule = "linear"
    scope: Scope = "batch"
    unbiased: bool = False
    restore_one: bool = False
    focus_floor: float = 0.5
    spatial_loss_floor: float = 0.5
    balance: float = 0.5
    momentum: float = 0.9
    classes: int | None = None
    initial_main_loss: float | None = None
    controller: Controller = "formula"
    controller_learning_rate: float = 0.01

    def __post_init__(self) -> None:
        """Check the ranges."""
        one_of("switches.method", self.method, ("none", "stsgd", "astsgd"))
        one_of("switches.schedule", self.schedule, ("linear", "cosine", "constant"))
        one_of("switches.scope", self.scope, ("batch", "sample"))
        one_of("switches.controller", self.controller, ("formula", "learned"))
        within("switches.start", self.start, 0.0, 1.0)
        within("switches.end", self.end, 0.0, 1.0)
        within("switches.focus_floor", self.focus_floor, 0.0, 1.0, high_open=True)
        at_least("switches.spatial_loss_floor", self.spatial_loss_floor, 0)
        within("switches.balance", self.balance, 0.0, 1.0)
        within("switches.momentum", self.momentum, 0.0, 1.0, high_open=True)
        above("switches.controller_learning_rate", self.controller_learning_rate, 0.0)
        if self.classes is not None:
            at_least("switches.classes", self.classes, 2)
        if self.classes is not None and self.initial_main_loss is not None:
            raise SettingsError(
                f"switches.classes ({self.classes}) and switches.initial_main_loss ({self.initial_main_loss}) both "
                "say what the initial main loss is. Give one of them."
            )
        initial = math.log(self.classes) if self.classes is not None else self.initial_main_loss
        formula = self.method == "astsgd" and self.controller == "formula"
        if formula and initial is not None and initial <= self.spatial_loss_floor:
            raise SettingsError(
                f"switches: the initial main loss ({initial:g}) must be above spatial_loss_floor "
                f"({self.spatial_loss_floor:g}), or Eq. 20 divides by nothing. Lower spatial_loss_floor."
            )
        if self.unbiased and self.method == "stsgd" and max(self.start, self.end) >= 1.0:
            raise SettingsError(
                "switches.unbiased divides by the probability of passing, which is 0 at a stop probability of 1. "
                "Lower switches.start and switches.end below 1, or set unbiased to false."
            )


@dataclass(frozen=True)
class SegmentSettings:
    """How a long sequence is cut (LTSC, Sec. 5.3).

    Args:
        length: frames of a segment; None trains on whole sequences.
        method: `ltsc`, or a baseline of Sec. 5.3: `truncated_bptt` (no overlap, carried state) or `strided` (every
            k-th frame, so that `length` frames span the sequence).
        overlap: eta, share of a segment that overlaps the next one, in (0, 1); rounded up to whole frames.
        carry: the state a segment starts from: `none` (zero), `end` (after the previous segment's last frame, as the
            released code does) or `start` (just before its own first frame: the forward pass of the whole sequence).
        overlap_detach: the overlap loss moves the later segment alone; false moves both.
    """

    length: int | None = None
    method: SegmentMethod = "ltsc"
    overlap: float = 0.25
    carry: Carry = "start"
    overlap_detach: bool = True

    def __post_init__(self) -> None:
        """Check the ranges."""
        one_of("segments.method", self.method, ("ltsc", "truncated_bptt", "strided"))
        one_of("segments.carry", self.carry, ("none", "end", "start"))
        if self.length is not None:
            at_least("segments.length", self.length, 1)
        if self.method == "ltsc":
            if self.overlap == 0:
                raise SettingsError(
                    "segments.overlap: LTSC needs neighbours that share a frame, got 0. Set segments.method to "
                    "truncated_bptt for segments without overlap."
                )
            within("segments.overlap", self.overlap, 0.0, 1.0, low_open=True, high_open=True)
            if self.length is not None and overlap_frames(self.length, self.overlap) >= self.length:
                raise SettingsError(
                    f"segments.overlap: {self.overlap:g} of {self.length} frames, rounded up, is the whole segment. "
                    "Lower segments.overlap or raise segments.length."
                )
        if self.method == "truncated_bptt" and self.carry == "none":
            raise SettingsError(
                "segments.carry: truncated_bptt carries the state by its definition, got none. Set it to start or end "
                "(the same here)."
            )


@dataclass(frozen=True)
class GoalWeights:
    """Weights of the losses: main + w_s * spatial + w_t * temporal + w_o * overlap.

    Args:
        main: of the main goal g, at least 0.
        spatial: of the spatial goal r_s; at 0 the spatial stream is not computed.
        temporal: of the temporal goal r_t; at 0 the temporal stream is not computed.
        overlap: of the overlap loss (Eq. 23).
    """

    main: float = 1.0
    spatial: float = 1.0
    temporal: float = 1.0
    overlap: float = 1.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("main", "spatial", "temporal", "overlap"):
            at_least(f"goals.{name}", getattr(self, name), 0)
        if self.main == self.spatial == self.temporal == 0:
            raise SettingsError("goals: main, spatial and temporal are all 0: nothing is learned. Raise one of them.")


def overlap_frames(length: int, overlap: float) -> int:
    """Give the number of frames that neighbouring segments share: the share of a segment, rounded up.

    Args:
        length: frames of a segment.
        overlap: eta, the share.
    """
    return math.ceil(length * overlap - 1e-9)  # 0.1 * 30 is a little above 3 in floating point


def check_together(switches: SwitchSettings, goals: GoalWeights) -> None:
    """Refuse settings that are fine alone but not together.

    Raises:
        SettingsError: ASTSGD without a spatial loss to watch.
    """
    if switches.method == "astsgd" and goals.spatial == 0:
        raise SettingsError(
            "switches.method astsgd follows the spatial loss (Eq. 20), but goals.spatial is 0. Raise goals.spatial, or "
            "set switches.method to stsgd."
        )


def check_kind(kind: str, switches: SwitchSettings, goals: GoalWeights, branched: Collection[str]) -> None:
    """Refuse switches for a network without branches, and sub-goals for one without side streams.

    Args:
        kind: ``model.kind``; side streams are those of ``semicoupled`` alone.
        switches: which gradients are stopped.
        goals: weights of the losses.
        branched: the kinds that have two branches.

    Raises:
        SettingsError: ASTSGD without a spatial loss, switches without branches, or a sub-goal without its stream.
    """
    check_together(switches, goals)
    if switches.method != "none" and kind not in branched:
        raise SettingsError(
            f"switches.method {switches.method}: model.kind {kind} has no branches to decouple. Set switches.method "
            "to none."
        )
    if (goals.spatial or goals.temporal) and kind != "semicoupled":
        raise SettingsError(
            f"goals: model.kind {kind} has the main stream alone. Set goals.spatial and goals.temporal to 0."
        )
