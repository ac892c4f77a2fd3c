"""Devices, precision and processes: what lightning-fabric does for the loop, and what it does itself.

The loop averages gradients itself, once before the step. DistributedDataParallel's hooks expect one backward pass and
every parameter in it; here there is one a segment, and a stream that is not asked for leaves its parameters out.
"""

from __future__ import annotations

import os
from typing import NamedTuple, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from semicoupled.devices import choose_device, multiplies_bf16
from semicoupled.errors import SettingsError
from semicoupled.training.settings import Precision


class Launched(NamedTuple):
    """Where a training computes, and how.

    Attributes:
        fabric: device and processes.
        precision: of the forward pass, ``float32`` or ``bf16``.
    """

    fabric: Fabric
    precision: Precision


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
        strategy="auto" if world == 1 else "ddp",
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )
    fabric.launch()
    return Launched(fabric, precision)


def average_gradients(fabric: Fabric, model: nn.Module) -> None:
    """Replace every gradient by its mean over all processes; with one process nothing happens."""
    if fabric.world_size > 1:
        _average(fabric, [parameter.grad for parameter in model.parameters() if parameter.grad is not None])


def average_statistics(fabric: Fabric, model: nn.Module) -> None:
    """Replace the running statistics by their means over all processes, so that all hold what is saved."""
    if fabric.world_size > 1:
        _average(fabric, [buffer for buffer in model.buffers() if buffer.is_floating_point()])


def average_numbers(fabric: Fabric, numbers: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give each number's mean over all processes."""
    if fabric.world_size == 1:
        return numbers
    means = _reduce(fabric, torch.stack(list(numbers.values())))
    return dict(zip(numbers, means.unbind(), strict=True))


def _average(fabric: Fabric, tensors: list[Tensor]) -> None:
    if not tensors:
        return
    flat = _reduce(fabric, torch.cat([tensor.reshape(-1) for tensor in tensors]))
    start = 0
    for tensor in tensors:
        tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
        start += tensor.numel()


def _reduce(fabric: Fabric, tensor: Tensor) -> Tensor:
    return cast(Tensor, fabric.all_reduce(tensor, reduce_op="mean"))  # pyright: ignore[reportUnknownMemberType]
