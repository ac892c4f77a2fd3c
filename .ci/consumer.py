"""A program that uses the package: its types are checked against the installed wheel, as a user's editor would."""

from __future__ import annotations

from pathlib import Path

import torch

import semicoupled
from semicoupled.nn import Outputs, SemiCoupledStack
from semicoupled.rows import Row, read_rows
from semicoupled.training.stsgd import STSGD


def features(frames: torch.Tensor) -> torch.Tensor:
    """Run a network, B T C H W."""
    net = SemiCoupledStack(in_channels=3, widths=[8, 8])
    out: Outputs = net(frames, streams=("main",), switch=STSGD(net, seed=0).draw(0))
    assert out.main is not None
    return out.main


def best(file: Path) -> Row:
    """Give the highest score of a file."""
    return max(read_rows(file).rows, key=lambda row: row.value)


def forecast(run: str, inputs: list[Path]) -> list[Path]:
    """Make a forecast and name its files."""
    return list(semicoupled.load(run).predict(inputs, out=Path("forecast.nc")))
