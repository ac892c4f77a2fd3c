from __future__ import annotations

import torch

from semicoupled.training.objective import GoalWeights, Losses, total

MAIN, SPATIAL, TEMPORAL, OVERLAP = (torch.tensor(value) for value in (1.0, 10.0, 100.0, 1000.0))


def test_each_loss_has_its_weight() -> None:
    weights = GoalWeights(main=1.0, spatial=2.0, temporal=3.0, overlap=4.0)
    assert float(total(Losses(MAIN, SPATIAL, TEMPORAL), weights, OVERLAP)) == 4321.0
    assert float(total(Losses(MAIN, SPATIAL, TEMPORAL), weights)) == 321.0


def test_what_is_not_there_counts_nothing() -> None:
    assert float(total(Losses(MAIN), GoalWeights())) == 1.0
    assert float(total(Losses(MAIN, None, TEMPORAL), GoalWeights())) == 101.0


def test_a_goal_of_weight_zero_is_left_out_even_if_it_is_no_number() -> None:
    nan = torch.tensor(float("nan"))
    assert float(total(Losses(MAIN, nan, nan), GoalWeights(spatial=0.0, temporal=0.0, overlap=0.0), nan)) == 1.0
