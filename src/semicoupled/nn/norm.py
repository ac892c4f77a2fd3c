"""Normalization with one set of weights for all streams, and statistics of its own for each.

The three streams run through the same convolutions with different inputs, so their features are distributed
differently. By default each keeps its own running statistics; the learned scale and shift are shared.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.errors import ShapeError, nearest
from semicoupled.nn.shapes import Float, Tensor

Norm = Literal["batch", "joint", "group", "none"]
"""batch: statistics over all frames. joint: batch norm on the whole of c_t, statistics a step. group. none."""

NORMS: tuple[Norm, ...] = ("batch", "joint", "group", "none")

_update_statistics: ContextVar[bool] = ContextVar("update_statistics", default=True)


@contextmanager
def keep_statistics() -> Generator[None]:
    """Within this context running statistics stay as they are (for the second run of a checkpointed layer)."""
    token = _update_statistics.set(False)
    try:
        yield
    finally:
        _update_statistics.reset(token)


def refuse_joint(norm: Norm) -> None:
    """Refuse `joint` for a rival.

    Args:
        norm: that a rival is built with.

    Raises:
        ShapeError: it is `joint`.
    """
    if norm == "joint":
        raise ShapeError("norm: 'joint' is a form of Eq. 5 and not of a rival; take 'batch', 'group' or 'none'.")


class StreamNorm(nn.Module):
    """Batch or group normalization of folded features (time-major rows N C *size)."""

    running_mean: Tensor
    running_variance: Tensor

    def __init__(
        self,
        channels: int,
        kind: Norm,
        streams: tuple[str, ...],
        *,
        separate_statistics: bool = True,
        groups: int = 8,
        epsilon: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        """Build the normalization.

        Args:
            channels: number of channels C.
            kind: see `Norm`.
            streams: names of the streams that will pass.
            separate_statistics: running statistics for each stream, or one for all (released code).
            groups: for group norm; the greatest divisor that it shares with `channels` is taken.
            epsilon: added to the variance.
            momentum: share of the newest statistics in the running ones.

        Raises:
            ShapeError: the kind is unknown.
        """
        super().__init__()
        if kind not in NORMS:
            raise ShapeError(f"norm: {kind!r} is unknown. {nearest(kind, NORMS)}")
        self.kind: Norm = kind
        self.channels = channels
        self.streams = streams
        self.only: str | None = None  # the stream whose statistics went into the convolution, see `folding`
        self.groups = math.gcd(groups, channels)
        self.epsilon = epsilon
        self.momentum = momentum
        self._slots = {stream: slot if separate_statistics else 0 for slot, stream in enumerate(streams)}
        if kind != "none":
            self.weight = nn.Parameter(torch.ones(channels))
            self.bias = nn.Parameter(torch.zeros(channels))
        if self.by_batch:
            slots = len(set(self._slots.values()))
            self.register_buffer("running_mean", torch.zeros(slots, channels))
            self.register_buffer("running_variance", torch.ones(slots, channels))

    def slot(self, stream: str) -> int:
        """Row of the running statistics that a stream uses."""
        return self._slots[stream]

    @property
    def one_for_all(self) -> bool:
        """Whether all streams that pass have the same statistics."""
        return len(set(self._slots.values())) == 1

    @property
    def by_batch(self) -> bool:
        """Whether running statistics are kept."""
        return self.kind in ("batch", "joint")

    def forward(self, rows: Float[Tensor, "N C *size"], stream: str, frames: int) -> Float[Tensor, "N C *size"]:
        """Normalize all frames; `joint` in training takes statistics step by step.

        Args:
            rows: folded features, time-major.
            stream: whose statistics to use.
            frames: number of time steps T in the rows.

        Returns:
            Rows of the same shape.

        Raises:
            ShapeError: the statistics of another stream were folded into the convolutions.
        """
        if self.kind == "none":
            if self.only is not None and stream != self.only:
                raise ShapeError(
                    f"norm: the statistics of the {self.only} stream were folded into the convolutions, got the "
                    f"{stream} stream. Fold the network again, with fold_norms(network, {stream!r})."
                )
            return rows
        if self.kind == "group":
            return F.group_norm(rows, self.groups, self.weight, self.bias, self.epsilon)
        if self.kind == "joint" and self.training:
            return torch.cat([self.one_step(step, stream) for step in rows.chunk(frames)])
        return self.one_step(rows, stream)

    def one_step(self, rows: Float[Tensor, "N C *size"], stream: str) -> Float[Tensor, "N C *size"]:
        """Batch norm with the statistics of these rows (training) or the running ones (eval)."""
        slot = self.slot(stream)
        mean, variance = self.running_mean[slot], self.running_variance[slot]
        if self.training and not _update_statistics.get():
            mean, variance = mean.clone(), variance.clone()
        return F.batch_norm(rows, mean, variance, self.weight, self.bias, self.training, self.momentum, self.epsilon)
