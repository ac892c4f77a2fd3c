"""Parameter counts of the paper and of METHOD 9, to the unit."""

from __future__ import annotations

import pytest
from torch import nn

from semicoupled.nn import CBMStack, SemiCoupledStack, convgru, convlstm

WIDTHS = {
    2: [64, 8],
    5: [128, 128, 64, 32, 8],
    10: [128] * 5 + [64] * 3 + [32, 8],
    15: [256, 256] + [128] * 4 + [64] * 6 + [32, 32, 8],
}


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("depth", "expected"), [(2, 197_712), (5, 1_127_952), (10, 2_677_264), (15, 5_846_480)])
def test_outline_decoders_semicoupled(depth: int, expected: int) -> None:
    assert count(SemiCoupledStack(131, WIDTHS[depth], norm="none", shortcut_every=None)) == expected
    assert count(CBMStack(131, WIDTHS[depth], norm="none", activation="tanh", shortcut_every=None)) == expected


@pytest.mark.parametrize(("depth", "expected"), [(2, 470_304), (5, 2_939_040), (10, 7_069_856), (15, 15_712_288)])
def test_outline_decoders_convlstm(depth: int, expected: int) -> None:
    assert count(convlstm(131, WIDTHS[depth])) == expected


@pytest.mark.parametrize(("depth", "expected"), [(5, 2_204_280), (15, 11_784_216)])
def test_outline_decoders_convgru(depth: int, expected: int) -> None:
    assert count(convgru(131, WIDTHS[depth])) == expected
