"""The networks that are measured, and the clips that go in."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from semicoupled.errors import SettingsError, nearest
from semicoupled.networks.table1 import table1
from semicoupled.nn import SemiCoupledStack
from semicoupled.nn.norm import Norm


class Preset(NamedTuple):
    """A network and its usual clip.

    Attributes:
        name: as in the condition of a row.
        build: makes the network with a norm.
        in_channels: of the frames.
        size: height and width of the frames in px.
        frames: length of a clip.
    """

    name: str
    build: Callable[[Norm], SemiCoupledStack]
    in_channels: int
    size: int
    frames: int


PAPER_DEPTH, PAPER_WIDTH, PAPER_SIZE = 15, 64, 28


def _paper(norm: Norm) -> SemiCoupledStack:
    return SemiCoupledStack(PAPER_WIDTH, [PAPER_WIDTH] * PAPER_DEPTH, norm=norm, shortcut_every=2)


def _table1(norm: Norm) -> SemiCoupledStack:
    return table1(norm=norm)


PRESETS = {
    "paper15x64": Preset("paper15x64", _paper, PAPER_WIDTH, PAPER_SIZE, 10),
    "table1": Preset("table1", _table1, 3, 128, 5),
}


def find_preset(name: str) -> Preset:
    """Give a preset by its name.

    Raises:
        SettingsError: there is none of this name.
    """
    if name not in PRESETS:
        raise SettingsError(f"there is no preset {name!r} to measure. {nearest(name, PRESETS)}")
    return PRESETS[name]
