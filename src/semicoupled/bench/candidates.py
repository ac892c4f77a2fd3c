"""What is timed: one training step or one inference of a network, in a precision, as a function without arguments."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal

import torch
from torch import Tensor, nn

from semicoupled.bench.timing import Run

Mode = Literal["training", "inference"]
Precision = Literal["bf16", "float32"]
MODES: tuple[Mode, ...] = ("training", "inference")
PRECISIONS: tuple[Precision, ...] = ("bf16", "float32")

DTYPES = {"bf16": torch.bfloat16, "float32": torch.float32}

Forward = Callable[[], Tensor]
"""Runs a network and gives its output."""


def candidate(network: nn.Module, forward: Forward, mode: Mode, precision: Precision, device: torch.device) -> Run:
    """Give what is timed: forward alone, or forward and backward (the optimizer's own step is left out).

    Args:
        network: put into training or eval mode before each run; its gradients are dropped after it.
        forward: runs it.
        mode: ``training`` or ``inference``.
        precision: of the convolutions.
        device: where it runs.
    """

    def infer() -> None:
        _ = network.eval()
        with torch.no_grad(), autocast(device, precision):
            _ = forward()

    def step() -> None:
        _ = network.train()
        with autocast(device, precision):
            loss = forward().float().mean()
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        network.zero_grad(set_to_none=True)

    return infer if mode == "inference" else step


def training_forward(network: nn.Module, forward: Forward, precision: Precision, device: torch.device) -> Run:
    """Give the forward pass of a training step alone, with all that it keeps for the backward pass."""

    def run() -> None:
        _ = network.train()
        with autocast(device, precision):
            _ = forward()

    return run


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Compute convolutions in bf16, or everything in float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
