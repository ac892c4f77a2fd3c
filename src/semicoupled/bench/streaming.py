"""Frame by frame on one core: milliseconds a frame, and what the state weighs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from semicoupled.bench.candidates import DTYPES, PRECISIONS, Precision
from semicoupled.bench.equality import perturb_statistics
from semicoupled.bench.parts import Part
from semicoupled.bench.presets import find_preset
from semicoupled.bench.rounding import check_stream
from semicoupled.bench.timing import paired, spread
from semicoupled.networks.streaming import s, xs
from semicoupled.nn import StackState, pack
from semicoupled.rows import Condition, Row

CLASSES = 20
WARM_FRAMES, FRAMES = 10, 60
ACTION_SIZE = 112

Step = Callable[..., tuple[Tensor, StackState]]


class Streamed(NamedTuple):
    """A network to be run frame by frame.

    Attributes:
        name: of the preset.
        network: gives a clip's outputs.
        clip: runs a clip through a network of this kind, B T C H W to B T ...
        packed: gives the step of the packed network in a precision.
        channels: of the frames.
        size: of the frames in px.
    """

    name: str
    network: torch.nn.Module
    clip: Callable[[torch.nn.Module, Tensor], Tensor]
    packed: Callable[[Precision], Step]
    channels: int
    size: int


def streamed_presets() -> Iterator[Streamed]:
    """Give the networks that are streamed, smallest first."""
    for name, build in (("xs", xs), ("s", s)):
        classifier = build(CLASSES).eval()
        perturb_statistics(classifier.stack)
        yield Streamed(
            name,
            classifier,
            lambda net, frames: net(frames).scores,
            lambda precision, net=classifier: net.packed((ACTION_SIZE,) * 2, dtype=DTYPES[precision]).step,
            3,
            ACTION_SIZE,
        )
    for name in ("paper15x64", "table1"):
        preset = find_preset(name)
        stack = preset.build("batch").eval()
        perturb_statistics(stack)
        yield Streamed(
            name,
            stack,
            lambda net, frames: net(frames).main,
            lambda precision, net=stack, size=preset.size: pack(net, (size,) * 2, dtype=DTYPES[precision]).step,
            preset.in_channels,
            preset.size,
        )


def parts() -> list[Part]:
    """Give what is measured, one function a network and precision; nothing is measured before it is called."""
    return [partial(time_streaming, streamed, precision) for streamed in streamed_presets() for precision in PRECISIONS]


def time_streaming(streamed: Streamed, precision: Precision) -> list[Row]:
    """Time single frames on one core, after the packed network has been compared with the clip's outputs.

    Raises:
        EqualityError: they differ by more than rounding.
    """
    with one_thread(), torch.no_grad():
        frames = torch.randn(1, 4, streamed.channels, streamed.size, streamed.size)
        _ = check_stream(streamed.network, streamed.clip, streamed.packed(precision), frames, precision)
        return _time(streamed, precision)


def _time(streamed: Streamed, precision: Precision) -> list[Row]:
    step = streamed.packed(precision)
    frame = torch.randn(1, streamed.channels, streamed.size, streamed.size)
    _, state = step(frame)
    for _ in range(WARM_FRAMES):
        _, state = step(frame, state)

    def run() -> None:
        nonlocal state
        _, state = step(frame, state)

    seconds = paired({"frame": run}, FRAMES, torch.device("cpu"))["frame"]
    took = spread([1000 * second for second in seconds])
    where: dict[str, Condition] = {
        "preset": streamed.name,
        "mode": "inference",
        "dtype": precision,
        "batch": 1,
        "frames": 1,
        "size": streamed.size,
        "threads": 1,
        "streams": "main",
    }
    weight = float(sum(tensor.nbytes for tensor in tensors_of(state)))
    return [
        Row("semicoupled", "ms_per_frame", where, took.median, took.repeats, "ms", (took.low, took.high)),
        Row("semicoupled", "state_bytes", where, weight, 1, "B"),
    ]


def tensors_of(state: object) -> Iterator[Tensor]:
    """Give the tensors of a nested state."""
    if isinstance(state, Tensor):
        yield state
    elif isinstance(state, tuple):
        for part in cast("tuple[Any, ...]", state):
            yield from tensors_of(part)


@contextmanager
def one_thread() -> Generator[None]:
    """Compute on one core within this context."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
