"""What single ways to make training faster are worth: each beside the plain way, with the same result.

The ways are those of `nn` and `devices`; docs/log.md tells what was tried besides. `cell: linear` computes something
else than Eq. 5 and is held against it for its speed alone.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, cast

import torch
from torch import Tensor

from semicoupled.bench.candidates import DTYPES, PRECISIONS, Precision, candidate
from semicoupled.bench.equality import perturb_statistics
from semicoupled.bench.parts import Part
from semicoupled.bench.presets import PAPER_DEPTH, PAPER_SIZE, PAPER_WIDTH
from semicoupled.bench.rounding import check_precisions, compare_rounding
from semicoupled.bench.timing import Run, paired, ratio, spread
from semicoupled.devices import keep_freed_memory
from semicoupled.errors import SemicoupledError
from semicoupled.nn import SemiCoupledStack
from semicoupled.nn.cells import Cell
from semicoupled.nn.convolution import gathered, through_open
from semicoupled.nn.onednn import has_onednn
from semicoupled.nn.operators import apply_weight, prepared, weight_gradient
from semicoupled.rows import Condition, Row

OURS = "semicoupled"
BATCHES = (2, 8)
OPEN = (1, 0, 1, 1, 0, 0, 0, 1, 1, 0)
"""Frames whose switch is open, as one draw at p = .5 may look; the same ones every time."""
FRAMES = len(OPEN)
MAPS = ((512, 4, 6), (64, 28, 2))
"""Channels, px and rows of one step of Conv_c."""
STEPS, CALLS = 3, 30
"""Repeats of a training step, and of a single operation."""


def parts(device: torch.device) -> list[Part]:
    """Give what is measured, one function a way and precision; nothing is measured before it is called."""
    on_cpu = device.type == "cpu"
    found: list[Part] = []
    for precision in PRECISIONS:
        if on_cpu and has_onednn(DTYPES[precision]):
            found += [partial(time_prepared, precision, *maps) for maps in MAPS]
        found += [partial(time_stretches, precision, device), partial(time_bias, precision, device)]
    for precision in PRECISIONS:  # whole steps take longer
        found += [partial(time_freed_memory, precision)] if on_cpu else []
        found += [partial(time_linear_cell, precision, batch, device) for batch in BATCHES]
    return found


def quick_parts(device: torch.device) -> list[Part]:
    """Give the shortest."""
    return [part for part in parts(device) if cast("partial[list[Row]]", part).func in (time_prepared, time_stretches)]


def time_prepared(precision: Precision, channels: int, size: int, rows: int) -> list[Row]:
    """Time one step of Conv_c with its weight laid out beforehand (`nn.operators.prepared`)."""
    dtype = DTYPES[precision]
    weight = _images(channels, channels, 3, 3) / (3 * channels**0.5)
    maps = _images(rows, channels, size, size)
    conv, laid_out = prepared(weight.to(dtype), (size, size)), maps.to(dtype)
    return _compare(
        {"channels": channels, "size": size, "rows": rows, "dtype": precision},
        {
            "prepared weights": lambda: (conv(laid_out),),
            "weights laid out in every call": partial(_one, apply_weight, laid_out, weight.to(dtype)),
        },
        (apply_weight(maps.double(), weight.double()),),
        torch.device("cpu"),
    )


def time_stretches(precision: Precision, device: torch.device, batch: int = 8, width: int = PAPER_WIDTH) -> list[Row]:
    """Time the gradient of a convolution's input where half of the frames are stopped (`nn.convolution`)."""
    gradient, rows, weight = _clip(batch, width, device)
    factor = torch.tensor(OPEN, dtype=torch.float32, device=device).repeat_interleave(batch)

    def ways(dtype: torch.dtype) -> list[Run]:
        tensors = [tensor.to(dtype) for tensor in (gradient, rows, weight)]
        return [partial(_one, way, *tensors, factor, 1) for way in (through_open, gathered)]

    fast, plain = ways(DTYPES[precision])
    return _compare(
        {"channels": width, "size": PAPER_SIZE, "rows": FRAMES * batch, "dtype": precision, "stop": 0.5},
        {"stopped frames in stretches": fast, "open frames gathered": plain},
        cast("tuple[Tensor]", ways(torch.float64)[1]()),
        device,
    )


def time_bias(precision: Precision, device: torch.device, batch: int = 8, width: int = PAPER_WIDTH) -> list[Row]:
    """Time the gradients of a convolution's weight and bias, the bias's by a sum or by the library."""

    def by_sum(gradient: Tensor, rows: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
        return weight_gradient(gradient, rows, weight), gradient.sum((0, 2, 3))

    def by_library(gradient: Tensor, rows: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
        ones, mask = [1, 1], [False, True, True]
        found = torch.ops.aten.convolution_backward(
            gradient, rows, weight, [width], ones, ones, ones, False, [0, 0], 1, mask
        )
        return found[1], found[2]

    tensors = _clip(batch, width, device)
    timed = [tensor.to(DTYPES[precision]) for tensor in tensors]
    return _compare(
        {"channels": width, "size": PAPER_SIZE, "rows": FRAMES * batch, "dtype": precision},
        {"bias's gradient by a sum": partial(by_sum, *timed), "by the library": partial(by_library, *timed)},
        by_library(*(tensor.double() for tensor in tensors)),
        device,
    )


def time_linear_cell(precision: Precision, batch: int, device: torch.device, depth: int = PAPER_DEPTH) -> list[Row]:
    """Time a training step with the cell `linear` beside Eq. 5, after both have been compared with their equations."""
    clip = torch.randn(batch, FRAMES, PAPER_WIDTH, PAPER_SIZE, PAPER_SIZE, device=device)
    runs: dict[str, Run] = {}
    cells: tuple[Cell, ...] = ("linear", "rnn")
    for cell in cells:
        net = SemiCoupledStack(PAPER_WIDTH, [PAPER_WIDTH] * depth, cell=cell).to(device)
        perturb_statistics(net)
        _ = check_precisions(
            net,
            lambda: torch.randn(1, 2, *clip.shape[2:], device=device),
            streams=("main",),
            precisions=(precision,),
            modes=("training",),
        )
        runs[f"cell: {cell}"] = candidate(net, lambda net=net: net(clip).main, "training", precision, device)
    seconds = paired(runs, STEPS, device)
    return _rows({"layers": depth, "batch": batch, "frames": FRAMES, "dtype": precision}, seconds)


def time_freed_memory(precision: Precision, batch: int = 8, depth: int = PAPER_DEPTH) -> list[Row]:
    """Time a training step in a process that keeps freed memory, in turn with one that does not.

    Raises:
        SemicoupledError: a process ended without an answer.
    """
    context = multiprocessing.get_context("spawn")
    seconds: dict[str, list[float]] = {}
    faults: dict[str, list[float]] = {}
    ways = {"freed memory kept": True, "usual thresholds": False}
    ends: dict[str, Any] = {}  # of pipes; their class depends on the system
    processes = []
    for name, keep in ways.items():
        ends[name], other = context.Pipe()
        arguments = (keep, precision, batch, depth, torch.get_num_threads(), other)
        processes.append(context.Process(target=_steps, args=arguments, daemon=True))
        processes[-1].start()
        other.close()
    try:
        for repeat in range(STEPS + 1):
            for name, end in ends.items():
                end.send(True)
                took, missed = end.recv()
                if repeat:  # the first step chooses kernels
                    seconds.setdefault(name, []).append(took)
                    faults.setdefault(name, []).append(missed)
    except (EOFError, ConnectionError) as error:
        raise SemicoupledError(
            "bench ways: a process that times training steps ended without an answer. It may have been killed for "
            "lack of memory: free some, or take a larger machine."
        ) from error
    finally:
        for end in ends.values():
            end.close()
        for process in processes:
            process.join()
    where: dict[str, Condition] = {"layers": depth, "batch": batch, "frames": FRAMES, "dtype": precision}
    counted = {name: spread(values) for name, values in faults.items()}
    return [
        *_rows(where, seconds),
        *(
            Row(OURS, "page_faults", where | {"way": name}, count.median, count.repeats, "1", (count.low, count.high))
            for name, count in counted.items()
        ),
    ]


def _steps(keep: bool, precision: Precision, batch: int, depth: int, threads: int, end: Connection) -> None:
    """Make a training step whenever asked, and tell its seconds and page faults; runs in a process of its own."""
    torch.set_num_threads(threads)
    if keep:
        _ = keep_freed_memory()
    torch.manual_seed(0)
    cpu = torch.device("cpu")
    net = SemiCoupledStack(PAPER_WIDTH, [PAPER_WIDTH] * depth)
    clip = torch.randn(batch, FRAMES, PAPER_WIDTH, PAPER_SIZE, PAPER_SIZE)
    step = candidate(net, lambda: cast(Tensor, net(clip).main), "training", precision, cpu)
    try:
        while end.recv():
            before, start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.perf_counter()
            _ = step()
            took = time.perf_counter() - start
            end.send((took, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before))
    except EOFError:  # it was all that was wanted
        return


def _compare(
    where: Mapping[str, Condition], runs: Mapping[str, Run], exact: Sequence[Tensor], device: torch.device
) -> list[Row]:
    """Time two ways to compute some tensors, the fast one first, after their results have been compared."""
    fast, slow = (
        {f"result {at}": tensor for at, tensor in enumerate(cast("Sequence[Tensor]", run()))} for run in runs.values()
    )
    wanted = {f"result {at}": tensor for at, tensor in enumerate(exact)}
    _ = compare_rounding(f"{where['dtype']}, {next(iter(runs))},", fast, slow, wanted)
    return _rows(where, paired(runs, CALLS, device))


def _rows(where: Mapping[str, Condition], seconds: Mapping[str, Sequence[float]]) -> list[Row]:
    """Seconds of both ways, and how many times faster the first is."""
    way, against = seconds
    took = {name: spread(values) for name, values in seconds.items()}
    faster = ratio(seconds[against], seconds[way])
    there = {"way": way, "against": against} | dict(where)
    return [
        Row(OURS, "speedup", there, faster.median, faster.repeats, "1", (faster.low, faster.high)),
        *(
            Row(OURS, "seconds", {"way": name} | dict(where), value.median, value.repeats, "s", (value.low, value.high))
            for name, value in took.items()
        ),
    ]


def _clip(batch: int, width: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """A gradient, rows and a weight, channels last."""
    images = [_images(FRAMES * batch, width, PAPER_SIZE, PAPER_SIZE).to(device) for _ in range(2)]
    return images[0], images[1], _images(width, width, 3, 3).to(device) / (3 * width**0.5)


def _images(*shape: int) -> Tensor:
    return torch.randn(shape).contiguous(memory_format=torch.channels_last)


def _one(way: Callable[..., Tensor], *arguments: object) -> tuple[Tensor]:
    return (way(*arguments),)
