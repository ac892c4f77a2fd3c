"""Shortcuts over several layers, added after the last gate; the temporal map has none (Sec. 5.5, Table 1)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import nn

from semicoupled.nn import fold
from semicoupled.nn.convolution import convolve
from semicoupled.nn.norm import Norm, StreamNorm
from semicoupled.nn.operators import Operator
from semicoupled.nn.shapes import Tensor
from semicoupled.nn.streams import STREAMS


class Shortcut(nn.Module):
    """The identity, or a 1x1 projection and a norm where the shape changes."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int,
        span: int,
        operator: Operator,
        norm: Norm,
        separate_statistics: bool,
    ) -> None:
        """Build the shortcut.

        Args:
            in_channels: channels before the span.
            out_channels: channels after it.
            stride: product of the strides within the span.
            span: number of layers that it passes by.
            operator: what stands for a convolution.
            norm: see `norm.Norm`.
            separate_statistics: running statistics for each stream, or one for all.
        """
        super().__init__()
        self.span = span
        self.projects = in_channels != out_channels or stride != 1
        if self.projects:
            self.projection = operator(in_channels, out_channels, kernel_size=1, stride=stride, bias=True)
            self.norm = StreamNorm(out_channels, norm, STREAMS, separate_statistics=separate_statistics)

    def forward(self, before: Mapping[str, Tensor], after: Mapping[str, Tensor], frames: int) -> dict[str, Tensor]:
        """Add the features before the span to those after it, in each stream (folded rows of T frames)."""
        if not self.projects:
            return {stream: rows + before[stream] for stream, rows in after.items()}
        together = list(before.values())
        parts = fold.parts(convolve(self.projection, torch.cat(together)), together[0].shape[0])
        projected = dict(zip(before, parts, strict=True))
        return {stream: rows + self.norm(projected[stream], stream, frames) for stream, rows in after.items()}

    def normed(self) -> Iterator[tuple[nn.Module, StreamNorm]]:
        """The projection with its norm, if it projects (see `folding`)."""
        if self.projects:
            yield self.projection, self.norm


class Shortcuts(nn.Module):
    """All shortcuts of a stack: one over every `every` layers, counted from the second layer on."""

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        strides: Sequence[int],
        *,
        every: int | None,
        operator: Operator,
        norm: Norm,
        separate_statistics: bool = True,
    ) -> None:
        """Build the shortcuts of layers with these widths and strides; none where `every` is None."""
        super().__init__()
        inputs = [in_channels, *widths[:-1]]
        starts = [] if every is None else range(1, len(widths) - every + 1, every)
        self.by_start = nn.ModuleDict()
        for start in starts:
            last = start + (every or 1) - 1
            self.by_start[str(start)] = Shortcut(
                inputs[start],
                widths[last],
                stride=math.prod(strides[start : last + 1]),
                span=last - start + 1,
                operator=operator,
                norm=norm,
                separate_statistics=separate_statistics,
            )

    def starting(self, layer: int) -> Shortcut | None:
        """The shortcut that leaves in front of a layer (from 0), if any."""
        module = dict(self.by_start.items()).get(str(layer))
        return module if isinstance(module, Shortcut) else None


class Passing:
    """Walks a stack's layers and lands each shortcut where it belongs."""

    def __init__(self, shortcuts: Shortcuts, frames: int) -> None:
        """Begin before the first layer of a clip of T frames."""
        self._shortcuts = shortcuts
        self._frames = frames
        self._flying: Shortcut | None = None
        self._before: Mapping[str, Tensor] = {}
        self._landing = -1

    def leave(self, layer: int, rows: Mapping[str, Tensor]) -> None:
        """Note the features in front of a layer, if a shortcut starts there."""
        starting = self._shortcuts.starting(layer)
        if starting is not None:
            self._flying, self._before, self._landing = starting, rows, layer + starting.span - 1

    def land(self, layer: int, rows: dict[str, Tensor]) -> dict[str, Tensor]:
        """The features behind a layer, with the shortcut that ends there, if one does."""
        if self._flying is None or layer != self._landing:
            return rows
        return self._flying(self._before, rows, self._frames)
