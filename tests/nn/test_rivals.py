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
        ({"record": ("features",), "record_layers": (2,)}, "expected numbers from -2 to 1"),
        ({"record": ("feature",)}, "Did you mean 'features'"),
        ({"frames": CLIP[:, :, :2]}, r"expected B T C H W with C = 3, got \(2, 4, 2, 8, 8\)"),
    ],
)
def test_refuses(build: Any, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        _ = build(3, [4, 4])(**{"frames": CLIP} | asked)


@pytest.mark.parametrize(("build", "other"), [(convlstm, convgru), (convgru, convlstm)])
def test_a_state_of_another_batch_size_or_network_is_refused(build: Any, other: Any) -> None:
    network = build(3, [4, 4])
    for clip in (CLIP[:1], CLIP[..., :1]):  # both would be broadcast
        with pytest.raises(ShapeError, match=r"expected \(2, 4, 8, 8\) \(batch, channels, size\) in this layer"):
            _ = network(CLIP, network(clip).state)
    with pytest.raises(ShapeError, match=r"state: expected a (LSTM|Hidden)State, got (LSTM|Hidden)State\. It comes"):
        _ = network(CLIP, other(3, [4, 4])(CLIP).state)
    with pytest.raises(ShapeError, match=r"state: expected 2 layers, got 1\. Pass what"):
        _ = network(CLIP, build(3, [4])(CLIP).state)
