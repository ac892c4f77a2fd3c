"""What rivals cannot be asked for."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semicoupled.errors import ShapeError
from semicoupled.nn import FixedSwitching, convgru, convlstm

CLIP = torch.zeros(2, 4, 3, 8, 8)


@pytest.mark.parametrize("build", [convlstm, convgru])
@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"switch": FixedSwitching({})}, "no branches to decouple"),
        ({"streams": ("main", "spatial")}, "expected one or more of main"),
        ({"state_at": 5}, "state_at: expected 0 to 4"),
        ({"frames": CLIP[:, :, :2]}, r"expected B T C H W with C = 3, got \(2, 4, 2, 8, 8\)"),
    ],
)
def test_refuses(build: Any, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        _ = build(3, [4, 4])(**{"frames": CLIP} | asked)
