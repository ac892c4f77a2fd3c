"""Small networks that follow a live camera: a semi-coupled stack in the spirit of Table 1, and one answer a frame.

Like Table 1 they begin with 7x7 at stride 2 and a max-pool, halve the map in front of each further block, and put a
shortcut over every two layers. Blocks have two layers, so that a frame fits a single core.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from semicoupled.networks.heads import PooledHead
from semicoupled.nn import PackedStack, SemiCoupledStack, StackState, pack
from semicoupled.nn.norm import Norm
from semicoupled.nn.shapes import Float, Tensor

STRIDES = (2, 1, 1, 2, 1, 2, 1, 2, 1)
"""At 112 px: 56, pooled to 28; then two layers each at 28, 14, 7 and 4 px."""

XS_WIDTHS = (16, 24, 24, 48, 48, 96, 96, 128, 128)
S_WIDTHS = (32, 48, 48, 96, 96, 192, 192, 256, 256)


class Answers(NamedTuple):
    """What a classifier makes of a clip.

    Attributes:
        scores: one number a class and frame, before the softmax, B T K.
        state: the state after the last frame.
    """

    scores: Tensor
    state: StackState


class StreamingClassifier(nn.Module):
    """A stack, a global average pool, a linear map: an answer to every frame, from that frame and all before it."""

    def __init__(self, stack: SemiCoupledStack, num_classes: int) -> None:
        """Put a head on a stack.

        Args:
            stack: gives the features.
            num_classes: number of classes K.
        """
        super().__init__()
        self.stack = stack
        self.head = PooledHead(stack.out_channels, num_classes)

    def forward(self, frames: Float[Tensor, "B T C H W"], state: StackState | None = None) -> Answers:
        """Run a clip.

        Args:
            frames: the clip.
            state: the state before the first frame; None for c_0 = 0.

        Raises:
            ShapeError: the frames or the state do not fit.
        """
        outputs = self.stack(frames, state)
        return Answers(self.head(outputs.main), outputs.state)

    def step(
        self, frame: Float[Tensor, "B C H W"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B K"], StackState]:
        """Run one frame; see `SemiCoupledStack.step`."""
        features, state = self.stack.step(frame, state)
        return self.head(features[:, None])[:, 0], state

    def packed(self, size: Sequence[int], *, dtype: torch.dtype = torch.float32) -> PackedClassifier:
        """The same network for streaming on a CPU core, with norms folded; see `nn.pack` for arguments and errors."""
        return PackedClassifier(pack(self.stack, size, dtype=dtype), self.head)


class PackedClassifier:
    """A `StreamingClassifier` that steps faster and learns no more."""

    def __init__(self, stack: PackedStack, head: PooledHead) -> None:
        """Put a head on a packed stack; use `StreamingClassifier.packed`."""
        self.stack = stack
        self._weight, self._bias = head.linear.weight.detach().clone(), head.linear.bias.detach().clone()

    @torch.no_grad()
    def step(
        self, frame: Float[Tensor, "B C H W"], state: StackState | None = None
    ) -> tuple[Float[Tensor, "B K"], StackState]:
        """Run one frame; see `PackedStack.step`."""
        features, state = self.stack.step(frame, state)
        pooled = features.mean((2, 3), dtype=self._weight.dtype)
        return nn.functional.linear(pooled, self._weight, self._bias), state


def xs(num_classes: int, *, in_channels: int = 3, norm: Norm = "batch") -> StreamingClassifier:
    """The smallest network: nine layers, 0.09 billion multiply-accumulates a frame at 112x112 px.

    Args:
        num_classes: number of classes.
        in_channels: channels of the frames.
        norm: see `SemiCoupledStack`; `pack` needs one that can be folded.
    """
    return _classifier(num_classes, in_channels, XS_WIDTHS, norm)


def s(num_classes: int, *, in_channels: int = 3, norm: Norm = "batch") -> StreamingClassifier:
    """The next size: the layers of `xs`, twice as wide; 0.35 billion multiply-accumulates a frame at 112x112 px.

    Args:
        num_classes: number of classes.
        in_channels: channels of the frames.
        norm: see `SemiCoupledStack`; `pack` needs one that can be folded.
    """
    return _classifier(num_classes, in_channels, S_WIDTHS, norm)


def _classifier(num_classes: int, in_channels: int, widths: Sequence[int], norm: Norm) -> StreamingClassifier:
    kernels = (7, *[3] * (len(widths) - 1))
    stack = SemiCoupledStack(
        in_channels,
        widths,
        kernel_size=kernels,
        temporal_kernel_size=3,
        strides=STRIDES,
        norm=norm,
        shortcut_every=2,
        pool_first=True,
    )
    return StreamingClassifier(stack, num_classes)
