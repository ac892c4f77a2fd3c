"""Outlines drawn in training: the rules of drawing, and how likely they were."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from outline_samples import small_settings
from torch import Tensor

from semicoupled.nn import StackState
from semicoupled.nn.streams import HiddenState
from semicoupled.tasks.outline.drawing.decoding import Ask, draw
from semicoupled.tasks.outline.model import OutlineModel, build_model
from semicoupled.tasks.outline.network.choices import allowed, one_hot
from semicoupled.tasks.outline.network.heads import CellHead
from semicoupled.tasks.outline.network.rollout import Rolled, corners, log_probability, roll, told

GRID = 8


@pytest.fixture(scope="module", params=["convlstm", "semicoupled"])
def model(request: pytest.FixtureRequest) -> OutlineModel:
    torch.manual_seed(1)
    built = build_model(small_settings(None, kind=request.param, head="cells", positions="fields").model, GRID).eval()
    with torch.no_grad():
        for parameter in built.network.parameters():
            parameter.mul_(6)  # strong opinions, which depend on the state
        assert isinstance(built.main_head, CellHead)
        built.main_head.closed.weight.mul_(4)
    return built


@pytest.fixture(scope="module")
def features() -> Tensor:
    return torch.randn(6, 8, GRID, GRID, generator=torch.Generator().manual_seed(0))


def _roll(model: OutlineModel, features: Tensor, *, sample: bool) -> Rolled:
    first = torch.tensor([0, 5, 9, 17, 30, 63])
    end = torch.tensor([-1, 20, -1, 44, 31, -1])

    def step(positions: Tensor, state: StackState | None) -> tuple[Tensor, StackState]:
        return model.step(features, positions, state)

    return roll(step, first, end, grid=GRID, most=12, sample=sample)


def test_the_likeliest_outline_is_the_one_that_is_drawn(model: OutlineModel, features: Tensor) -> None:
    rolled = _roll(model, features, sample=False)
    found = corners(rolled, GRID)
    cells = [(int(one) % GRID, int(one) // GRID) for one in rolled.first]
    ends = [None if one < 0 else (int(one) % GRID, int(one) // GRID) for one in rolled.end]
    drawn = draw(model, features, [Ask(*both) for both in zip(cells, ends, strict=True)], most=12)
    assert len({len(one.cells) for one in drawn}) > 1
    for row, one in enumerate(drawn):
        points = found.points[row, : int(found.counts[row])].numpy() - 0.5
        np.testing.assert_array_equal(points, one.cells)


def test_the_probability_is_the_product_of_the_steps(model: OutlineModel, features: Tensor) -> None:
    torch.manual_seed(4)
    rolled = _roll(model, features, sample=True)
    with torch.no_grad():
        maps = told(rolled, GRID)
        frames = torch.cat(
            [features[:, None].expand(-1, maps.shape[1], -1, -1, -1), model._shown(maps)],  # pyright: ignore[reportPrivateUsage]
            dim=2,
        )
        found = log_probability(model.main_head(model.network(frames).main), rolled)
        for row in range(len(features)):
            total, state, last, before = 0.0, None, int(rolled.first[row]), int(rolled.end[row])
            for count, choice in enumerate(rolled.choices[row].tolist(), 1):
                if choice < 0:
                    break
                classes = [torch.tensor([one]) for one in (int(rolled.first[row]), before, last)]
                scores, state = model.step(features[row : row + 1], one_hot(classes, GRID), state)
                total += float(allowed(scores, classes[2], count).log_softmax(-1)[0, choice])
                before, last = last, choice
            assert float(found[row]) == pytest.approx(total, abs=1e-4)


def test_an_outline_ends_where_it_closes_comes_back_or_meets_its_end() -> None:
    closed = GRID * GRID
    script = {1: [9, 10, 17, 3], 2: [18, 18, 1, 4], 3: [closed, 27, 2, 5], 4: [6, 0, 7, 6], 5: [8, 9, 9, 7]}

    def step(positions: Tensor, state: StackState | None) -> tuple[Tensor, StackState]:
        count = 1 if state is None else int(state.main[0][0][0, 0, 0, 0]) + 1  # pyright: ignore
        scores = torch.zeros(len(positions), closed + 1)
        for row, choice in enumerate(script[count]):
            scores[row, choice] = 50
        return scores, StackState((HiddenState(torch.full((4, 1, GRID, GRID), float(count))),), None)

    rolled = roll(step, torch.tensor([0, 0, 2, 2]), torch.tensor([-1, 27, -1, 60]), grid=GRID, most=6, sample=False)
    assert rolled.choices.tolist() == [
        [9, 18, closed, -1, -1],
        [10, 18, 27, -1, -1],
        [17, 1, 2, -1, -1],
        [3, 4, 5, 6, 7],
    ]
    assert rolled.map[:3, 0, 0, 0].tolist() == [3, 3, 3]  # the state when it ended, not what came after
    found = corners(rolled, GRID)
    assert found.counts.tolist() == [3, 4, 3, 6]
    last = found.points[3, 5] - 0.5
    assert last.tolist() == [60 % GRID, 60 // GRID]  # it was given
