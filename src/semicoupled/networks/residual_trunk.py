"""Convolutions on single frames with norms and shortcuts, as the spatial branch of a `SemiCoupledStack` has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.nn.norm import Norm, StreamNorm, refuse_joint
from semicoupled.nn.operators import conv2d
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.shortcut import Passing, Shortcuts


class ResidualTrunk(nn.Module):
    """Convolutions with norms and shortcuts: the spatial branch of a `SemiCoupledStack`, and nothing else."""

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        *,
        kernel_size: Sequence[int],
        strides: Sequence[int],
        norm: Norm = "batch",
        shortcut_every: int | None = 2,
        pool_first: bool = False,
    ) -> None:
        """Build the trunk.

        Args:
            in_channels: channels of the frames.
            widths: channels of each layer.
            kernel_size: of each layer, odd.
            strides: of each layer.
            norm: behind each convolution; `joint` does not exist here.
            shortcut_every: layers that a shortcut spans, counted from the second layer on; None for none.
            pool_first: a 3x3 max-pool with stride 2 behind the first layer.

        Raises:
            ShapeError: an option does not fit.
        """
        super().__init__()
        refuse_joint(norm)
        if not widths or not len(widths) == len(kernel_size) == len(strides):
            raise ShapeError(
                f"strides: expected widths, kernels and strides for the same layers, got {len(widths)}, "
                f"{len(kernel_size)} and {len(strides)}."
            )
        inputs = [in_channels, *widths[:-1]]
        self.in_channels, self.out_channels, self.pool_first = in_channels, widths[-1], pool_first
        self.convolutions = nn.ModuleList(
            conv2d(entering, leaving, kernel_size=kernel, stride=stride, bias=True)
            for entering, leaving, kernel, stride in zip(inputs, widths, kernel_size, strides, strict=True)
        )
        self.norms = nn.ModuleList(StreamNorm(width, norm, ("main",)) for width in widths)
        self.shortcuts = Shortcuts(in_channels, widths, strides, every=shortcut_every, operator=conv2d, norm=norm)

    @property
    def depth(self) -> int:
        """Number of convolutions."""
        return len(self.convolutions)

    def forward(self, rows: Float[Tensor, "N C H W"]) -> list[Tensor]:
        """Run frames, each alone."""
        return run_layers(self.convolutions, self.norms, self.shortcuts, rows, pool_first=self.pool_first)

    def normed(self) -> Iterator[tuple[nn.Module, StreamNorm]]:
        """Each convolution with its norm (see `semicoupled.nn.folding`)."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            yield convolution, cast(StreamNorm, norm)


def run_layers(
    convolutions: Iterable[nn.Module],
    norms: Iterable[nn.Module],
    shortcuts: Shortcuts,
    rows: Float[Tensor, "N C H W"],
    *,
    pool_first: bool = False,
) -> list[Tensor]:
    """Run frames, each alone, through convolutions, norms, ReLU and shortcuts.

    Args:
        convolutions: of the layers.
        norms: `StreamNorm` behind each.
        shortcuts: around them.
        rows: the frames.
        pool_first: a 3x3 max-pool with stride 2 behind the first layer.

    Returns:
        The maps of all layers, N C h w each.
    """
    maps: list[Tensor] = []
    passing = Passing(shortcuts, 1)
    for index, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True)):
        passing.leave(index, {"main": rows})
        rows = torch.relu(cast(StreamNorm, norm)(convolution(rows), "main", 1))
        rows = passing.land(index, {"main": rows})["main"]
        maps.append(rows)
        if index == 0 and pool_first:
            rows = F.max_pool2d(rows, 3, 2, 1)
    return maps
