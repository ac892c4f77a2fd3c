"""Settings of nowcasting. Imports no torch, so that help is quick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar, Literal

from semicoupled.errors import SettingsError
from semicoupled.ranges import at_least, share
from semicoupled.tasks.nowcasting.data_settings import DataSettings
from semicoupled.training.settings import (
    GoalWeights,
    SegmentSettings,
    SwitchSettings,
    TrainingSettings,
    check_kind,
)

Kind = Literal["semicoupled", "convlstm", "convgru", "predrnn"]
Form = Literal["plain", "residual", "advection"]
Sprog = Literal["auto", "on", "off"]
SprogMotion = Literal["ours", "lucaskanade"]


@dataclass(frozen=True)
class ModelSettings:
    """The encoder and the decoder, which have the same structure.

    Args:
        kind: ``semicoupled``, or a rival: ``convlstm``, ``convgru``, ``predrnn``.
        form: what the network gives: ``plain`` (the image itself, as in the paper), ``residual`` (the change since the
            last image), ``advection`` (what advection misses, seen from a frame of reference that moves with the rain).
        scales: form ``advection``: bands of scales, from one pixel to ever coarser, that go on by themselves as a first
            guess which the network corrects; 0 leaves the image whole.
        patch: pixels on a side that become one cell of the network.
        layers: depth of the encoder, and of the decoder.
        width: channels of every layer.
        kernel: of all convolutions, odd.
        norm: ``batch``, ``joint``, ``group`` or ``none``; ``predrnn`` has the last two alone.
        cell: the temporal branch: ``rnn`` (Eq. 5), ``lstm``, ``gru`` or ``linear``.
        initial_gate: sigma(c_0): 0.5 (paper) or 0.
        shortcut_every: layers that a shortcut spans; None for no shortcuts.
        checkpointing: compute each layer again in the backward pass instead of keeping its maps.
    """

    kind: Kind = "semicoupled"
    form: Form = "advection"
    scales: int = 4
    patch: int = 8
    layers: int = 4
    width: int = 32
    kernel: int = 3
    norm: Literal["batch", "joint", "group", "none"] = "none"
    cell: Literal["rnn", "lstm", "gru", "linear"] = "rnn"
    initial_gate: float = 0.5
    shortcut_every: int | None = 2
    checkpointing: bool = False

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("patch", "layers", "width"):
            at_least(f"model.{name}", getattr(self, name), 1)
        at_least("model.scales", self.scales, 0)
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise SettingsError(f"model.kernel: expected an odd number from 1, got {self.kernel!r}.")
        if self.kind == "predrnn" and self.norm in ("batch", "joint"):
            raise SettingsError(
                f"model.norm: expected 'group' or 'none' with model.kind predrnn, got {self.norm!r}, whose statistics "
                "are of all frames of a layer. In PredRNN a layer's second frame waits for the top layer's first."
            )


@dataclass(frozen=True)
class LossSettings:
    """What counts as a good forecast in training.

    Args:
        relative: divide each sample's squared error by how much its images change (their squared difference from the
            last one seen, plus `floor`), so that a sparse evening counts as much as a wet one. False is the paper's
            form.
        floor: dBZ; its square is what a sample's change is taken to be at least.
        heavy: squared errors count (1 + heavy * observed / 60 dBZ) times: more for heavy rain. 0 is the paper's form.
        overlap_weight: of 1 - CSI (Eq. 25, made soft) beside the squared error; 0 is the paper's form. Squared error
            alone fades showers out: they are seldom where they were expected.
        thresholds: dBZ, of the overlap.
        softness: dBZ over which a forecast goes from "no rain" to "rain".
    """

    relative: bool = True
    floor: float = 1.0
    heavy: float = 0.0
    overlap_weight: float = 0.5
    thresholds: tuple[float, ...] = (15.0, 20.0)
    softness: float = 2.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("heavy", "overlap_weight"):
            at_least(f"loss.{name}", getattr(self, name), 0)
        for name in ("floor", "softness"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"loss.{name}: expected more than 0 dBZ, got {getattr(self, name)!r}.")
        if self.overlap_weight and not self.thresholds:
            raise SettingsError(
                "loss.thresholds: expected at least one in dBZ, got none. Or set loss.overlap_weight to 0."
            )


@dataclass(frozen=True)
class EvaluationSettings:
    """What is scored.

    Args:
        leads: time steps ahead; the decoder runs on beyond those it was trained on.
        thresholds: dBZ, of the categorical scores and of the probabilities; 30 is the paper's .5.
        windows_km: sides of the windows of the fractions skill score, km; none for no such score.
        bands_km: edges of the bands of wavelength whose power is compared, km; none for no such score.
        probabilities: whether exceedance probabilities are made and scored.
        sprog: S-PROG of pysteps among the baselines: ``on``, ``off``, or ``auto`` (if pysteps is installed).
        sprog_motion: the motion that S-PROG gets: ``ours``, as the other baselines, or ``lucaskanade`` of pysteps.
    """

    leads: int = 6
    thresholds: tuple[float, ...] = (15.0, 20.0, 30.0, 40.0)
    windows_km: tuple[float, ...] = (10.0, 20.0, 40.0)
    bands_km: tuple[float, ...] = (4.0, 8.0, 16.0, 32.0, 64.0)
    probabilities: bool = True
    sprog: Sprog = "auto"
    sprog_motion: SprogMotion = "ours"

    def __post_init__(self) -> None:
        """Check the ranges."""
        at_least("evaluation.leads", self.leads, 1)
        if not self.thresholds:
            raise SettingsError("evaluation.thresholds: expected at least one in dBZ, got none.")
        if any(not window > 0 for window in self.windows_km):
            raise SettingsError(f"evaluation.windows_km: expected kilometers above 0, got {self.windows_km!r}.")
        for name, least in (("thresholds", None), ("bands_km", 0.0)):
            values = getattr(self, name)
            rising = all(low < high for low, high in pairwise(values))
            if not rising or (least is not None and any(not value > least for value in values)):
                above = "" if least is None else f" above {least:g}"
                raise SettingsError(f"evaluation.{name}: expected rising numbers{above}, got {values!r}.")
        if len(self.bands_km) == 1:
            raise SettingsError(f"evaluation.bands_km: expected two edges or more, or none, got {self.bands_km!r}.")


@dataclass(frozen=True)
class PredictSettings:
    """What is forecast.

    Args:
        minutes: how far ahead, a multiple of the files' time step (rounded up).
        gif: write an animation beside the NetCDF file.
        trust: how far to go from advection to what the network gives, from 0 to 1. A network that knows one event
            trusts itself too much in others (docs/log.md).
        match: how far forecasts are brought back to the distribution of values that the rain has now, from 0 (what the
            network gives: lowest squared error, showers fade) to 1 (as much rain above every threshold as there is
            now). Scores are of what is forecast.
        tile: pixels of a tile's side: larger fields are forecast in tiles that overlap, so that memory is bounded. The
            motion and the distribution of values are those of the whole field.
        temporal_share: whether the file says how much of the answer came from time, if the streams were trained.
    """

    minutes: float = 60.0
    gif: bool = True
    trust: float = 0.5
    match: float = 1.0
    tile: int = 1024
    temporal_share: bool = True

    def __post_init__(self) -> None:
        """Check the ranges."""
        at_least("predict.tile", self.tile, 32)
        if not self.minutes > 0:
            raise SettingsError(f"predict.minutes: expected more than 0, got {self.minutes!r}.")
        for name in ("trust", "match"):
            share(f"predict.{name}", getattr(self, name))


@dataclass(frozen=True)
class NowcastingSettings:
    """All settings of a nowcasting run.

    Args:
        seed: everything random follows from it.
        data: where the radar files are and how they become samples.
        model: the network.
        loss: what counts as a good forecast.
        training: how long and how fast to train.
        switches: which gradients are stopped.
        segments: how long sequences are cut; windows are short, so they are not.
        goals: weights of the three losses.
        evaluation: what is scored.
        predict: what is forecast.
    """

    retired: ClassVar[Mapping[str, str]] = {
        "data.coarsen": "It is data.kilometers now, the size of the network's pixels: coarsen 2 of 1-km files is "
        "data.kilometers 2, coarsen 1 is data.kilometers null (as the files are)"
    }

    seed: int = 0
    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    training: TrainingSettings = field(
        default_factory=lambda: TrainingSettings(
            steps=4000,
            batch=8,
            learning_rate=2e-3,
            weight_decay=0.01,
            schedule="cosine",
            warm_up=0.05,
            precision="auto",
        )
    )
    switches: SwitchSettings = field(default_factory=SwitchSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    goals: GoalWeights = field(default_factory=lambda: GoalWeights(spatial=0.0, temporal=0.0))
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    predict: PredictSettings = field(default_factory=PredictSettings)

    def __post_init__(self) -> None:
        """Check what is fine alone but not together."""
        check_kind(self.model.kind, self.switches, self.goals, branched=("semicoupled",))
        if self.segments.length is not None:
            raise SettingsError(
                f"segments.length: got {self.segments.length}, but windows of {self.data.input_frames} + "
                f"{self.data.output_frames} frames are trained whole. Leave it out."
            )


@dataclass(frozen=True)
class PredictOptions:
    """What can be chosen for each forecast.

    Args:
        lead: minutes ahead, rounded up to whole time steps; as the run's settings say (predict.minutes) if None.
        allow_missing: frames among those that go in, but not the newest, that may be missing. They go in as missing
            pixels, and the file says so.
        each_time: a forecast from every time whose frames are all there, not from the newest alone; ``{time}`` must
            stand in the names of the outputs, or a folder be given. What was stopped is gone on with by the next call.
        devices: with `each_time`, processes that share the times: each on a GPU of its own where there are several,
            else on the CPU's cores. On several machines start them with torchrun, and leave this out.
        max_age: minutes that the newest frame may be old; beyond them the exit code is 6.
        watch: folder to watch: a forecast is made whenever a new file comes. No inputs are given then.
        once: look into the watched folder once, and end; for cron.
        state: file that keeps what the watch must know after a restart; by default .nowcast_state.safetensors beside
            the first output.
        status: JSON file that says how the watch is doing; by default nowcast_status.json beside the first output.
        poll: seconds from one look into the watched folder to the next.
        patience: minutes for which a file that cannot be read is taken for one that is still being written.
    """

    lead: float | None = None
    allow_missing: int = 0
    each_time: bool = False
    devices: int = 1
    max_age: float | None = None
    watch: str | None = None
    once: bool = False
    state: str | None = None
    status: str | None = None
    poll: float = 5.0
    patience: float = 2.0

    def __post_init__(self) -> None:
        """Check the ranges, and what goes together."""
        for name in ("lead", "max_age"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise SettingsError(f"--{name.replace('_', '-')}: expected minutes above 0, got {value!r}.")
        if self.allow_missing < 0:
            raise SettingsError(f"--allow-missing: expected a number of frames from 0, got {self.allow_missing!r}.")
        if self.devices < 1 or (self.devices > 1 and not self.each_time):
            raise SettingsError(f"--devices: expected 1, or more with --each-time, got {self.devices!r}.")
        for name, usual in (("watch", None), ("max_age", None), ("allow_missing", 0)):
            if self.each_time and getattr(self, name) != usual:
                raise SettingsError(f"--each-time: goes without --{name.replace('_', '-')}. Leave one of them out.")
        if not self.poll > 0 or not self.patience >= 0:
            raise SettingsError(
                f"--poll and --patience: expected seconds above 0 and minutes from 0, got {self.poll!r} and "
                f"{self.patience!r}."
            )
        if self.watch is None:
            given = [name for name in ("once", "state", "status") if getattr(self, name)]
            if given:
                raise SettingsError(f"--{given[0]}: is of use with --watch DIR alone. Give the folder to watch.")

    @property
    def without_inputs(self) -> bool:
        """Whether no inputs need to be given."""
        return self.watch is not None


SETTINGS = NowcastingSettings
PREDICT_OPTIONS = PredictOptions
LESS_MEMORY = {
    "evaluate": "--evaluation.leads, --predict.tile, or the files of --data.root",
    "predict": "--lead, or the size of the field",
}
"""What to lower where memory runs short, by command."""
