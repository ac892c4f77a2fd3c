from __future__ import annotations

import pytest
import torch

from semicoupled.errors import ShapeError
from semicoupled.nn import SemiCoupledStack, StackState
from semicoupled.nn.state_layout import StateLayout


def test_a_state_is_laid_flat_and_put_together_again() -> None:
    state = SemiCoupledStack(1, [2, 3], cell="lstm").initial_state(2, (4, 5))
    layout = StateLayout.of(state)
    tensors = tuple(torch.randn_like(tensor) for tensor in layout.flatten(state))
    assert layout.names == ("layer1_hidden", "layer1_cell", "layer2_hidden", "layer2_cell")
    again = layout.unflatten(tensors)
    assert again.main is not None
    assert [type(cell).__name__ for cell in again.main] == ["LSTMState", "LSTMState"]
    assert all(one is other for one, other in zip(layout.flatten(again), tensors, strict=True))


def test_what_is_no_state_of_the_main_stream_is_refused() -> None:
    with pytest.raises(ShapeError, match="expected one of the main stream, got none"):
        StateLayout.of(StackState(None, None))
    layout = StateLayout.of(SemiCoupledStack(1, [2]).initial_state(1, (4, 4)))
    with pytest.raises(ShapeError, match=r"expected 1 tensors \(layer1_gate\), got 2"):
        layout.unflatten([torch.zeros(1), torch.zeros(1)])
