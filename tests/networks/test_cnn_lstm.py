"""CNN+LSTM: the same signature as the structure, an LSTM that is torch's, and a state that carries."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from semicoupled.errors import ShapeError
from semicoupled.networks.cnn_lstm import CNNLSTM
from semicoupled.nn import SemiCoupledStack, convlstm

WIDTHS = (4, 6, 6, 8)
STRIDES = (1, 2, 1, 2)


@pytest.fixture
def network() -> CNNLSTM:
    return CNNLSTM(3, WIDTHS, strides=STRIDES, hidden=5, grid=2).double().eval()


@pytest.fixture
def frames() -> torch.Tensor:
    return torch.randn(2, 7, 3, 9, 12, dtype=torch.float64)


def test_plain_layers_give_the_same(network: CNNLSTM, frames: torch.Tensor) -> None:
    """Frame by frame, written out: convolutions, shortcuts from the second layer on, average, LSTM cell."""
    cell = torch.nn.LSTMCell(8 * 4, 5).double()
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in network.lstm.state_dict().items()})
    memory = None
    answers = []
    for frame in frames.unbind(1):
        rows, before = frame, frame
        for index in range(4):
            if index == 1:
                before = rows
            rows = F.relu(network.norms[index](network.convolutions[index](rows), "main", 1))
            if index == 2:
                shortcut = network.shortcuts.starting(1)
                rows = rows + shortcut.norm(shortcut.projection(before), "main", 1)
        memory = cell(F.adaptive_avg_pool2d(rows, 2).flatten(1), memory)
        answers.append(memory[0])
    assert torch.allclose(network(frames).main[..., 0, 0], torch.stack(answers, 1), atol=1e-12)


def test_streaming_equals_the_clip(network: CNNLSTM, frames: torch.Tensor) -> None:
    whole = network(frames, state_at=3)
    state = network.initial_state(2, (9, 12))
    for index, frame in enumerate(frames.unbind(1)):
        answer, state = network.step(frame, state)
        assert torch.allclose(answer, whole.main[:, index], atol=1e-12)
        if index == 2:
            assert all(torch.allclose(a, b) for a, b in zip(state.main[0], whole.state_at.main[0], strict=True))
    assert all(torch.allclose(a, b) for a, b in zip(state.main[0], whole.state.main[0], strict=True))


@pytest.mark.parametrize("at", [0, 7])
def test_the_state_at_either_end(network: CNNLSTM, frames: torch.Tensor, at: int) -> None:
    out = network(frames, state_at=at)
    expected = network.initial_state(2, (9, 12)) if at == 0 else out.state
    assert all(torch.equal(a, b) for a, b in zip(out.state_at.main[0], expected.main[0], strict=True))


def test_the_future_does_not_reach_back(network: CNNLSTM, frames: torch.Tensor) -> None:
    changed = frames.clone()
    changed[:, 4] += 1
    before, after = network(frames).main, network(changed).main
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_a_grid_of_one_cannot_tell_where(frames: torch.Tensor) -> None:
    """On a frame without borders a global average is blind to a shift; a grid is not."""
    blind = CNNLSTM(3, [4], grid=1, norm="none").eval()
    seeing = CNNLSTM(3, [4], grid=2, norm="none").eval()
    spot = torch.zeros(1, 1, 3, 12, 12)
    spot[..., 3, 3] = 1
    moved = spot.roll((6, 6), (3, 4))
    assert torch.allclose(blind(spot).main, blind(moved).main, atol=1e-6)
    assert not torch.allclose(seeing(spot).main, seeing(moved).main, atol=1e-4)


def test_rivals_have_the_same_layers() -> None:
    """Depth, widths and shortcuts agree with the structure's and ConvLSTM's."""
    ours = SemiCoupledStack(1, WIDTHS, strides=STRIDES)
    rivals = (CNNLSTM(1, WIDTHS, strides=STRIDES), convlstm(1, WIDTHS, strides=STRIDES, norm="batch", shortcut_every=2))
    for rival in rivals:
        assert rival.depth == ours.depth
        assert list(rival.shortcuts.by_start) == list(ours.shortcuts.by_start)
        for one, other in zip(rival.shortcuts.parameters(), ours.shortcuts.parameters(), strict=True):
            assert one.shape == other.shape


def test_clamped_weights_are_the_recurrent_ones(network: CNNLSTM) -> None:
    assert [id(weight) for weight in network.recurrent_parameters()] == [id(network.lstm.weight_hh_l0)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net, x: net(x, streams=("main", "spatial")), "streams"),
        (lambda net, x: net(x, switch=object()), "no branches to decouple"),
        (lambda net, x: net(x[:, :, :2]), "C = 3"),
        (lambda net, x: net(x, state_at=8), "0 to 7"),
        (lambda net, x: net(x, net.initial_state(3, (9, 12))), "state of 2 samples"),
        (lambda net, x: CNNLSTM(3, [4, 4], strides=[1]), "each of 2 layers"),
        (lambda net, x: CNNLSTM(3, [4], norm="joint"), "not of a rival"),
    ],
)
def test_refuses(network: CNNLSTM, frames: torch.Tensor, call, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        call(network, frames)
