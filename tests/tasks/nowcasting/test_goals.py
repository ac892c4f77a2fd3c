from __future__ import annotations

import pytest
import torch

from semicoupled.task_parts import TaskOutput
from semicoupled.tasks.nowcasting.data import NowcastingBatch
from semicoupled.tasks.nowcasting.goals import FLOW_SCALE, make_goals, mean_square, soft_overlap, squared_error
from semicoupled.tasks.nowcasting.settings import Form, LossSettings

PAPER = LossSettings(relative=False, overlap_weight=0.0)


NOT_TAUGHT = torch.zeros(1, 3, dtype=torch.bool)


def batch() -> NowcastingBatch:
    frames, future = torch.rand(1, 2, 1, 6, 8), torch.rand(1, 3, 1, 6, 8)
    return NowcastingBatch(frames, future, torch.zeros(1, 2, 6, 8), torch.ones(1, 3, 2, 6, 8), NOT_TAUGHT)


def output(main: torch.Tensor, spatial: torch.Tensor | None = None, temporal: torch.Tensor | None = None) -> TaskOutput:
    return TaskOutput(main, spatial, temporal, None, None)


def test_main_and_spatial_goal_are_squared_errors():
    given = batch()
    losses = make_goals(PAPER, "plain")(output(given.future + 0.1, given.future - 0.2), given)
    assert losses.main.item() == pytest.approx(0.01, rel=1e-4)
    assert losses.spatial is not None
    assert losses.spatial.item() == pytest.approx(0.04, rel=1e-4)
    assert losses.temporal is None


def test_missing_pixels_count_nothing_and_send_no_gradient():
    given = batch()
    given.future[..., :4] = torch.nan
    forecast = torch.where(torch.rand(1, 3, 1, 6, 8) < 0.2, torch.nan, 0.5).requires_grad_()
    for settings in (PAPER, LossSettings()):
        (gradient,) = torch.autograd.grad(make_goals(settings, "plain")(output(forecast), given).main, forecast)
        assert gradient.isfinite().all()
        assert (gradient[..., :4] == 0).all()
        assert gradient.any()


def test_nothing_there_is_no_loss():
    nothing = torch.full((2, 2), torch.nan, requires_grad=True)
    loss = mean_square(nothing)
    assert loss.item() == 0
    assert (torch.autograd.grad(loss, nothing)[0] == 0).all()


@pytest.mark.parametrize("form", ["plain", "residual"])
def test_the_temporal_goal_is_flow_and_the_change_since_the_frame_before(form: Form):
    given = batch()
    before = torch.cat([given.frames[:, -1:], given.future[:, :-1]], dim=1)
    right = torch.cat([given.flow, given.future - before], dim=2)
    goals = make_goals(PAPER, form)
    assert goals(output(given.future, temporal=right), given).temporal.item() == pytest.approx(0, abs=1e-10)
    wrong = right.clone()
    wrong[:, :, 0] += 2
    assert goals(output(given.future, temporal=wrong), given).temporal.item() == pytest.approx(
        2 / FLOW_SCALE**2, rel=1e-4
    )
    wrong[:, :, :2] = right[:, :, :2]
    wrong[:, :, 2] += 0.1
    assert goals(output(given.future, temporal=wrong), given).temporal.item() == pytest.approx(0.01, rel=1e-4)


def test_a_moving_network_learns_the_change_along_the_motion():
    """An image that only moves does not change before its eyes."""
    whole = torch.rand(1, 1, 6, 20)
    frames = torch.stack([whole[..., 10 - shift : 18 - shift] for shift in range(4)], dim=1)
    motion = torch.zeros(1, 2, 6, 8)
    motion[:, 0] = 1.0
    given = NowcastingBatch(frames[:, :1], frames[:, 1:], motion, motion[:, None].expand(1, 3, 2, 6, 8), NOT_TAUGHT)
    still = torch.cat([given.flow, torch.zeros_like(given.future)], dim=2)
    assert make_goals(PAPER, "advection")(output(given.future, temporal=still), given).temporal.item() < 1e-10
    assert make_goals(PAPER, "plain")(output(given.future, temporal=still), given).temporal.item() > 0.01


def test_soft_overlap_is_csi_where_the_forecast_is_sure():
    said = torch.tensor([1.0, 1, 1, 0, 0, 0, 0, 0])[None, None]
    seen = torch.tensor([1.0, 0, 1, 1, 1, 0, 0, 0])[None, None]
    there = torch.ones(1, 1, 8, dtype=torch.bool)
    assert soft_overlap(said, seen, there, 0.5, 0.01).item() == pytest.approx((2 + 1) / (5 + 1), rel=1e-3)
    there[..., 3:5] = False
    assert soft_overlap(said, seen, there, 0.5, 0.01).item() == pytest.approx((2 + 1) / (3 + 1), rel=1e-3)
    assert soft_overlap(said * 0, seen * 0, there, 0.5, 0.01).item() == pytest.approx(1, rel=1e-3)


def test_a_wide_rain_does_not_drown_a_shower():
    seen = torch.zeros(2, 1, 1, 20, 20)
    seen[0], seen[1, ..., :3, :3] = 0.5, 0.5
    missed = seen.clone()
    missed[1] = 0
    overlap = soft_overlap(missed, seen, torch.ones_like(seen, dtype=torch.bool), 0.25, 0.01)
    assert overlap.shape == (2, 1)
    assert overlap[0].item() == pytest.approx(1, rel=1e-3)
    assert overlap[1].item() == pytest.approx(1 / (9 + 1), rel=1e-3)


def test_overlap_pulls_a_forecast_up_where_it_rains():
    seen, forecast = torch.full((1, 1, 1, 4, 4), 0.4), torch.full((1, 1, 1, 4, 4), 0.24, requires_grad=True)
    there = torch.ones_like(seen, dtype=torch.bool)
    (gradient,) = torch.autograd.grad(1 - soft_overlap(forecast, seen, there, 0.25, 2 / 60).mean(), forecast)
    assert (gradient < 0).all()


def test_a_relative_error_weighs_every_sample_by_its_own_change():
    frames, future = torch.zeros(2, 1, 1, 4, 4), torch.zeros(2, 3, 1, 4, 4)
    future[0], future[1] = 0.5, 0.05
    given = NowcastingBatch(
        frames, future, torch.zeros(2, 2, 4, 4), torch.zeros(2, 3, 2, 4, 4), NOT_TAUGHT.repeat(2, 1)
    )
    settings = LossSettings(relative=True, floor=1e-3, overlap_weight=0.0)
    wrong_in_the_wet = squared_error(future * torch.tensor([1.2, 1.0]).view(2, 1, 1, 1, 1), given, settings)
    wrong_in_the_sparse = squared_error(future * torch.tensor([1.0, 1.2]).view(2, 1, 1, 1, 1), given, settings)
    assert wrong_in_the_wet.item() == pytest.approx(0.2**2 / 2, rel=1e-4)
    assert wrong_in_the_sparse.item() == pytest.approx(0.2**2 / 2, rel=1e-4)
    coarse = squared_error(future * 1.2, given, LossSettings(relative=True, floor=60.0, overlap_weight=0.0))
    assert coarse.item() == pytest.approx((0.1**2 / 1.25 + 0.01**2 / 1.0025) / 2, rel=1e-4)


def test_heavy_rain_counts_more_where_it_is_asked_to():
    given = batch()
    given.future[:] = 0.0
    given.future[..., :4] = 1.0
    forecast = given.future + 0.1
    plain = squared_error(forecast, given, PAPER).item()
    heavy = squared_error(forecast, given, LossSettings(relative=False, heavy=3.0)).item()
    assert heavy == pytest.approx(plain * (1 + 3 * 0.5), rel=1e-4)
