from __future__ import annotations

import math

import pytest
import torch

from semicoupled.errors import RunError, SettingsError
from semicoupled.nn.stack import SemiCoupledStack
from semicoupled.training.astsgd import ASTSGD
from semicoupled.training.focus import focus


def test_temporal_is_stopped_with_q_and_spatial_with_one_minus_q() -> None:
    switches = ASTSGD(3, classes=10, momentum=0.0)
    assert switches.spatial_focus == 1.0  # Eq. 20 at the initial losses
    switches.observe(1.2, 1.5)
    assert switches.spatial_focus == pytest.approx(0.749642, abs=1e-6)
    assert switches.stop_temporal == switches.spatial_focus
    assert switches.stop_spatial == pytest.approx(1 - 0.749642, abs=1e-6)
    frames = 1 << 15
    for branch, rate in (("spatial", switches.stop_spatial), ("temporal", switches.stop_temporal)):
        pattern = switches.draw(5).pattern(branch, 1, frames, 1)
        assert pattern is not None
        assert float((~pattern.open).double().mean()) == pytest.approx(rate, abs=0.015)


def test_q_follows_running_means() -> None:
    switches = ASTSGD(3, initial_main_loss=3.0, momentum=0.75)
    switches.observe(torch.tensor(2.0), torch.tensor(2.0))  # the first is the mean
    assert switches.spatial_focus == pytest.approx(focus(2.0, 2.0, 3.0))
    switches.observe(1.0, 1.6)
    assert switches.spatial_focus == pytest.approx(focus(1.9, 1.75, 3.0))
    assert [record.spatial_focus for record in switches.history][-1] == switches.spatial_focus
    assert switches.history[-1].main_loss == pytest.approx(1.75)
    assert switches.numbers()["spatial_focus"] == switches.spatial_focus


def test_the_initial_loss_is_ln_n_or_the_first_one_measured() -> None:
    by_classes, by_first = ASTSGD(3, classes=8), ASTSGD(3)
    for switches in (by_classes, by_first):
        switches.observe(4.0, 1.0)
    assert by_classes.spatial_focus == pytest.approx(focus(1.0, 4.0, math.log(8)))
    assert by_first.spatial_focus == pytest.approx(focus(1.0, 4.0, 4.0))


def test_losses_that_eq_20_cannot_use_are_refused() -> None:
    with pytest.raises(SettingsError, match="expected the spatial loss"):
        ASTSGD(3).observe(1.0)
    with pytest.raises(SettingsError, match="must be above 0"):
        ASTSGD(3).observe(1.0, 0.0)
    with pytest.raises(SettingsError, match="spatial_loss_floor"):
        ASTSGD(3).observe(0.3, 1.0)
    with pytest.raises(SettingsError, match="spatial_loss_floor"):
        ASTSGD(3, initial_main_loss=0.5)
    with pytest.raises(RunError, match="the main loss is nan"):
        ASTSGD(3).observe(math.nan, 1.0)


def test_unbiased_needs_q_below_one() -> None:
    switches = ASTSGD(3, classes=10, unbiased=True)
    with pytest.raises(SettingsError, match="stopped with probability 1"):
        switches.draw(0)


@pytest.mark.parametrize("controller", ["formula", "learned"])
def test_it_goes_on_exactly_where_it_was_left(controller: str) -> None:
    def walk(switches: ASTSGD, steps: range) -> list[float]:
        path: list[float] = []
        for step in steps:
            draw = switches.draw(step)
            for layer in (1, 2):
                draw.pattern("spatial", layer, 4, 1)
                draw.pattern("temporal", layer, 4, 1)
            switches.observe(2.0 / (1 + 0.1 * step) + 0.01 * (step % 3), 1.5 / (1 + 0.1 * step), 1.0)
            path.append(switches.spatial_focus)
        return path

    whole = walk(ASTSGD(3, seed=1, classes=8, controller=controller), range(20))  # pyright: ignore[reportArgumentType]
    first = ASTSGD(3, seed=1, classes=8, controller=controller)  # pyright: ignore[reportArgumentType]
    begun = walk(first, range(11))
    second = ASTSGD(3, seed=1, classes=8, controller=controller)  # pyright: ignore[reportArgumentType]
    second.load_state_dict(first.state_dict())
    assert begun + walk(second, range(11, 20)) == whole
    assert len(set(whole)) > 10


def test_a_state_of_the_other_controller_is_refused() -> None:
    with pytest.raises(RunError, match="made with controller formula, this one has learned"):
        ASTSGD(3, controller="learned").load_state_dict(ASTSGD(3).state_dict())


def test_the_learned_q_is_logged_beside_the_formulas() -> None:
    switches = ASTSGD(3, classes=10, controller="learned", momentum=0.0)
    assert switches.spatial_focus == pytest.approx(0.95, abs=0.01)
    switches.draw(0)
    switches.observe(1.2, 1.5)
    assert switches.numbers()["formula_focus"] == pytest.approx(0.749642, abs=1e-6)
    assert "formula_focus" not in ASTSGD(3).numbers()


def test_a_learned_q_does_without_a_value_of_the_formula() -> None:
    """A squared error that begins below thresh: Eq. 20 says nothing, and the controller goes on."""
    switches = ASTSGD(3, controller="learned")
    for main, spatial in ((0.3, 0.2), (0.2, 0.1), (0.1, 0.0)):
        switches.draw(0)
        switches.observe(main, spatial)
        assert switches.history[-1].formula_focus is None
        assert switches.history[-1].spatial_focus == switches.spatial_focus
        assert "formula_focus" not in switches.numbers()
    again = ASTSGD(3, controller="learned")
    again.load_state_dict(switches.state_dict())
    assert again.state_dict()["formula"] is None
    assert ASTSGD(3, controller="learned", initial_main_loss=0.3).spatial_focus < 1


def test_ten_lines() -> None:
    """The example of the design: the library without a loop of ours."""
    net = SemiCoupledStack(in_channels=3, widths=[4] * 3)
    head = torch.nn.Linear(4, 10)
    switches = ASTSGD(net, seed=0)
    optimizer = torch.optim.Adam([*net.parameters(), *head.parameters()])
    label = torch.tensor([1, 2])
    for step in range(3):
        out = net(torch.randn(2, 4, 3, 5, 5), streams=("main", "spatial"), switch=switches.draw(step))
        main = torch.nn.functional.cross_entropy(head(out.main.mean((1, 3, 4))), label)
        spatial = torch.nn.functional.cross_entropy(head(out.spatial.mean((1, 3, 4))), label)
        (main + spatial).backward()
        switches.observe(main, spatial)
        optimizer.step()
        optimizer.zero_grad()
    assert len(switches.history) == 3
    assert 0.5 <= switches.spatial_focus <= 1.0
