"""The LSTM over frames: both networks that have one keep their parameters' names, and an export says the same."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.networks.cnn_lstm import CNNLSTM
from semicoupled.networks.framewise import FramewiseLSTM
from semicoupled.networks.lstm_over_frames import initial_memory, remember
from semicoupled.networks.residual_trunk import ResidualTrunk
from semicoupled.nn.streams import StackState

ROWS = (6, 4, 5, 7)


def rows() -> torch.Tensor:
    return torch.randn(*ROWS)


@pytest.mark.parametrize("state_at", [None, 0, 2, 3])
def test_an_export_runs_the_gates_one_by_one(state_at: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    lstm, maps = nn.LSTM(24, 5), rows()
    plain = remember(lstm, maps, (2, 3), 3, None, state_at)
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    by_gates = remember(lstm, maps, (2, 3), 3, None, state_at)
    assert plain.main.shape == (2, 3, 5, 1, 1)
    torch.testing.assert_close(by_gates.main, plain.main)
    torch.testing.assert_close(by_gates.state, plain.state)
    torch.testing.assert_close(by_gates.state_at, plain.state_at)
    assert (plain.state_at is None) == (state_at is None)


def test_zeros_are_the_beginning_and_another_batch_is_refused() -> None:
    lstm, maps = nn.LSTM(4, 5), rows()
    begun = remember(lstm, maps, (1, 1), 3, initial_memory(lstm, 2), None)
    assert torch.equal(begun.main, remember(lstm, maps, (1, 1), 3, None, None).main)
    wanted = r"expected the LSTM's state of 2 samples, LSTMState \(2, 5\), got "
    with pytest.raises(ShapeError, match=wanted + r"LSTMState \(3, 5\)\. Pass"):
        remember(lstm, maps, (1, 1), 3, initial_memory(lstm, 3), None)
    with pytest.raises(ShapeError, match=wanted + r"LSTMState \(2, 4\)\. Pass"):
        remember(lstm, maps, (1, 1), 3, initial_memory(nn.LSTM(4, 4), 2), None)
    with pytest.raises(ShapeError, match=wanted + r"none\. Pass"):
        remember(lstm, maps, (1, 1), 3, StackState((), None), None)


def test_runs_find_their_parameters() -> None:
    lstm = ["lstm.weight_ih_l0", "lstm.weight_hh_l0", "lstm.bias_ih_l0", "lstm.bias_hh_l0"]
    trunk = ResidualTrunk(3, (4,), kernel_size=(3,), strides=(1,))
    assert [name for name in FramewiseLSTM(trunk, 5).state_dict() if "lstm" in name] == lstm
    assert [name for name in CNNLSTM(3, (4,)).state_dict() if "lstm" in name] == lstm
