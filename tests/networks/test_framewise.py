"""Networks on single frames, and an LSTM over them."""

from __future__ import annotations

import pytest
import torch

from semicoupled.errors import ShapeError
from semicoupled.networks.framewise import Framewise, FramewiseLSTM
from semicoupled.networks.grid import GridHead, grid_mean
from semicoupled.networks.residual_trunk import ResidualTrunk
from semicoupled.nn import fold_norms


def trunk(**more: object) -> ResidualTrunk:
    return ResidualTrunk(3, (4, 6, 6), kernel_size=(5, 3, 3), strides=(2, 1, 2), pool_first=True, **more)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("make", [lambda: Framewise(trunk()), lambda: FramewiseLSTM(trunk(), 5, (2, 3))])
def test_a_clip_and_its_frames_one_by_one_are_the_same(make: object) -> None:
    network = make().eval()  # pyright: ignore[reportCallIssue]
    frames = torch.randn(2, 5, 3, 24, 32)
    with torch.no_grad():
        whole = network(frames, state_at=2)
        state, steps = None, []
        for index in range(5):
            features, state = network.step(frames[:, index], state)
            steps.append(features)
        late = network(frames[:, 2:], whole.state_at)
        ends = [network(frames, state_at=at).state_at for at in (0, 5)]
    assert torch.allclose(torch.stack(steps, 1), whole.main, atol=1e-6)
    assert torch.allclose(late.main, whole.main[:, 2:], atol=1e-6)
    for cell, other in zip(ends[1].main, whole.state.main, strict=True):
        assert all(torch.allclose(one, two) for one, two in zip(cell, other, strict=True))
    assert all(not bool(tensor.any()) for cell in ends[0].main for tensor in cell)


def test_the_features_of_each_layer_can_be_had() -> None:
    output = Framewise(trunk()).eval()(torch.randn(1, 2, 3, 24, 32), record=("features",), record_layers=(0, -1))
    assert [record.layer for record in output.record] == [0, 2]
    assert output.record[0].features.shape == (1, 2, 4, 12, 16)
    assert torch.equal(output.record[1].features, output.main)


def test_norms_fold_into_the_convolutions() -> None:
    network = Framewise(trunk())
    frames = torch.randn(2, 3, 3, 24, 32)
    _ = network.train()(frames)
    with torch.no_grad():
        wanted, folded = network.eval()(frames).main, fold_norms(network)(frames).main
    assert torch.allclose(wanted, folded, atol=1e-5)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"'joint' is a form of Eq\. 5"):
        trunk(norm="joint")
    with pytest.raises(ShapeError, match="expected widths, kernels and strides for the same layers, got 2, 1 and 2"):
        ResidualTrunk(3, (4, 4), kernel_size=(3,), strides=(1, 1))
    network = FramewiseLSTM(trunk(), 5)
    with pytest.raises(ShapeError, match="expected the LSTM's state of 2 samples"):
        network(torch.randn(2, 1, 3, 24, 32), network.initial_state(1, (24, 32)))
    with pytest.raises(ShapeError, match="expected numbers from -3 to 2"):
        network(torch.randn(2, 1, 3, 24, 32), record=("features",), record_layers=(3,))


@pytest.mark.parametrize("cells", [(1, 1), (2, 3), (5, 7), (9, 2)])
def test_a_grid_is_averaged_the_same_way_in_an_export(cells: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.randn(2, 3, 6, 10)
    wanted = grid_mean(rows, cells)
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    assert torch.allclose(grid_mean(rows, cells), wanted, atol=1e-6)


def test_a_grid_tells_where_and_a_global_average_does_not() -> None:
    left, right = torch.zeros(2, 1, 1, 2, 4, 8)
    left[..., 0], right[..., 7] = 1, 1
    for grid, same in (((1, 1), True), ((1, 4), False)):
        head = GridHead(2, 1, grid)
        assert torch.allclose(head(left), head(right)) == same
