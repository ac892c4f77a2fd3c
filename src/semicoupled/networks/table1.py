"""The stand-alone network of Table 1: 17 semi-coupled layers, five sizes, shortcuts over every two layers."""

from __future__ import annotations

from semicoupled.nn import SemiCoupledStack
from semicoupled.nn.cells import Cell
from semicoupled.nn.norm import Norm

WIDTHS = (64, *[64] * 4, *[128] * 4, *[256] * 4, *[512] * 4)
STRIDES = (2, 1, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1)


def table1(
    in_channels: int = 3,
    *,
    norm: Norm = "batch",
    cell: Cell = "rnn",
    initial_gate: float = 0.5,
    checkpointing: bool = False,
) -> SemiCoupledStack:
    """Build the network of Table 1 without its head.

    At 224 px its layers put out 112, 56, 28, 14 and 7 px: the first layer has stride 2 and a 3x3 max-pool behind it,
    the first layer of each later block has stride 2. Conv_s of the first layer is 7x7; Conv_u and Conv_c are 3x3
    throughout.

    Args:
        in_channels: channels of the frames.
        norm: see `SemiCoupledStack`.
        cell: see `SemiCoupledStack`.
        initial_gate: see `SemiCoupledStack`.
        checkpointing: see `SemiCoupledStack`.

    Returns:
        A stack with 512 output channels and 34 750 848 parameters.
    """
    return SemiCoupledStack(
        in_channels,
        WIDTHS,
        kernel_size=(7, *[3] * 16),
        temporal_kernel_size=3,
        strides=STRIDES,
        norm=norm,
        cell=cell,
        initial_gate=initial_gate,
        shortcut_every=2,
        pool_first=True,
        checkpointing=checkpointing,
    )
