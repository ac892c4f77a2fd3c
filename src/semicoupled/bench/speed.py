"""How fast the structure is: beside the convolution peak, the reference loop, ConvLSTM, ConvGRU and R(2+1)D.

Each function measures one part and gives its rows. Whatever is compared is timed in turn within one repeat, and nothing
is timed before its outputs and gradients have been compared with the reference.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from semicoupled.bench.arithmetic import convolution_peak, flops
from semicoupled.bench.candidates import (
    DTYPES,
    MODES,
    PRECISIONS,
    Mode,
    Precision,
    candidate,
    training_forward,
)
from semicoupled.bench.equality import check_loop, check_rival, check_stack, perturb_statistics
from semicoupled.bench.loops import UsualRecurrent, reference_loop
from semicoupled.bench.parts import Part
from semicoupled.bench.presets import PAPER_DEPTH, PAPER_SIZE, PAPER_WIDTH, Preset, find_preset
from semicoupled.bench.rounding import check_precisions
from semicoupled.bench.timing import Run, Spread, paired, ratio, spread
from semicoupled.networks.video3d import R2Plus1D
from semicoupled.nn import SemiCoupledStack, convgru, convlstm
from semicoupled.nn.streams import STREAMS, Stream
from semicoupled.rows import Condition, Row
from semicoupled.training.stsgd import STSGD

OURS = "semicoupled"
STOP = 0.5
LENGTHS, LAYERS, SIZES = (5, 20, 40, 80), (5, 10, 30), (14, 56)
"""Of growth: frames of a clip, layers, px."""
SMALL, LARGE = 2, 8
"""Batches."""
REPEATS = {"training": 3, "inference": 5}
MAIN: tuple[Stream, ...] = ("main",)
CLIP_FRAMES, CLIP_SIZE = 16, 112
"""The clip of R(2+1)D."""

PUBLISHED = {
    ("training", "float32"): 2.7,
    ("training", "bf16"): 1.8,
    ("inference", "float32"): 0.88,
    ("inference", "bf16"): 0.56,
}
"""Seconds that the authors' published code needs for the `table1` clip with three streams, on two cores with AMX."""


@dataclass(frozen=True)
class Machine:
    """Where it is measured.

    Attributes:
        device: CPU or GPU.
        peaks: floating-point operations per second of a plain convolution, by precision.
    """

    device: torch.device
    peaks: Mapping[Precision, float]


def measure_peak(device: torch.device) -> tuple[Machine, list[Row]]:
    """Measure the physical limit that all shares are given against."""
    peaks: dict[Precision, float] = {name: convolution_peak(DTYPES[name], device) for name in PRECISIONS}
    rows = [Row("convolution", "flops_per_second", {"dtype": name}, peak, 1, "FLOP/s") for name, peak in peaks.items()]
    return Machine(device, peaks), rows


def check(preset: Preset, device: torch.device) -> None:
    """Refuse to go on unless the fast path equals the slow one on this configuration, in every precision.

    In float64 outputs, states and gradients must agree to the last digits; in the precisions that are timed up to
    rounding (see `rounding`): all streams with STSGD and without norm, the main stream alone with batch norm.

    Raises:
        EqualityError: it does not.
    """

    def frames(batch: int) -> Tensor:
        return torch.randn(batch, 2, preset.in_channels, preset.size, preset.size, device=device)

    for norm in ("none", "batch"):
        stack = preset.build(norm).to(device)
        perturb_statistics(stack)
        exact = copy.deepcopy(stack).double()
        _ = check_stack(exact, frames(1).double())
        _ = check_loop(exact.eval(), reference_loop(exact), frames(1).double())
        if norm == "none":
            switch = STSGD(stack, start=STOP, schedule="constant").draw(0)
            _ = check_precisions(stack, lambda: frames(2), streams=STREAMS, switch=switch)
        else:  # compared in eval mode, where switches are inert
            _ = check_precisions(stack, lambda: frames(1), streams=MAIN)


def compare(
    machine: Machine,
    batch: int,
    mode: Mode,
    precision: Precision,
    *,
    rivals: Sequence[str] = ("convlstm", "convgru"),
    frames: int | None = None,
) -> list[Row]:
    """Time the paper's 15 layers of 64 channels beside the reference loop and the rivals, all in the same precision.

    Shares of the peak are with batch norm, as it is trained; ratios are without norms on both sides, so that the loop,
    which would have to normalize frame by frame, has no more to do than we.

    Args:
        machine: where, and its peak.
        batch: number of clips.
        mode: training step or inference.
        precision: of both sides.
        rivals: ``convlstm``, ``convgru``.
        frames: length of the clip; None for the preset's.
    """
    preset = find_preset("paper15x64")
    device = machine.device
    length = frames or preset.frames
    clip = torch.randn(batch, length, preset.in_channels, preset.size, preset.size, device=device)
    normed, plain = preset.build("batch").to(device), preset.build("none").to(device)
    loop = reference_loop(plain)
    runs: dict[str, Run] = {
        "batch": candidate(normed, lambda: _main(normed, clip), mode, precision, device),
        "none": candidate(plain, lambda: _main(plain, clip), mode, precision, device),
        "reference": candidate(plain, lambda: loop(clip), mode, precision, device),
    }
    for name in rivals:
        rival = _rival(name).to(device)
        runs[name] = candidate(rival, lambda rival=rival: rival(clip), mode, precision, device)
    seconds = paired(runs, REPEATS[mode], device)

    where: dict[str, Condition] = {
        "preset": preset.name,
        "mode": mode,
        "dtype": precision,
        "batch": batch,
        "frames": length,
        "streams": "main",
    }
    operations = batch * flops(candidate(plain, lambda: _main(plain, clip[:1]), mode, precision, device))
    rows: list[Row] = []
    for name, model in (("batch", OURS), ("reference", "reference")):
        speed = operations / spread(seconds[name]).median
        condition = where | {"norm": "batch" if model == OURS else "none"}
        share = [operations / second / machine.peaks[precision] for second in seconds[name]]
        rows += [
            Row(model, "flops_per_second", condition, speed, len(share), "FLOP/s"),
            _row(model, "share_of_peak", condition, spread(share)),
        ]
    rows.append(_row(OURS, "seconds", where | {"norm": "batch"}, spread(seconds["batch"]), "s"))
    for name in ("reference", *rivals):
        rows.append(_row(name, "seconds", where | {"norm": "none"}, spread(seconds[name]), "s"))
        faster = ratio(seconds[name], seconds["none"])
        rows.append(_row(OURS, "speedup", where | {"against": name, "norm": "none"}, faster))
    return rows


def compare_streams(machine: Machine, batch: int, precision: Precision) -> list[Row]:
    """Time a training step with all three streams beside the main stream alone."""
    device = machine.device
    net, clip = _paper(batch, device)
    runs = {
        "main": candidate(net, lambda: _main(net, clip), "training", precision, device),
        "all": candidate(net, lambda: _all(net, clip), "training", precision, device),
    }
    seconds = paired(runs, REPEATS["training"], device)
    where = _training(precision, batch) | {"streams": "all"}
    return [_row(OURS, "step_ratio", where, ratio(seconds["all"], seconds["main"]))]


def compare_switches(machine: Machine, batch: int, precision: Precision) -> list[Row]:
    """Time a training step with STSGD beside one without; the whole step, and the backward pass alone."""
    device = machine.device
    net, clip = _paper(batch, device)
    switches = STSGD(net, start=STOP, schedule="constant")
    drawn = iter(range(1_000_000))

    def stopped() -> Tensor:
        features = net(clip, switch=switches.draw(next(drawn))).main
        assert features is not None
        return features

    runs = {
        "open": candidate(net, lambda: _main(net, clip), "training", precision, device),
        "stopped": candidate(net, stopped, "training", precision, device),
        "forward": training_forward(net, lambda: _main(net, clip), precision, device),
    }
    seconds = paired(runs, REPEATS["inference"], device)
    where = _training(precision, batch) | {"streams": "main", "stop": STOP}
    backward = ratio(_minus(seconds["stopped"], seconds["forward"]), _minus(seconds["open"], seconds["forward"]))
    return [
        _row(OURS, "step_ratio", where, ratio(seconds["stopped"], seconds["open"])),
        _row(OURS, "step_ratio", where | {"part": "backward"}, backward),
    ]


def time_table1(machine: Machine, mode: Mode, precision: Precision, batch: int = 2) -> list[Row]:
    """Time the network of Table 1 with its three streams."""
    preset = find_preset("table1")
    device = machine.device
    clip = torch.randn(batch, preset.frames, preset.in_channels, preset.size, preset.size, device=device)
    net = preset.build("batch").to(device)
    run = candidate(net, lambda: _all(net, clip), mode, precision, device)
    seconds = paired({"all": run}, REPEATS["inference"], device)["all"]
    where: dict[str, Condition] = {
        "preset": preset.name,
        "mode": mode,
        "dtype": precision,
        "batch": batch,
        "frames": preset.frames,
        "streams": "all",
    }
    operations = batch * flops(candidate(net, lambda: _all(net, clip[:1]), mode, precision, device))
    share = [operations / second / machine.peaks[precision] for second in seconds]
    faster = [PUBLISHED[mode, precision] / second for second in seconds]
    return [
        _row(OURS, "seconds", where, spread(seconds), "s"),
        _row(OURS, "share_of_peak", where, spread(share)),
        _row(OURS, "speedup", where | {"against": "published"}, spread(faster)),
    ]


def time_growth(machine: Machine, precision: Precision, layers: int, size: int) -> list[Row]:
    """Time a training step of another depth or at another size of frames, beside the reference loop."""
    device = machine.device
    preset = find_preset("paper15x64")
    clip = torch.randn(SMALL, preset.frames, PAPER_WIDTH, size, size, device=device)
    net = SemiCoupledStack(PAPER_WIDTH, [PAPER_WIDTH] * layers, norm="none").to(device)
    _ = check_precisions(
        net,
        lambda: torch.randn(1, 2, PAPER_WIDTH, size, size, device=device),
        streams=MAIN,
        precisions=(precision,),
        modes=("training",),
    )
    loop = reference_loop(net)
    runs = {
        OURS: candidate(net, lambda: _main(net, clip), "training", precision, device),
        "reference": candidate(net, lambda: loop(clip), "training", precision, device),
    }
    seconds = paired(runs, REPEATS["training"], device)
    where = _training(precision, SMALL) | {"preset": f"{layers}x{PAPER_WIDTH}", "layers": layers, "size": size}
    return [_row(name, "seconds", where | {"streams": "main"}, spread(took), "s") for name, took in seconds.items()]


def compare_action(machine: Machine, mode: Mode, precision: Precision) -> list[Row]:
    """Time clips of 16 frames at 112 px: the network of Table 1 beside R(2+1)D-18, main stream."""
    device = machine.device
    clip = torch.randn(1, CLIP_FRAMES, 3, CLIP_SIZE, CLIP_SIZE, device=device)
    net, rival = find_preset("table1").build("batch").to(device), R2Plus1D(400).to(device)
    for parameter in rival.parameters():
        if parameter.dim() == 5:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last_3d)
    runs = {
        OURS: candidate(net, lambda: _main(net, clip), mode, precision, device),
        "r2plus1d_18": candidate(rival, lambda: rival(clip), mode, precision, device),
    }
    seconds = paired(runs, REPEATS["training"], device)
    where: dict[str, Condition] = {
        "preset": "table1",
        "mode": mode,
        "dtype": precision,
        "batch": 1,
        "frames": CLIP_FRAMES,
        "streams": "main",
    }
    faster = ratio(seconds["r2plus1d_18"], seconds[OURS])
    return [
        _row(OURS, "seconds", where, spread(seconds[OURS]), "s"),
        _row("r2plus1d_18", "seconds", where, spread(seconds["r2plus1d_18"]), "s"),
        _row(OURS, "speedup", where | {"against": "r2plus1d_18"}, faster),
    ]


def check_rivals(device: torch.device) -> None:
    """Refuse to go on unless the rivals' usual loops give what our own form of them gives.

    Raises:
        EqualityError: they do not.
    """
    frames = torch.randn(1, 3, PAPER_WIDTH, 9, 7, dtype=torch.float64, device=device)
    for build in (convlstm, convgru):
        stack = build(PAPER_WIDTH, [PAPER_WIDTH] * 2).to(device, torch.float64)
        _ = check_rival(stack, UsualRecurrent(stack), frames)


def parts(machine: Machine) -> list[Part]:
    """Give what is measured by default, one function a part; nothing is measured before it is called."""
    found: list[Part] = []
    for precision in PRECISIONS:
        for mode in MODES:
            found.append(partial(compare, machine, SMALL, mode, precision))
            found.append(partial(compare, machine, LARGE, mode, precision, rivals=("convlstm",)))
            found += [partial(time_table1, machine, mode, precision), partial(compare_action, machine, mode, precision)]
        found += [partial(compare_streams, machine, batch, precision) for batch in (SMALL, LARGE)]
        found.append(partial(compare_switches, machine, LARGE, precision))
    return found


def growth_parts(machine: Machine) -> list[Part]:
    """Give what is measured besides: more lengths of clips, depths, and sizes of frames."""
    found: list[Part] = []
    for precision in PRECISIONS:
        for mode in MODES:
            found += [partial(compare, machine, SMALL, mode, precision, frames=length) for length in LENGTHS]
        found += [partial(time_growth, machine, precision, layers, PAPER_SIZE) for layers in LAYERS]
        found += [partial(time_growth, machine, precision, PAPER_DEPTH, size) for size in SIZES]
    return found


def quick_parts(machine: Machine, *, growth: bool = False) -> list[Part]:
    """Give the shortest part of each kind, those of growth too if asked."""
    found: list[Part] = [
        partial(compare, machine, 2, "inference", "float32", frames=2),
        partial(time_table1, machine, "inference", "float32", 1),
    ]
    if growth:
        found += [
            partial(compare, machine, 1, "training", "bf16", rivals=(), frames=1),
            partial(time_growth, machine, "float32", 2, 7),
        ]
    return found


def _rival(name: str) -> UsualRecurrent:
    build = {"convlstm": convlstm, "convgru": convgru}[name]
    return UsualRecurrent(build(PAPER_WIDTH, [PAPER_WIDTH] * PAPER_DEPTH))


def _paper(batch: int, device: torch.device) -> tuple[SemiCoupledStack, Tensor]:
    """The paper's 15 layers as they are trained, and a clip."""
    preset = find_preset("paper15x64")
    clip = torch.randn(batch, preset.frames, preset.in_channels, preset.size, preset.size, device=device)
    return preset.build("batch").to(device), clip


def _training(precision: Precision, batch: int) -> dict[str, Condition]:
    preset = find_preset("paper15x64")
    return {
        "preset": preset.name,
        "mode": "training",
        "dtype": precision,
        "batch": batch,
        "frames": preset.frames,
    }


def _main(net: SemiCoupledStack, clip: Tensor) -> Tensor:
    features = net(clip).main
    assert features is not None
    return features


def _all(net: SemiCoupledStack, clip: Tensor) -> Tensor:
    out = net(clip, streams=STREAMS)
    return torch.stack([features for features in (out.main, out.spatial, out.temporal) if features is not None])


def _minus(whole: list[float], part: list[float]) -> list[float]:
    return [one - other for one, other in zip(whole, part, strict=True)]


def _row(model: str, metric: str, condition: Mapping[str, Condition], value: Spread, unit: str = "1") -> Row:
    return Row(model, metric, condition, value.median, value.repeats, unit, (value.low, value.high))
