"""The self-critical gradient against the exact one, over every outline that there is; and that it raises the IoU."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from semicoupled.nn import StackState
from semicoupled.nn.streams import HiddenState
from semicoupled.tasks.outline.network.reinforce import Drawn, iou_of, likelihood, self_critical, try_out
from semicoupled.tasks.outline.network.rollout import Corners, Rolled, corners

GRID, MOST = 2, 4
CLOSED = GRID * GRID
FIRST = torch.tensor([0])
NONE = torch.tensor([-1])
TRUTH = torch.tensor([[[0.5, 0.5], [1.5, 0.5], [1.5, 1.5]]]).repeat_interleave(4, 1)


class Table:
    """A policy that is a table: scores of the next class, by t-2 and t-1; its only state is the number of the step."""

    def __init__(self, grid: int = GRID, seed: int = 0) -> None:
        classes = grid * grid + 1
        generator = torch.Generator().manual_seed(seed)
        self.table = torch.randn(classes, classes, classes, generator=generator, dtype=torch.float64).requires_grad_()

    def scores(self, positions: Tensor) -> Tensor:
        cells = positions.flatten(-2)
        known = torch.where(cells.amax(-1) > 0, cells.argmax(-1), cells.shape[-1])
        return self.table[known[..., 1], known[..., 2]]

    def step(self, positions: Tensor, state: StackState | None) -> tuple[Tensor, StackState]:
        del state
        return self.scores(positions), StackState((HiddenState(positions[:, :1]),), None)


def every_outline() -> list[list[int]]:
    """All sequences of choices, by the rules written down once more."""
    found: list[list[int]] = []

    def go(done: list[int], last: int) -> None:
        if len(done) == MOST - 1:
            found.append(done)
            return
        for choice in range(CLOSED + 1):
            if choice == last or (choice == CLOSED and len(done) < 2):
                continue
            if choice in (CLOSED, 0):
                found.append([*done, choice])
            else:
                go([*done, choice], choice)

    go([], 0)
    return found


def as_rolled(choices: list[int]) -> Rolled:
    padded = [*choices, *[-1] * (MOST - 1 - len(choices))]
    return Rolled(FIRST, NONE, torch.tensor([padded]), torch.zeros(1))


def exact(policy: Table) -> tuple[Tensor, Tensor, Tensor]:
    """Probability, log probability and reward of every outline."""
    rolled = [as_rolled(choices) for choices in every_outline()]
    logs = torch.cat([likelihood(policy.scores, one, GRID) for one in rolled]).double()
    rewards = torch.cat([iou_of(corners(one, GRID), TRUTH, GRID) for one in rolled]).double()
    return logs.exp(), logs, rewards


def test_all_outlines_together_are_certain_and_their_rewards_differ() -> None:
    chances, _, rewards = exact(Table())
    assert float(chances.detach().sum()) == pytest.approx(1, abs=1e-6)
    assert len(set(rewards.tolist())) >= 2
    assert float(rewards.max()) == pytest.approx(1)


def test_in_expectation_it_is_the_gradient_of_the_expected_iou() -> None:
    policy = Table()
    chances, logs, rewards = exact(policy)
    (wanted,) = torch.autograd.grad((chances * rewards).sum(), policy.table, retain_graph=True)
    likely = try_out(policy.step, FIRST, NONE, TRUTH, grid=GRID, most=MOST, sample=False).iou
    found = torch.zeros_like(wanted)
    for chance, log, reward in zip(chances.detach(), logs, rewards, strict=True):
        loss = self_critical(log[None], reward[None], likely)
        (gradient,) = torch.autograd.grad(loss, policy.table, retain_graph=True)
        found -= chance * gradient
    assert float(wanted.abs().max()) > 0.01
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-7)


def test_outlines_come_as_often_as_they_are_likely_and_their_gradients_average_to_the_exact_one() -> None:
    policy = Table()
    chances, _, rewards = exact(policy)
    (wanted,) = torch.autograd.grad((chances * rewards).sum(), policy.table)
    torch.manual_seed(0)
    many = 20_000
    tried: Drawn = try_out(
        policy.step,
        FIRST.expand(many),
        NONE.expand(many),
        TRUTH.expand(many, -1, -1),
        grid=GRID,
        most=MOST,
        sample=True,
    )
    names = {tuple(choices): number for number, choices in enumerate(every_outline())}
    counts = torch.zeros(len(names))
    for row in tried.rolled.choices.tolist():
        counts[names[tuple(choice for choice in row if choice >= 0)]] += 1
    error = (chances * (1 - chances) / many).sqrt().float()
    assert bool(((counts / many - chances).abs() < 5 * error + 1e-6).all())
    likely = try_out(policy.step, FIRST, NONE, TRUTH, grid=GRID, most=MOST, sample=False).iou
    loss = self_critical(likelihood(policy.scores, tried.rolled, GRID), tried.iou, likely.expand(many))
    (found,) = torch.autograd.grad(loss, policy.table)
    assert float((wanted + found).abs().max()) < 0.01


def test_the_gradient_of_the_likelihood_is_that_of_finite_differences() -> None:
    policy = Table()
    rolled = as_rolled([1, 3, CLOSED])

    def log(table: Tensor) -> Tensor:
        policy.table = table
        return likelihood(lambda positions: policy.scores(positions).double(), rolled, GRID).double()

    table = policy.table.detach()
    policy.table = table.clone().requires_grad_()
    (found,) = torch.autograd.grad(log(policy.table).sum(), policy.table)
    for place in ((4, 0, 1), (0, 1, 3), (1, 3, 4), (1, 3, 2)):
        step = torch.zeros_like(table)
        step[place] = 1e-2
        slope = float((log(table + step) - log(table - step)) / 2e-2)
        assert float(found[place]) == pytest.approx(slope, abs=1e-3)
        assert abs(slope) > 1e-3


def test_it_raises_the_iou() -> None:
    grid, most = 4, 8
    policy = Table(grid, seed=1)
    truth = torch.tensor([[[0.5, 0.5], [3.5, 0.5], [3.5, 3.5], [0.5, 3.5]]])
    optimizer = torch.optim.Adam([policy.table], lr=0.1)
    torch.manual_seed(0)
    many = 64
    first, end = FIRST.expand(many), NONE.expand(many)
    means: list[float] = []
    for _ in range(60):
        chance, likely = (
            try_out(policy.step, first, end, truth.expand(many, -1, -1), grid=grid, most=most, sample=sample)
            for sample in (True, False)
        )
        loss = self_critical(likelihood(policy.scores, chance.rolled, grid), chance.iou, likely.iou)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        means.append(float(chance.iou.mean()))
    assert sum(means[-5:]) / 5 > sum(means[:5]) / 5 + 0.3


def test_the_iou_is_that_of_the_shapes() -> None:
    square = torch.tensor([[[1.0, 1.0], [5.0, 1.0], [5.0, 5.0], [1.0, 5.0]]])
    half = Corners(torch.tensor([[[1.0, 1.0], [5.0, 1.0], [5.0, 3.0], [1.0, 3.0], [7.0, 7.0]]]), torch.tensor([4]))
    assert float(iou_of(half, square, 8)) == pytest.approx(0.5)
