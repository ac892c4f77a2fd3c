"""Attention: the weights of plain loops, none at first, the same step by step, gradients, and that it pays."""

from __future__ import annotations

import pytest
import torch
from outline_samples import small_settings
from torch import Tensor

from semicoupled.nn import StackState
from semicoupled.nn.streams import LSTMState
from semicoupled.tasks.outline.model import OutlineModel, build_model
from semicoupled.tasks.outline.network.attention import Attention, attend_by_loops

GRID = 8


def _case(dtype: torch.dtype = torch.float64, grid: int = 4) -> tuple[Attention, Tensor, StackState]:
    torch.manual_seed(0)
    attention = Attention(5, 3, 2).to(dtype)
    torch.nn.init.normal_(attention.score.weight)
    layers = tuple(LSTMState(*torch.randn(2, 2, width, grid, grid, dtype=dtype)) for width in (3, 4, 2))
    return attention, torch.randn(2, 5, grid, grid, dtype=dtype), StackState(layers, None)


def test_it_is_what_loops_say() -> None:
    attention, features, state = _case()
    with torch.no_grad():
        found, wanted = attention(features, state), attend_by_loops(attention, features, state)
        weights = attention.weights(features, state)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)  # the softmax is in single precision
    torch.testing.assert_close(weights.mean((1, 2, 3)), torch.ones(2))
    assert float(weights.max()) > 2


def test_the_gradient_is_that_of_finite_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    attention, features, state = _case(grid=2)
    monkeypatch.setattr(Tensor, "float", lambda tensor: tensor)  # else the softmax is too coarse for it
    hidden = state.main[0][0].clone().requires_grad_()  # pyright: ignore[reportOptionalSubscript]
    features.requires_grad_()

    def run(features: Tensor, hidden: Tensor, weight: Tensor) -> Tensor:
        layers = state.main
        assert layers is not None
        now = StackState((LSTMState(hidden, hidden), *layers[1:]), None)
        named = dict(attention.named_parameters()) | {"last.weight": weight}
        return torch.func.functional_call(attention, named, (features, now))

    weight = attention.last.weight.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(run, (features, hidden, weight))


def _model(**model: object) -> OutlineModel:
    torch.manual_seed(2)
    return build_model(small_settings(None, kind="convlstm", **model).model, GRID).eval()


def test_it_begins_as_none() -> None:
    plain, attending = _model(), _model(attention=True)
    found = attending.load_state_dict(plain.state_dict(), strict=False)
    assert {name.split(".")[0] for name in found.missing_keys} == {"attention"}
    features, positions = torch.randn(2, 8, GRID, GRID), torch.zeros(2, 3, GRID, GRID)
    state = None
    with torch.no_grad():
        for _ in range(3):
            wanted, _ = plain.step(features, positions, state)
            scores, state = attending.step(features, positions, state)
            torch.testing.assert_close(scores, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["convlstm", "convgru"])
def test_one_point_at_a_time_scores_what_the_whole_outline_does(kind: str) -> None:
    from semicoupled.tasks.outline.data import CONTOUR, OutlineBatch

    torch.manual_seed(5)
    model = build_model(small_settings(None, kind=kind, attention=True).model, GRID).eval()
    assert model.attention is not None
    torch.nn.init.normal_(model.attention.score.weight, std=3)
    frames = (torch.rand(2, 6, 3, GRID, GRID) > 0.9).float()
    batch = OutlineBatch(
        frames,
        torch.randint(0, 255, (2, 3, 32, 32), dtype=torch.uint8),
        torch.zeros(2, 6, dtype=torch.int64),
        torch.ones(2, 6),
        torch.zeros(2, 3, GRID, GRID),
        torch.zeros(2, CONTOUR, 2),
    )
    with torch.no_grad():
        whole = model(batch, state_at=4)
        features, state = model.encode(batch.image.float() / 255), None
        for step in range(6):
            scores, state = model.step(features, frames[:, step], state)
            torch.testing.assert_close(scores, whole.main[:, step], rtol=1e-4, atol=1e-5)
        rest = model(batch._replace(frames=frames[:, 4:], weight=batch.weight[:, 4:]), whole.state_at)
    torch.testing.assert_close(rest.main, whole.main[:, 4:], rtol=1e-4, atol=1e-5)


def test_it_learns_where_to_look() -> None:
    """The state says which of four cells counts; what lies in it has to be told. Without looking it is a guess."""
    torch.manual_seed(0)
    errors: dict[bool, float] = {}
    for looking in (True, False):
        torch.manual_seed(0)
        attention, read = Attention(17, 4, 4), torch.nn.Linear(17, 1)
        learned = [*read.parameters(), *(attention.parameters() if looking else ())]
        optimizer = torch.optim.Adam(learned, lr=0.02)
        last = 0.0
        for step in range(240):
            corner = torch.randint(4, (64,))
            told = 2 * torch.nn.functional.one_hot(corner, 4).float()[..., None, None].expand(-1, -1, 2, 2)
            value = torch.randn(64, 1, 2, 2)
            where = 2 * torch.eye(4).view(1, 4, 2, 2).expand(64, -1, -1, -1)
            features = torch.cat([0.3 * value, torch.zeros(64, 12, 2, 2), where], dim=1)
            state = StackState((LSTMState(told, told), LSTMState(told, told)), None)
            seen = attention(features, state) if looking else features
            wanted = value.flatten(1).gather(1, corner[:, None])
            loss = (read(seen.mean((2, 3))) - wanted).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            last += loss.item() / 20 if step >= 220 else 0.0
        errors[looking] = last
    assert errors[False] > 0.6
    assert errors[True] < 0.65 * errors[False]
