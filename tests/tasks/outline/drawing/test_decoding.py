"""Drawing: given points are kept, outlines come to an end, several in view are at least as likely as one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from outline_samples import small_settings
from torch import Tensor, nn

from semicoupled.nn import StackState
from semicoupled.nn.streams import HiddenState
from semicoupled.tasks.outline.drawing.decoding import Ask, draw, first_points
from semicoupled.tasks.outline.model import OutlineModel, build_model
from semicoupled.tasks.outline.network.choices import allowed, likeliest, neighborhood, one_hot
from semicoupled.tasks.outline.network.rollout import Corners

GRID = 16
SQUARE = [(3, 3), (10, 3), (10, 10), (3, 10)]


class Script(nn.Module):
    """Stands in for the network: after each cell comes the next one of a square; `never` keeps it from closing."""

    grid = GRID

    def __init__(self, *, never: bool = False, at_once: bool = False) -> None:
        super().__init__()
        self.never, self.at_once = never, at_once

    def read_maps(self, features: Tensor) -> Tensor:
        maps = torch.zeros(len(features), 3, GRID, GRID)
        maps[:, 2, SQUARE[0][1], SQUARE[0][0]] = 5
        return maps

    def step(self, features: Tensor, positions: Tensor, state: StackState | None) -> tuple[Tensor, StackState]:
        scores = torch.zeros(len(features), GRID * GRID + 1)
        for row, last in enumerate(positions[:, 2].flatten(1).argmax(1).tolist()):
            x, y = last % GRID, last // GRID
            place = SQUARE.index((x, y)) if (x, y) in SQUARE else 0
            following = SQUARE[(place + 1) % 4]
            closing = place == 3 and not self.never
            scores[row, -1 if closing or self.at_once else following[1] * GRID + following[0]] = 20
            if self.never and place == 3:
                scores[row] = 0
                scores[row, 11 * GRID + 4 + (last % 2)] = 20
        return scores, StackState((), None)


def _draw(script: Script, asks: list[Ask], **options: int) -> list[list[tuple[int, int]]]:
    found = draw(script, torch.zeros(len(asks), 4, GRID, GRID), asks, **options)  # pyright: ignore[reportArgumentType]
    return [[tuple(cell) for cell in one.cells.tolist()] for one in found]


@pytest.mark.parametrize("beam", [1, 3])
def test_a_square_is_drawn_from_any_prompt(beam: int) -> None:
    asks = [Ask((3, 3), (3, 10)), Ask((10, 10)), Ask()]
    found = _draw(Script(), asks, beam=beam)
    assert found[0] == SQUARE
    assert found[1][0] == (10, 10)
    assert found[2] == SQUARE  # it begins where the network sees the likeliest point


def test_no_end_by_the_most_points_is_said() -> None:
    drawn = draw(Script(never=True), torch.zeros(1, 4, GRID, GRID), [Ask((3, 3))], most=9)[0]  # pyright: ignore[reportArgumentType]
    assert not drawn.closed
    assert len(drawn.cells) == 9


def test_an_end_that_is_given_is_the_last_point_also_where_there_is_no_more_room() -> None:
    assert _draw(Script(), [Ask((3, 3), (2, 12))])[0] == [*SQUARE, (2, 12)]
    full = draw(Script(never=True), torch.zeros(1, 4, GRID, GRID), [Ask((3, 3), (0, 15))], most=9)[0]  # pyright: ignore[reportArgumentType]
    assert len(full.cells) == 9
    assert full.cells[-1].tolist() == [0, 15]


def test_points_that_were_drawn_past_a_given_end_give_way_to_it() -> None:
    assert _draw(Script(), [Ask((3, 3), (5, 12))])[0] == [*SQUARE[:3], (5, 12)]


def test_an_outline_does_not_close_before_its_third_point() -> None:
    assert len(_draw(Script(at_once=True), [Ask((3, 3))])[0]) == 3


def test_what_is_ruled_out() -> None:
    scores = allowed(torch.zeros(1, 257), torch.tensor([5]), 2)
    assert scores[0, 5] == -torch.inf
    assert scores[0, 256] == -torch.inf
    assert allowed(torch.zeros(1, 257), torch.tensor([5]), 3)[0, 256] == 0


def test_confidence_counts_the_neighbors() -> None:
    chances = torch.zeros(3, GRID * GRID + 1)
    chances[0, [0, 1, GRID]] = torch.tensor([0.5, 0.2, 0.1])
    chances[1, 256], chances[1, 0] = 0.7, 0.3
    chances[2, 5 * GRID + 5], chances[2, 7 * GRID + 5] = 0.4, 0.6
    near = neighborhood(chances, torch.tensor([0, 256, 5 * GRID + 5]), GRID)
    torch.testing.assert_close(near, torch.tensor([0.8, 0.7, 0.4]))


def test_an_end_has_to_be_likelier_than_a_point_with_its_neighbors() -> None:
    chances = torch.zeros(3, GRID * GRID + 1)
    chances[0, [0, 1, GRID]], chances[0, 256] = torch.tensor([0.3, 0.2, 0.15]), 0.35  # .65 around the corner
    chances[1, [0, 1, GRID]], chances[1, 256] = torch.tensor([0.1, 0.1, 0.1]), 0.7
    chances[2, [5 * GRID + 5, 9 * GRID + 9]], chances[2, 256] = torch.tensor([0.3, 0.3]), 0.4  # two places far apart
    assert likeliest(chances, GRID).tolist() == [0, 256, 256]


def test_maps_of_classes() -> None:
    maps = one_hot([torch.tensor([3, -1])], GRID)
    assert maps.shape == (2, 1, GRID, GRID)
    assert maps[0].sum() == maps[0, 0, 0, 3] == 1
    assert maps[1].sum() == 0


def test_a_wider_view_is_at_least_as_likely(outline_root: Path) -> None:
    del outline_root
    torch.manual_seed(3)
    settings = small_settings(head="cells")
    model: OutlineModel = build_model(settings.model, GRID).eval()
    features = model.encode(torch.rand(4, 3, 64, 64))
    asks = [Ask((3, 3), (3, 9)), Ask((5, 5)), Ask(), Ask((0, 0))]
    one, wide = (draw(model, features, asks, beam=beam, most=6) for beam in (1, 8))
    assert np.mean([b.score for b in wide]) >= np.mean([a.score for a in one]) - 1e-6
    again = draw(model, features, asks, beam=1, most=6)
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a.cells, b.cells)
    alone = draw(model, features[1:2], asks[1:2], beam=1, most=6)[0]
    np.testing.assert_array_equal(alone.cells, one[1].cells)  # those beside it change nothing


class Judge(nn.Module):
    """Stands in for an evaluator: likes outlines by where they begin."""

    def __init__(self, liked: tuple[int, int]) -> None:
        super().__init__()
        self.liked = torch.tensor(liked)
        self.asked: list[int] = []

    def forward(self, features: Tensor, remembered: Tensor, drawn: Corners) -> Tensor:
        assert len(features) == len(remembered) == len(drawn.points)
        self.asked.append(len(features))
        return -(drawn.points[:, 0] - 0.5 - self.liked).abs().sum(1)


class Remembering(Script):
    """Sees four peaks, one at each corner of the square, and remembers the number of the step."""

    def read_maps(self, features: Tensor) -> Tensor:
        maps = torch.zeros(len(features), 3, GRID, GRID)
        for height, (x, y) in zip((9, 7, 8, 6), SQUARE, strict=True):
            maps[:, 2, y, x], maps[:, 2, y, x + 1] = height, height - 0.5  # what is next to a peak is none
        return maps

    def step(self, features: Tensor, positions: Tensor, state: StackState | None) -> tuple[Tensor, StackState]:
        scores, _ = super().step(features, positions, state)
        return scores, StackState((HiddenState(features),), None)


def test_first_points_are_peaks() -> None:
    script = Remembering()
    features = torch.zeros(2, 4, GRID, GRID)
    cells = [y * GRID + x for x, y in (SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3])]
    assert first_points(script, features, 4) == [cells, cells]  # pyright: ignore[reportArgumentType]
    assert first_points(script, features) == [cells[:1]] * 2  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("beam", [1, 2])
def test_the_evaluator_chooses_among_first_points(beam: int) -> None:
    script = Remembering()
    script.evaluator = Judge(SQUARE[1])
    found = _draw(script, [Ask(), Ask((10, 10)), Ask()], beam=beam, firsts=3)
    assert found[0] == found[2] == [SQUARE[1], SQUARE[2], SQUARE[3]]
    assert found[1][0] == (10, 10)  # it was given
    assert script.evaluator.asked == [7 * beam]
    without = Remembering()
    assert _draw(without, [Ask()], beam=beam, firsts=3)[0] == SQUARE  # the likeliest: no corner is missing


def test_an_evaluator_is_not_asked_where_there_is_no_choice() -> None:
    script = Remembering()
    script.evaluator = Judge(SQUARE[1])
    assert _draw(script, [Ask((3, 3))], firsts=5)[0] == SQUARE
    assert script.evaluator.asked == []
