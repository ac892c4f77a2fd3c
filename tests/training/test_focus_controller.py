from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from semicoupled.errors import SettingsError
from semicoupled.nn.stack import SemiCoupledStack
from semicoupled.nn.streams import Branch
from semicoupled.nn.switch import FixedSwitching
from semicoupled.training.focus_controller import FocusController, score
from semicoupled.training.switches import Votes

FRAMES = 2
PLACES: list[tuple[Branch, int]] = [("spatial", 1), ("temporal", 1)]


def rewards_of_all_draws() -> list[tuple[Votes, float]]:
    """How much one step of gradient descent lowers the main loss, for every setting of a small net's switches."""
    torch.manual_seed(5)
    net = SemiCoupledStack(2, [2, 2], norm="none", shortcut_every=None).double()
    frames = torch.randn(1, FRAMES, 2, 3, 3, dtype=torch.float64)
    target = torch.randn(1, FRAMES, 2, 3, 3, dtype=torch.float64)

    def loss(switch: FixedSwitching | None) -> Tensor:
        out = net(frames, switch=switch)
        assert out.main is not None
        return (out.main - target).square().mean()

    rewards: list[tuple[Votes, float]] = []
    for bits in itertools.product((True, False), repeat=len(PLACES) * FRAMES):
        patterns = {place: torch.tensor(bits[2 * index : 2 * index + 2]) for index, place in enumerate(PLACES)}
        before = loss(FixedSwitching(patterns))
        gradient = torch.autograd.grad(before, list(net.parameters()))
        with torch.no_grad():
            for parameter, step in zip(net.parameters(), gradient, strict=True):
                parameter -= 0.2 * step
            after = loss(None)
            for parameter, step in zip(net.parameters(), gradient, strict=True):
                parameter += 0.2 * step
        ways = int(patterns["spatial", 1].sum()) + int((~patterns["temporal", 1]).sum())
        rewards.append((Votes(len(bits), ways), (before - after).item()))
    return rewards


def probability(votes: Votes, q: Tensor) -> Tensor:
    """Temporal is stopped with q, spatial is open with q (Eq. 19)."""
    return q**votes.spatial_ways * (1 - q) ** (votes.asked - votes.spatial_ways)


@pytest.mark.parametrize("q", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("baseline", [0.0, 0.03])
def test_the_estimators_expectation_is_the_derivative(q: float, baseline: float) -> None:
    rewards = rewards_of_all_draws()
    assert len({round(reward, 9) for _, reward in rewards}) > 8
    focus = torch.tensor(q, dtype=torch.float64, requires_grad=True)
    expected = torch.stack([probability(votes, focus) * reward for votes, reward in rewards]).sum()
    (derivative,) = torch.autograd.grad(expected, focus)
    estimate = sum(
        float(probability(votes, focus.detach())) * (reward - baseline) * score(votes, q) for votes, reward in rewards
    )
    assert abs(float(derivative)) > 1e-4
    assert estimate == pytest.approx(float(derivative), rel=1e-9)


def test_a_proposals_gradient_is_that_of_q_in_the_parameters() -> None:
    controller = FocusController(seed=2)
    with torch.no_grad():
        for parameter in controller.layers.parameters():
            parameter += 0.1
    losses = (0.8, 1.0, 0.7)
    proposal = controller.propose(*losses)
    step = 1e-6
    for parameter, gradient in zip(controller.layers.parameters(), proposal.gradient, strict=True):
        with torch.no_grad():
            parameter.view(-1)[0] += step
        moved = controller.propose(*losses).spatial_focus
        with torch.no_grad():
            parameter.view(-1)[0] -= step
        assert (moved - proposal.spatial_focus) / step == pytest.approx(float(gradient.view(-1)[0]), abs=1e-5)


@pytest.mark.parametrize(("sign", "low", "high"), [(1.0, 0.96, 0.99), (-1.0, 0.5, 0.7)])
def test_it_learns_which_way_pays(sign: float, low: float, high: float) -> None:
    """A world where the reward grows with the share of space, or falls with it."""
    controller = FocusController(seed=0, learning_rate=0.05)
    generator = torch.Generator().manual_seed(1)
    focus = 0.0
    for _ in range(400):
        proposal = controller.propose(1.0, 1.0, 1.0)
        focus = proposal.spatial_focus
        ways = int((torch.rand(40, generator=generator) < focus).sum())
        controller.learn(proposal, Votes(40, ways), sign * ways / 40)
    assert low <= focus <= high


def test_the_first_q_is_near_one_whatever_the_losses() -> None:
    controller = FocusController(seed=7)
    assert controller.propose(1.0, 1.0, 1.0).spatial_focus == pytest.approx(0.95, abs=0.01)
    assert controller.propose(0.2, 0.5, 0.1).spatial_focus == pytest.approx(0.95, abs=0.01)


def test_its_weights_follow_from_the_seed_alone() -> None:
    before = torch.get_rng_state()
    one, same, other = FocusController(seed=1), FocusController(seed=1), FocusController(seed=2)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one.layers[0].weight, same.layers[0].weight)  # pyright: ignore[reportArgumentType]
    assert not torch.equal(one.layers[0].weight, other.layers[0].weight)  # pyright: ignore[reportArgumentType]


def test_nothing_asked_nothing_learned() -> None:
    controller = FocusController()
    proposal = controller.propose(1.0, 1.0, 1.0)
    before = [parameter.clone() for parameter in controller.layers.parameters()]
    for reward in (0.1, 0.5, 0.2):
        controller.learn(proposal, Votes(0, 0), reward)
    for parameter, then in zip(controller.layers.parameters(), before, strict=True):
        torch.testing.assert_close(parameter, then)


def test_a_floor_without_room_above_is_refused() -> None:
    with pytest.raises(SettingsError, match="needs a floor in"):
        FocusController(focus_floor=0.99)
