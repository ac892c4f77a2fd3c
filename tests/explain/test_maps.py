"""Maps of a model's stacks, whatever lies around them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from semicoupled.errors import RunError
from semicoupled.explain.maps import draw_maps, mean_gates, recording, stacks, strongest_channels
from semicoupled.nn import SemiCoupledStack, convlstm


class Wrapped(nn.Module):
    """A stack deep inside a model that runs it twice, as a decoder would."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleDict({"encoder": SemiCoupledStack(1, [3, 4], strides=(2, 1))})

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        first = self.parts["encoder"](frames)
        return self.parts["encoder"](frames, first.state).main


@pytest.fixture
def model() -> Wrapped:
    return Wrapped().eval()


def test_records_what_the_stack_computes(model: Wrapped) -> None:
    frames = torch.randn(2, 5, 1, 8, 8)
    with recording(model) as records:
        answer = model(frames)
    (found,) = records.values()
    assert list(records) == ["parts.encoder"]
    assert [(record.layer, record.stream) for record in found] == [(0, "main"), (1, "main")] * 2
    last = found[-1]
    assert torch.equal(last.features, answer)
    assert torch.allclose(last.gate, torch.sigmoid(last.temporal))
    assert torch.allclose(last.features, torch.relu(last.spatial) * last.gate)


def test_nothing_is_left_behind(model: Wrapped) -> None:
    frames = torch.randn(1, 2, 1, 8, 8)
    before = model(frames)
    with recording(model, ("gate",), layers=[-1]) as records:
        assert torch.equal(model(frames), before)
    (found,) = records.values()
    assert [record.layer for record in found] == [1, 1]
    assert found[0].spatial is None
    model(frames)
    assert len(found) == 2


def test_mean_gates_by_layer(model: Wrapped) -> None:
    with recording(model) as records, torch.no_grad():
        model(torch.randn(2, 3, 1, 8, 8))
    (found,) = records.values()
    gates = mean_gates(found)
    assert list(gates) == [0, 1]
    both = torch.cat([record.gate.flatten() for record in found if record.layer == 1])
    assert gates[1] == pytest.approx(float(both.mean()))


def test_the_strongest_channel_varies_most(model: Wrapped) -> None:
    frames = torch.randn(2, 3, 1, 8, 8)
    with recording(model) as records, torch.no_grad():
        model(frames)
    (found,) = records.values()
    maps = strongest_channels(found, sample=1)
    assert [each.layer for each in maps] == [0, 1]
    product = torch.cat([record.features[1] for record in found if record.layer == 1])  # both calls, in order
    assert product.shape[0] == 6
    spread = [float(product[:, channel].std()) for channel in range(4)]
    assert maps[1].channel == max(range(4), key=spread.__getitem__)
    assert torch.equal(maps[1].product, product[:, maps[1].channel])
    figure = draw_maps(torch.zeros(6, 8, 8), maps, "title")
    assert len(figure.axes) == (1 + 3 * 2) * 6


def test_a_rival_has_no_branches() -> None:
    with pytest.raises(RunError, match="no semi-coupled stack"):
        stacks(convlstm(1, [2]))
