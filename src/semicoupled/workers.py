"""Processes that are started to work beside this one, each on its device, with its share of the threads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import multiprocessing, nn

_LOG = logging.getLogger(__name__)


@contextmanager
def workers(
    count: int, work: Callable[..., None], arguments: Sequence[Any], stopped: Callable[[], bool]
) -> Generator[Callable[[], bool]]:
    """Start processes that share the work with this one.

    Args:
        count: processes together with this one.
        work: called in each as work(rank, size, stop, *arguments); it must be importable.
        arguments: picklable.
        stopped: whether this one is to end; the others then end, too.

    Yields:
        A function that tells whether to stop, and tells the others.
    """
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    started = [
        context.Process(target=work, args=(rank, count, stop, *arguments), daemon=True) for rank in range(1, count)
    ]

    def asked() -> bool:
        if stopped():
            stop.set()
        return stop.is_set()

    for process in started:
        process.start()
    try:
        yield asked
    except BaseException:
        stop.set()
        raise
    finally:
        for process in started:
            process.join()
            if process.exitcode:
                _LOG.warning("a process ended early (exit %d); what it had begun was taken up", process.exitcode)


def autocast_type() -> torch.dtype | None:
    """Give the precision that this process computes in, for those that it starts; None for float32."""
    for device in ("cpu", "cuda"):
        if torch.is_autocast_enabled(device):
            return torch.get_autocast_dtype(device)
    return None


@contextmanager
def share_of_threads(size: int) -> Generator[None]:
    """Compute with this process's share of the threads that it would have alone, so that all together fill the cores.

    Args:
        size: processes on this machine.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before // size))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def place_of(model: nn.Module, rank: int) -> torch.device:
    """Give the device of a process: the CPU, or the GPUs in turn, from the model's own on."""
    device = next(model.parameters()).device
    if device.type != "cuda":
        return device
    return torch.device("cuda", ((device.index or 0) + rank) % torch.cuda.device_count())
