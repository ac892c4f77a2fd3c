"""Devices, precision and processes: what lightning-fabric does for the loop, and what it does itself.

The loop averages gradients itself, once before the step. DistributedDataParallel's hooks expect one backward pass and
every parameter in it; here there is one a segment, and a stream that is not asked for leaves its parameters out.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor, nn

from semicoupled.devices import choose_device, multiplies_bf16
from semicoupled.errors import SettingsError
from semicoupled.training.settings import Precision, Scope
from semicoupled.training.switches import Votes

PATIENCE = timedelta(hours=6)
"""How long processes wait for each other: while the first one validates, the others have nothing to do."""


class Launched(NamedTuple):
    """Where a training computes, and how.

    Attributes:
        fabric: device and processes.
        precision: of the forward pass, ``float32`` or ``bf16``.
    """

    fabric: Fabric
    precision: Precision


def is_first() -> bool:
    """Say whether this process is the first of those that torchrun started, or alone; it need not be launched."""
    return int(os.environ.get("WORLD_SIZE", "1")) == 1 or int(os.environ.get("RANK", "0")) == 0


def launch(device: str | torch.device, precision: Precision, begun: Precision | None = None) -> Launched:
    """Choose device and precision, and join the other processes if torchrun started several.

    Args:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N``, or a torch device; with several processes each takes its own.
        precision: of the forward pass; ``auto`` takes `begun`, else what is quicker on this device.
        begun: the precision of what is taken up, if anything is.

    Raises:
        SettingsError: no such device.
    """
    chosen = choose_device(device) if isinstance(device, str) else device
    if chosen.type not in ("cpu", "cuda"):
        raise SettingsError(f"device {chosen}: training runs on cpu or cuda. Pass --device cpu.")
    if precision == "auto":
        precision = begun or ("bf16" if multiplies_bf16(chosen) else "float32")
    world = int(os.environ.get("WORLD_SIZE", "1"))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", world))
    alone: list[int] | int = 1 if chosen.type == "cpu" else [chosen.index or 0]
    fabric = Fabric(
        accelerator=chosen.type,
        devices=alone if world == 1 else here,
        num_nodes=max(1, world // here),
        strategy="auto" if world == 1 else DDPStrategy(timeout=PATIENCE),
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )
    fabric.launch()
    return Launched(fabric, precision)


def average_gradients(fabric: Fabric, model: nn.Module) -> None:
    """Replace every gradient by its mean over all processes; with one process nothing happens.

    A parameter that some process's part of the batch did not reach (fewer segments, a stream that was not asked for)
    counts there as zero; one that nobody reached stays without a gradient.
    """
    if fabric.world_size == 1:
        return
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    here = torch.tensor([parameter.grad is not None for parameter in parameters], dtype=torch.float32)
    reached = mean_over_processes(fabric, here).tolist()
    for parameter, share in zip(parameters, reached, strict=True):
        if share and parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    _average(fabric, [parameter.grad for parameter in parameters if parameter.grad is not None])


def average_statistics(fabric: Fabric, model: nn.Module) -> None:
    """Replace the running statistics by their means over all processes, so that all hold what is saved."""
    if fabric.world_size > 1:
        _average(fabric, [buffer for buffer in model.buffers() if buffer.is_floating_point()])


def average_numbers(fabric: Fabric, numbers: Mapping[str, Tensor], names: Sequence[str]) -> dict[str, Tensor]:
    """Give each number's mean over all processes.

    Args:
        fabric: the processes.
        numbers: scalars of one type; what a process lacks counts there as zero (the overlap loss of one segment).
        names: of all that there may be, the same on all processes.

    Returns:
        Those that some process has, in the order of `names`.
    """
    if fabric.world_size == 1:
        return {name: numbers[name] for name in names if name in numbers}
    absent = torch.zeros_like(next(iter(numbers.values())))
    values = torch.stack([numbers.get(name, absent) for name in names])
    here = values.new_tensor([name in numbers for name in names])
    means, shares = mean_over_processes(fabric, torch.cat([values, here])).chunk(2)
    there = cast("list[float]", shares.tolist())
    return {name: mean for name, mean, share in zip(names, means.unbind(), there, strict=True) if share}


def votes_of_all(fabric: Fabric, votes: Votes, scope: Scope) -> Votes:
    """Make the votes that a process counted those of all.

    Args:
        fabric: the processes.
        votes: of this one.
        scope: with one draw for the whole `batch` all processes count the same switches, and who has the most segments
            counts all of them; with one for every `sample` each counts its own, and they add up.
    """
    if fabric.world_size == 1:
        return votes
    own = torch.tensor(votes, dtype=torch.float64, device=fabric.device)
    everyone = cast(Tensor, fabric.all_gather(own)).view(-1, len(votes))
    found = everyone.sum(0) if scope == "sample" else everyone[int(everyone[:, 0].argmax())]
    return Votes(*(int(number) for number in cast("list[float]", found.tolist())))


def same_on_all(fabric: Fabric, number: int) -> bool:
    """Say whether several processes train together and have the same number; each must call it."""
    if fabric.world_size == 1:
        return False
    everyone = cast(Tensor, fabric.all_gather(torch.tensor(number, device=fabric.device)))
    return bool((everyone == number).all())


def mean_over_processes(fabric: Fabric, tensor: Tensor) -> Tensor:
    """Give the mean of a tensor, of any shape, over all processes; each calls it with the same shape and type.

    The tensor is the place where it is computed, unless it lies on another device.
    """
    return cast(Tensor, fabric.all_reduce(tensor.to(fabric.device), reduce_op="mean"))  # pyright: ignore[reportUnknownMemberType]


def _average(fabric: Fabric, tensors: list[Tensor]) -> None:
    if not tensors:
        return
    flat = mean_over_processes(fabric, torch.cat([tensor.reshape(-1) for tensor in tensors]))
    start = 0
    for tensor in tensors:
        tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
        start += tensor.numel()
