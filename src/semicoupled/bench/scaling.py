"""How much faster two processes train than one: the same work each, gradients averaged as in a training.

Both are measured in turn, within each repeat: first one process works while the other waits, then both. Ideal is twice
the frames a second; what is missing went into averaging, and into what cores share (caches, memory, other programs).
On the clock of CPU time neither waiting nor other programs count: what is missing there is the work of averaging, and
what the cores share.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NamedTuple

import torch

from semicoupled.bench.parts import Part
from semicoupled.bench.presets import PRESETS
from semicoupled.bench.timing import Spread, ratio, spread
from semicoupled.errors import SemicoupledError
from semicoupled.nn import SemiCoupledStack
from semicoupled.rows import Condition, Row

PROCESSES = 2
_PATIENCE = 1200.0
"""Seconds after which a process that says nothing is given up."""


class Load(NamedTuple):
    """What each process does.

    Attributes:
        preset: of the network; empty for one of a few channels.
        batch: clips of a step, for each process.
        steps: of a turn.
        repeats: turns that count.
        threads: of each process.
    """

    preset: str = "paper15x64"
    batch: int = 1
    steps: int = 2
    repeats: int = 5
    threads: int = 1


class Turns(NamedTuple):
    """Seconds of a step, turn by turn.

    Attributes:
        alone: of one process while the other waits.
        together: of both, averaging among it.
        averaging: of the gradients, within those.
        alone_cpu: as `alone`, on the clock of the CPU time that the process had.
        together_cpu: as `together`, likewise.
        frames: of a process's step.
        parameters: of the network.
    """

    alone: list[float]
    together: list[float]
    averaging: list[float]
    alone_cpu: list[float]
    together_cpu: list[float]
    frames: int
    parameters: int


class Seconds(NamedTuple):
    """On two clocks.

    Attributes:
        wall: that passed.
        cpu: that the process had on CPUs, its threads added up.
    """

    wall: float
    cpu: float


QUICK = Load("", steps=1, repeats=2)


def parts(load: Load) -> list[Part]:
    """Give what is measured, as one part."""
    return [lambda: rows_of(measure(load), load)]


def measure(load: Load) -> Turns:
    """Measure one process against two, each fresh.

    Raises:
        SemicoupledError: a process ended without an answer.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    port = _free_port()
    processes = [context.Process(target=_child, args=(rank, port, load, sender)) for rank in range(PROCESSES)]
    for process in processes:
        process.start()
    sender.close()
    try:
        if not receiver.poll(_PATIENCE):
            raise EOFError
        turns: Turns = receiver.recv()
    except EOFError:
        raise SemicoupledError(
            f"bench scaling: a process of {PROCESSES} ended, or said nothing for {_PATIENCE:g} s. It may have been "
            "killed for lack of memory: try --quick."
        ) from None
    finally:
        for process in processes:
            process.join(5)
            process.kill()
    return turns


def rows_of(turns: Turns, load: Load) -> list[Row]:
    """Turn seconds into frames a second, the share of the ideal, and the share of averaging."""
    where: dict[str, Condition] = {
        "preset": load.preset or "tiny",
        "batch": load.batch,
        "threads": load.threads,
        "parameters": turns.parameters,
    }
    speeds = {
        1: spread([turns.frames / seconds for seconds in turns.alone]),
        PROCESSES: spread([PROCESSES * turns.frames / seconds for seconds in turns.together]),
    }
    rows = [_row("frames_per_second", where | {"processes": count}, speed, "1/s") for count, speed in speeds.items()]
    together = where | {"processes": PROCESSES}
    return [
        *rows,
        _row("share_of_ideal", together | {"clock": "wall"}, ratio(turns.alone, turns.together)),
        _row("share_of_ideal", together | {"clock": "cpu"}, ratio(turns.alone_cpu, turns.together_cpu)),
        _row("averaging_share", together, ratio(turns.averaging, turns.together)),
    ]


def _row(metric: str, where: dict[str, Condition], found: Spread, unit: str = "1") -> Row:
    return Row("semicoupled", metric, where, found.median, found.repeats, unit, (found.low, found.high))


def _child(rank: int, port: int, load: Load, sender: Connection) -> None:
    """Be one of the processes; the first tells what it measured."""
    os.environ.update(  # as torchrun tells its processes
        RANK=str(rank), LOCAL_RANK=str(rank), GROUP_RANK="0", WORLD_SIZE=str(PROCESSES),
        LOCAL_WORLD_SIZE=str(PROCESSES), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
        TORCHELASTIC_RUN_ID="bench",
    )  # fmt: skip
    from semicoupled.training.processes import average_gradients, launch

    torch.set_num_threads(load.threads)
    fabric = launch("cpu", "float32").fabric
    torch.manual_seed(0)
    network, clip = _network_and_clip(load)
    spent = [0.0]

    def average() -> None:
        begun = time.perf_counter()
        average_gradients(fabric, network)
        spent[0] += time.perf_counter() - begun

    turns = Turns([], [], [], [], [], clip.shape[0] * clip.shape[1], sum(each.numel() for each in network.parameters()))
    for turn in range(load.repeats + 1):
        fabric.barrier()
        alone = _steps(network, clip, load.steps, lambda: None) if rank == 0 else Seconds(0.0, 0.0)
        fabric.barrier()
        spent[0] = 0.0
        together = _steps(network, clip, load.steps, average)
        if turn:  # the first one chooses kernels and fills caches
            turns.alone.append(alone.wall)
            turns.together.append(together.wall)
            turns.alone_cpu.append(alone.cpu)
            turns.together_cpu.append(together.cpu)
            turns.averaging.append(spent[0] / load.steps)
    if rank == 0:
        sender.send(turns)
    fabric.barrier()
    torch.distributed.destroy_process_group()


def _network_and_clip(load: Load) -> tuple[SemiCoupledStack, torch.Tensor]:
    if not load.preset:
        return SemiCoupledStack(1, [4, 4]).train(), torch.randn(load.batch, 3, 1, 8, 8)
    preset = PRESETS[load.preset]
    clip = torch.randn(load.batch, preset.frames, preset.in_channels, preset.size, preset.size)
    return preset.build("batch").train(), clip


def _steps(network: SemiCoupledStack, clip: torch.Tensor, steps: int, average: Callable[[], None]) -> Seconds:
    """Give the seconds of a step."""
    begun = Seconds(time.perf_counter(), time.process_time())
    for _ in range(steps):
        out = network(clip)
        assert out.main is not None
        out.main.square().mean().backward()  # pyright: ignore[reportUnknownMemberType]
        average()
        network.zero_grad()
    return Seconds((time.perf_counter() - begun.wall) / steps, (time.process_time() - begun.cpu) / steps)


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])
