"""The structure: torch alone, usable by itself.

net = SemiCoupledStack(in_channels=3, widths=[64] * 15)
out = net(frames, streams=("main", "spatial"))     # frames: B T C H W
features, state = net.step(frame, state)           # the same weights, one frame at a time
"""

from __future__ import annotations

from semicoupled.nn.cbm import CBMStack
from semicoupled.nn.convgru import convgru
from semicoupled.nn.convlstm import convlstm
from semicoupled.nn.folding import fold_norms
from semicoupled.nn.layer import SemiCoupledLayer
from semicoupled.nn.operators import conv2d, linear
from semicoupled.nn.packed import PackedStack, pack
from semicoupled.nn.recurrent import RecurrentStack
from semicoupled.nn.stack import SemiCoupledStack
from semicoupled.nn.streams import LayerRecord, Outputs, StackState, detach, map_state
from semicoupled.nn.switch import FixedSwitching, Pattern, Switching, switch

__all__ = [
    "CBMStack",
    "FixedSwitching",
    "LayerRecord",
    "Outputs",
    "PackedStack",
    "Pattern",
    "RecurrentStack",
    "SemiCoupledLayer",
    "SemiCoupledStack",
    "StackState",
    "Switching",
    "conv2d",
    "convgru",
    "convlstm",
    "detach",
    "fold_norms",
    "linear",
    "map_state",
    "pack",
    "switch",
]
