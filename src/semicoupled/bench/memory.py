"""Peak memory: a training step against length, layers and size; LTSC against length; streaming over 10 000 frames.

Each figure comes from a process of its own, which notes how much it holds before the run and at most during it.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from semicoupled.bench.candidates import Precision, autocast
from semicoupled.bench.parts import Part
from semicoupled.devices import return_freed_memory
from semicoupled.errors import SemicoupledError
from semicoupled.networks.streaming import xs
from semicoupled.nn import Outputs, SemiCoupledStack, StackState
from semicoupled.rows import Condition, Row
from semicoupled.training.ltsc import Segment, plan, walk

WIDTH, DEPTH, SIZE, FRAMES, SEGMENT = 64, 15, 28, 10, 10
LTSC_LENGTHS = (40, 400)
STREAM_LENGTHS = (100, 10_000)
Way = Literal["whole", "checkpointing", "ltsc", "streaming"]


@dataclass(frozen=True)
class Case:
    """What is run.

    Attributes:
        way: ``whole`` trains on the whole clip, ``checkpointing`` too, ``ltsc`` segment by segment, ``streaming``
            predicts frame by frame.
        frames: length of the clip.
        layers: depth of the network (training).
        size: of the frames in px (training).
        batch: number of clips.
        dtype: of the convolutions.
    """

    way: Way
    frames: int = FRAMES
    layers: int = DEPTH
    size: int = SIZE
    batch: int = 2
    dtype: Precision = "float32"


def default_cases() -> list[Case]:
    """The cases of the promises: LTSC does not grow with the length, streaming with nothing."""
    return [
        Case("whole"),
        Case("checkpointing"),
        *(Case("ltsc", frames=length) for length in LTSC_LENGTHS),
        *(Case("streaming", frames=length, batch=1) for length in STREAM_LENGTHS),
    ]


def growth_cases() -> list[Case]:
    """More lengths, depths and sizes."""
    return [
        *(Case("whole", frames=length) for length in (5, 20, 40)),
        *(Case("whole", layers=layers) for layers in (5, 10, 20)),
        *(Case("whole", size=size) for size in (14, 56)),
        *(Case("ltsc", frames=length) for length in (20, 80, 160)),
        Case("whole", dtype="bf16"),
    ]


def quick_cases() -> list[Case]:
    """One small case."""
    return [Case("whole", frames=2, layers=2, batch=1), Case("streaming", frames=3, batch=1)]


def parts(cases: Sequence[Case]) -> list[Part]:
    """Give what is measured, one function a case; nothing is measured before it is called."""
    return [partial(measure, case) for case in cases]


def measure(case: Case) -> list[Row]:
    """Measure one case in a fresh process.

    Raises:
        SemicoupledError: the process ended without an answer, most likely for lack of memory.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(case, sender))
    process.start()
    sender.close()
    try:
        peak: int = receiver.recv()
    except EOFError:
        process.join()
        raise SemicoupledError(
            f"bench memory: the process of {case} ended with code {process.exitcode} and no answer. It may have "
            "been killed for lack of memory: try without --full, or on a larger machine."
        ) from None
    process.join()
    where: dict[str, Condition] = asdict(case)
    if case.way == "streaming":  # another network, whose depth and size its name says
        del where["layers"], where["size"]
    where["mode"] = "inference" if case.way == "streaming" else "training"
    where["preset"] = "xs" if case.way == "streaming" else "paper15x64"
    where["streams"] = "main"
    return [Row("semicoupled", "peak_bytes", where, float(peak), 1, "B")]


def ratios(rows: Sequence[Row]) -> list[Row]:
    """Give how much the longest sequence takes against the shortest, where length should not matter."""
    found: list[Row] = []
    for way, (short, long) in (("ltsc", LTSC_LENGTHS), ("streaming", STREAM_LENGTHS)):
        measured = {row.condition["frames"]: row for row in rows if row.condition["way"] == way}
        if {short, long} <= set(measured):
            where = dict(measured[long].condition) | {"against_frames": short}
            found.append(Row("semicoupled", "peak_ratio", where, measured[long].value / measured[short].value, 1))
    return found


def _child(case: Case, sender: Connection) -> None:
    """Measure one case; runs in a process of its own."""
    _ = return_freed_memory()  # else the luck of the allocator is measured, too
    torch.manual_seed(0)
    if case.way != "streaming":
        # what torch loads when it is first asked for something (90 MB of modules for checkpointing) is no network's
        for _ in _train(replace(case, frames=1, layers=1, size=4, batch=1)):
            pass
    run = _stream(case) if case.way == "streaming" else _train(case)
    before = _held()
    for _ in run:
        pass
    sender.send(max(_peak() - before, 0))


def _train(case: Case) -> Iterator[None]:
    """Make a network and a clip; then, when asked on, run one training step."""
    net = SemiCoupledStack(1, [WIDTH] * case.layers, checkpointing=case.way == "checkpointing").train()
    clip = torch.randn(case.batch, case.frames, 1, case.size, case.size)

    def steps() -> Iterator[None]:
        if case.way == "ltsc":

            def run(segment: Segment, state: StackState | None, state_at: int | None) -> Outputs:
                with autocast(clip.device, case.dtype):
                    return net(clip[:, segment.slice], state, state_at=state_at)

            for _, out in walk(plan(case.frames, SEGMENT), "start", run):
                _backward(out.main)
                del out
                yield
        else:
            with autocast(clip.device, case.dtype):
                out = net(clip)
            _backward(out.main)
            yield

    return steps()


def _backward(features: Tensor | None) -> None:
    assert features is not None
    features.float().mean().backward()  # pyright: ignore[reportUnknownMemberType]


def _stream(case: Case) -> Iterator[None]:
    """Make the smallest streaming network; then predict frame by frame."""
    packed = xs(20).eval().packed((112, 112))
    frame = torch.randn(case.batch, 3, 112, 112)

    def steps() -> Iterator[None]:
        state: StackState | None = None
        for _ in range(case.frames):
            _, state = packed.step(frame, state)
            yield

    return steps()


def _held() -> int:
    """Bytes that this process holds now; its peak so far where the system doesn't tell."""
    return _status("VmRSS") or _most()


def _peak() -> int:
    """Bytes that this process has held at most."""
    return _status("VmHWM") or _most()


def _status(name: str) -> int:
    """A line of what Linux tells of this process, in bytes; 0 elsewhere."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def _most() -> int:
    """The same from getrusage, which on Linux would tell the parent's peak if that was higher."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
