from __future__ import annotations

import pytest
import torch
from torch import Tensor

from semicoupled.errors import SettingsError, ShapeError
from semicoupled.nn.streams import Branch
from semicoupled.training.switches import Counters, Draw, Drawing, StopRates, Votes

BRANCHES: tuple[Branch, ...] = ("spatial", "temporal")


def opened(draw: Draw, branch: Branch = "spatial", layer: int = 1, frames: int = 40, batch: int = 4) -> Tensor:
    pattern = draw.pattern(branch, layer, frames, batch)
    assert pattern is not None
    return pattern.open


def draw(
    rates: StopRates = StopRates(0.5, 0.5),  # noqa: B008 (immutable)
    counters: Counters = Counters(0),  # noqa: B008
    **options: bool | str | int,
) -> Draw:
    return Drawing(**{"seed": 0, "depth": 5, **options}).draw(rates, counters)  # pyright: ignore[reportArgumentType]


def test_one_draw_a_frame_or_one_a_frame_and_sample() -> None:
    assert opened(draw()).shape == (40,)
    by_sample = opened(draw(scope="sample"))
    assert by_sample.shape == (40, 4)
    assert not (by_sample == by_sample[:, :1]).all()


def test_asked_twice_it_answers_the_same() -> None:
    once = draw()
    torch.testing.assert_close(opened(once), opened(once))
    torch.testing.assert_close(opened(draw()), opened(draw()))


@pytest.mark.parametrize("scope", ["batch", "sample"])
def test_each_counter_gives_other_draws(scope: str) -> None:
    first = opened(draw(scope=scope))
    for counters in (Counters(1), Counters(0, 1), Counters(0, 0, 1), Counters(0, 0, 0, 1)):
        assert not torch.equal(first, opened(draw(counters=counters, scope=scope))), counters
    assert not torch.equal(first, opened(draw(scope=scope, seed=1)))
    assert not torch.equal(first, opened(draw(scope=scope), branch="temporal"))
    assert not torch.equal(first, opened(draw(scope=scope), layer=2))


@pytest.mark.parametrize("scope", ["batch", "sample"])
def test_a_frame_keeps_its_draw_wherever_the_clip_begins(scope: str) -> None:
    whole = opened(draw(scope=scope))
    later = opened(draw(scope=scope, counters=Counters(0, first_frame=13)), frames=27)
    torch.testing.assert_close(later, whole[13:])


def test_a_sample_keeps_its_draw_whichever_process_holds_it() -> None:
    whole = opened(draw(scope="sample"))
    second = opened(draw(scope="sample", counters=Counters(0, first_sample=2)), batch=2)
    torch.testing.assert_close(second, whole[:, 2:])


def test_a_draw_neither_uses_nor_moves_the_global_generator() -> None:
    before = torch.get_rng_state()
    first = opened(draw())
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(99)
    torch.testing.assert_close(opened(draw()), first)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9, 1.0])
def test_switches_are_stopped_at_their_rate(rate: float) -> None:
    frames = 1 << 15
    once = draw(StopRates(1.0 - rate, rate))
    for branch, expected in (("spatial", 1.0 - rate), ("temporal", rate)):
        pattern = once.pattern(branch, 2, frames, 1)
        stopped = 0.0 if pattern is None else float((~pattern.open).double().mean())
        assert stopped == pytest.approx(expected, abs=5 * (expected * (1 - expected) / frames) ** 0.5)


def test_a_rate_of_zero_is_no_pattern_at_all() -> None:
    assert draw(StopRates(0.0, 0.0)).pattern("spatial", 1, 3, 1) is None


@pytest.mark.parametrize("focus", [0.3, 0.5, 0.8])
def test_restore_one_never_stops_both_and_has_the_rates_of_the_released_code(focus: float) -> None:
    frames = 1 << 16
    once = draw(StopRates(1.0 - focus, focus), restore_one=True, unbiased=True)
    stopped = {branch: ~opened(once, branch, frames=frames) for branch in BRANCHES}
    assert not (stopped["spatial"] & stopped["temporal"]).any()
    expected = (
        {"spatial": (1 - focus) ** 2, "temporal": focus}
        if focus >= 0.5
        else {
            "spatial": 1 - focus,
            "temporal": focus**2,
        }
    )
    for branch in BRANCHES:
        assert float(stopped[branch].double().mean()) == pytest.approx(expected[branch], abs=0.01)
        pattern = once.pattern(branch, 1, frames, 1)
        assert pattern is not None
        assert pattern.scale == pytest.approx(1 / (1 - expected[branch]))


def test_without_restore_one_both_may_be_stopped() -> None:
    once = draw(StopRates(0.5, 0.5))
    assert not (opened(once, "spatial") | opened(once, "temporal")).all()


def test_unbiased_divides_by_the_probability_of_passing() -> None:
    once = draw(StopRates(0.2, 0.6), unbiased=True)
    scales = {branch: once.pattern(branch, 1, 3, 1) for branch in BRANCHES}
    assert scales["spatial"] is not None
    assert scales["spatial"].scale == pytest.approx(1 / 0.8)
    assert scales["temporal"] is not None
    assert scales["temporal"].scale == pytest.approx(1 / 0.4)
    plain = draw(StopRates(0.2, 0.6)).pattern("spatial", 1, 3, 1)
    assert plain is not None
    assert plain.scale == 1.0


def test_unbiased_refuses_a_branch_that_never_passes() -> None:
    with pytest.raises(SettingsError, match="the temporal branch is stopped with probability 1"):
        draw(StopRates(0.0, 1.0), unbiased=True)


def test_a_deeper_network_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"made for 5 layers \(0 to 4\), asked for layer 5"):
        draw().pattern("spatial", 5, 3, 1)


def test_votes_count_what_was_asked_for_once() -> None:
    once = draw(StopRates(0.3, 0.7))
    assert once.votes() == Votes(0, 0)
    spatial = opened(once, "spatial", 1)
    temporal = opened(once, "temporal", 3)
    opened(once, "temporal", 3)  # recomputed
    assert once.votes() == Votes(80, int(spatial.sum()) + int((~temporal).sum()))
