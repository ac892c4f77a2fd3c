from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from semicoupled.nn.switch import FixedSwitching
from semicoupled.tasks.nowcasting.data import NowcastingBatch
from semicoupled.tasks.nowcasting.extrapolation.advection import departures
from semicoupled.tasks.nowcasting.extrapolation.baselines import advect
from semicoupled.tasks.nowcasting.model import NowcastingModel, build_model
from semicoupled.tasks.nowcasting.network.scales import bands
from semicoupled.tasks.nowcasting.network.view import View
from semicoupled.tasks.nowcasting.settings import Form, ModelSettings
from semicoupled.training.stsgd import STSGD

SMALL = ModelSettings(layers=2, width=8, patch=2, scales=2, norm="none")
FORMS: tuple[Form, ...] = ("plain", "residual", "advection")


def model(**changes: object) -> NowcastingModel:
    torch.manual_seed(0)
    network = build_model(dataclasses.replace(SMALL, **changes), leads=3)
    for parameter in network.parameters():  # heads start at zero, which would hide what lies below
        torch.nn.init.normal_(parameter, std=0.1)
    return network.double()


def batch(height: int = 12, width: int = 10, size: int = 2, future: int = 3) -> NowcastingBatch:
    generator = torch.Generator().manual_seed(1)
    frames = torch.rand(size, 4, 1, height, width, generator=generator, dtype=torch.float64)
    frames[..., :2] = torch.nan
    motion = torch.zeros(size, 2, height, width, dtype=torch.float64)
    motion[:, 0] = 0.7
    ahead = torch.rand(size, future, 1, height, width, generator=generator, dtype=torch.float64)
    flow = torch.zeros(size, future, 2, height, width, dtype=torch.float64)
    return NowcastingBatch(frames, ahead, motion, flow, torch.zeros(size, future, dtype=torch.bool))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("height", "width"), [(12, 10), (13, 7), (1, 1)])
def test_any_size_gives_finite_forecasts_that_are_missing_where_the_last_frame_is(form: Form, height: int, width: int):
    given = batch(height, width)
    output = model(form=form)(given, streams=("main", "spatial", "temporal"), leads=5)
    assert output.main.shape == output.spatial.shape == (2, 5, 1, height, width)
    assert output.temporal.shape == (2, 5, 3, height, width)
    missing = given.frames[:, -1:].isnan().expand_as(output.main)
    for images in (output.main, output.spatial):
        assert torch.equal(images.isnan(), missing)
    assert output.temporal.isfinite().all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [0.0, torch.nan])
def test_all_dry_and_all_missing_fields_never_fail(form: Form, value: float):
    given = batch()._replace(frames=torch.full((1, 4, 1, 12, 10), value), motion=torch.zeros(1, 2, 12, 10))
    images = model(form=form).float()(given).main
    assert images.isnan().all() if np.isnan(value) else images.isfinite().all()


@pytest.mark.parametrize("kind", ["semicoupled", "convlstm", "convgru", "predrnn"])
@pytest.mark.parametrize("form", FORMS)
def test_rivals_have_the_same_signature_and_every_weight_learns(kind: str, form: Form):
    network = model(kind=kind, form=form)
    streams = ("main", "spatial", "temporal") if kind == "semicoupled" else ("main",)
    output = network(batch(), streams=streams)
    sum(images.nan_to_num().square().sum() for images in output[:3] if images is not None).backward()
    idle = [
        name for name, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    # What the encoder hands over is its state: nobody reads the features of its last layer, and so h_s there.
    unread = ["weight", "bias"] if kind == "semicoupled" else []
    assert idle == [f"network.encoder.layers.1.spatial.{name}" for name in unread]
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters() if parameter.grad is not None)
    assert len(list(network.recurrent_parameters())) >= 4


def test_goals_of_one_branch_never_reach_the_other():
    network = model()
    stacks = network.network.encoder, network.network.decoder
    output = network(batch(), streams=("main", "spatial", "temporal"))
    output.spatial.nan_to_num().sum().backward(retain_graph=True)
    for stack in stacks:
        assert all(parameter.grad is None or not parameter.grad.any() for parameter in stack.temporal_parameters())
    network.zero_grad()
    output.temporal.sum().backward()
    for stack in stacks:
        assert all(parameter.grad is None or not parameter.grad.any() for parameter in stack.spatial_parameters())


def test_a_fresh_network_forecasts_advection_or_persistence():
    torch.manual_seed(0)
    given = NowcastingBatch(*(tensor.float() for tensor in batch()[:-1]), batch().taught)
    guess = advect(given.frames[0, -1, 0].numpy(), given.motion[0].numpy(), 3)
    moving = build_model(dataclasses.replace(SMALL, scales=0), 3)(given).main[0, :, 0].detach().numpy()
    np.testing.assert_allclose(moving, guess, atol=1e-5)
    still = build_model(dataclasses.replace(SMALL, form="residual"), 3)(given).main[0]
    torch.testing.assert_close(still, given.frames[0, -1:].expand(3, 1, 12, 10), equal_nan=True)
    nothing = build_model(dataclasses.replace(SMALL, form="plain"), 3)(given).main[0]
    assert (nothing[~nothing.isnan()] == 0).all()


def test_longer_forecasts_begin_like_shorter_ones():
    network = model().eval()
    torch.testing.assert_close(
        network(batch(), leads=7).main[:, :2], network(batch(), leads=2).main, equal_nan=True, rtol=0, atol=1e-12
    )


def test_a_forecast_knows_nothing_of_the_future():
    network, given = model().eval(), batch()
    other = given._replace(future=torch.zeros_like(given.future), flow=torch.ones_like(given.flow))
    assert torch.equal(network(given).main.nan_to_num(), network(other).main.nan_to_num())


def test_the_moving_view_sees_a_steady_wind_stand_still():
    from semicoupled.tasks.nowcasting.network.view import View

    x = torch.arange(30.0)
    frames = torch.stack([torch.sin((x - 2 * frame) / 3).expand(6, 30) for frame in range(4)])[None, :, None]
    motion = torch.zeros(1, 2, 6, 30)
    motion[:, 0] = 2.0
    view = View(batch()._replace(frames=frames, motion=motion), moving=True, leads=2)
    for index in range(4):
        known = view.known[0, index, 0].bool()
        torch.testing.assert_close(view.images[0, index, 0][known], frames[0, -1, 0][known], atol=1e-5, rtol=0)
        assert known.sum(-1).unique().tolist() == [30 - 2 * (3 - index)]


def test_bands_add_up_to_the_image():
    image, known = torch.rand(1, 1, 20, 30), (torch.rand(1, 1, 20, 30) < 0.8).float()
    parts = bands(image * known, known, 3)
    assert parts.shape == (1, 4, 20, 30)
    torch.testing.assert_close(parts.sum(1, keepdim=True), image * known)
    flat = bands(known, known, 3)  # a constant field has no fine scales, whatever is missing
    torch.testing.assert_close((flat[:, :3] * known).abs().max(), torch.tensor(0.0), atol=1e-5, rtol=0)


def test_switches_reach_both_stacks_and_leave_the_forecast_alone():
    network, given = model(), batch()
    switches = STSGD(network.network.depth, seed=3, start=0.5).draw(step=0)
    plain, cut = network(given).main, network(given, switch=switches).main
    assert torch.equal(plain.nan_to_num(), cut.nan_to_num())
    names = dict(network.named_parameters())
    below = names["network.decoder.layers.0.spatial.weight"], names["network.encoder.layers.0.spatial.weight"]
    free = torch.autograd.grad(plain.nan_to_num().sum(), below)
    assert all(
        (one != other).any()
        for one, other in zip(free, torch.autograd.grad(cut.nan_to_num().sum(), below), strict=True)
    )


def test_each_step_of_the_decoder_has_switches_of_its_own():
    """Cutting both branches of its last layer in all but one step leaves only that step's gradient."""
    network, given = model(shortcut_every=None), batch()
    weight = dict(network.named_parameters())["network.decoder.layers.0.spatial.weight"]
    total = 4 + 3
    gradients = []
    for step in range(4, total):
        opened = torch.zeros(total, dtype=torch.bool)
        opened[step] = True
        switching = FixedSwitching({("spatial", 3): opened, ("temporal", 3): torch.zeros_like(opened)})
        gradients.append(torch.autograd.grad(network(given, switch=switching).main.nan_to_num().sum(), weight)[0])
    spatial_alone = FixedSwitching({("temporal", 3): torch.zeros(total, dtype=torch.bool)})
    whole = torch.autograd.grad(network(given, switch=spatial_alone).main.nan_to_num().sum(), weight)[0]
    torch.testing.assert_close(sum(gradients), whole)
    assert all(gradient.abs().max() > 0 for gradient in gradients)


def test_departures_of_the_batch_are_not_shared():
    given = batch()
    motion = given.motion.clone()
    motion[1] = -motion[1]
    points = departures(motion, 1)
    assert not torch.equal(points[0], points[1])


@pytest.mark.parametrize("form", FORMS)
def test_a_taught_decoder_is_fed_with_what_came(form: Form):
    """What it is fed with after the first image changes the second, and not the first; what is missing is 0."""
    network, given = model(form=form), batch()
    alone = network(given).main
    given.taught[0, 0] = True
    taught = network(given).main
    assert torch.equal(taught[:, 0].nan_to_num(), alone[:, 0].nan_to_num())
    assert torch.equal(taught[1].nan_to_num(), alone[1].nan_to_num())
    assert not torch.allclose(taught[0, 1].nan_to_num(), alone[0, 1].nan_to_num())


def test_the_future_is_seen_from_where_the_rain_is():
    whole = torch.rand(1, 1, 6, 20, dtype=torch.float64)
    frames = torch.stack([whole[..., 10 - shift : 18 - shift] for shift in range(4)], dim=1)
    motion = torch.zeros(1, 2, 6, 8, dtype=torch.float64)
    motion[:, 0] = 1.0
    given = NowcastingBatch(frames[:, :2], frames[:, 2:], motion, motion[:, None].expand(1, 2, 2, 6, 8), None)
    for lead in (0, 1):
        seen = View(given, moving=True, leads=2).future(lead)
        torch.testing.assert_close(seen[..., : 8 - lead - 1], frames[:, 1, ..., : 8 - lead - 1])
        assert torch.equal(View(given, moving=False, leads=2).future(lead), frames[:, 2 + lead])
