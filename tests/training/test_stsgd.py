from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from semicoupled.errors import SettingsError
from semicoupled.nn.stack import SemiCoupledStack
from semicoupled.nn.streams import Branch
from semicoupled.nn.switch import FixedSwitching
from semicoupled.training.astsgd import ASTSGD
from semicoupled.training.stsgd import STSGD, stop_probability, switched

DEPTH, FRAMES = 3, 2
PLACES: list[tuple[Branch, int]] = [(b, layer) for layer in range(1, DEPTH) for b in ("spatial", "temporal")]

Gradients = list[Tensor]


def stack(shortcut_every: int | None) -> tuple[SemiCoupledStack, Tensor]:
    torch.manual_seed(3)
    net = SemiCoupledStack(2, [2] * DEPTH, norm="none", shortcut_every=shortcut_every).double()
    return net, torch.randn(1, FRAMES, 2, 3, 3, dtype=torch.float64)


def gradients(net: SemiCoupledStack, frames: Tensor, switch: FixedSwitching | None) -> Gradients:
    net.zero_grad()
    out = net(frames, switch=switch)
    assert out.main is not None
    (out.main * torch.linspace(-1.0, 2.0, out.main.numel(), dtype=torch.float64).view_as(out.main)).sum().backward()
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in net.parameters()]


def settings_of_all_switches(
    stop: dict[Branch, float],
) -> Iterator[tuple[float, dict[tuple[Branch, int], Tensor]]]:
    """Enumerate all 2^(branches * layers * frames) settings with their probabilities."""
    for bits in itertools.product((True, False), repeat=len(PLACES) * FRAMES):
        patterns = {
            place: torch.tensor(bits[index * FRAMES : (index + 1) * FRAMES]) for index, place in enumerate(PLACES)
        }
        probability = 1.0
        for (branch, _), opened in patterns.items():
            for passes in opened.tolist():
                probability *= 1.0 - stop[branch] if passes else stop[branch]
        yield probability, patterns


class Scaled:
    """Patterns whose scale is that of a real draw."""

    def __init__(self, patterns: dict[tuple[Branch, int], Tensor], scales: dict[Branch, float]) -> None:
        self._spatial = FixedSwitching(patterns, scales["spatial"])
        self._temporal = FixedSwitching(patterns, scales["temporal"])

    def pattern(self, branch: Branch, layer: int, frames: int, batch: int):
        chosen = self._spatial if branch == "spatial" else self._temporal
        return chosen.pattern(branch, layer, frames, batch)


def scales_of(switches: STSGD | ASTSGD) -> dict[Branch, float]:
    scales: dict[Branch, float] = {}
    for branch in ("spatial", "temporal"):
        pattern = switches.draw(0).pattern(branch, 1, FRAMES, 1)
        assert pattern is not None
        scales[branch] = pattern.scale
    return scales


def expectation(net: SemiCoupledStack, frames: Tensor, stop: dict[Branch, float], scales: dict[Branch, float]):
    mean = [torch.zeros_like(p) for p in net.parameters()]
    total = 0.0
    for probability, patterns in settings_of_all_switches(stop):
        found = gradients(net, frames, Scaled(patterns, scales))  # pyright: ignore[reportArgumentType]
        mean = [m + probability * g for m, g in zip(mean, found, strict=True)]
        total += probability
    assert total == pytest.approx(1.0)
    return mean


@pytest.mark.parametrize("p", [0.3, 0.5])
def test_in_a_plain_stack_the_expectation_lacks_a_factor_for_every_layer_above(p: float) -> None:
    net, frames = stack(None)
    switches = STSGD(net, start=p, schedule="constant")
    mean = expectation(net, frames, {"spatial": p, "temporal": p}, scales_of(switches))
    true = gradients(net, frames, None)
    for (name, _), found, gradient in zip(net.named_parameters(), mean, true, strict=True):
        layer = int(name.split(".")[1])
        factor = (1.0 - p) ** (DEPTH - 1 - layer)
        torch.testing.assert_close(found, factor * gradient, msg=name)
    assert any(bool(gradient.abs().max() > 1e-3) for gradient in true)


@pytest.mark.parametrize("shortcut_every", [None, 1, 2])
def test_unbiased_the_expectation_is_the_gradient_also_with_shortcuts(shortcut_every: int | None) -> None:
    net, frames = stack(shortcut_every)
    switches = STSGD(net, start=0.4, schedule="constant", unbiased=True)
    mean = expectation(net, frames, {"spatial": 0.4, "temporal": 0.4}, scales_of(switches))
    for found, gradient in zip(mean, gradients(net, frames, None), strict=True):
        torch.testing.assert_close(found, gradient)


def test_with_shortcuts_and_without_unbiased_the_expectation_is_no_multiple_of_the_gradient() -> None:
    net, frames = stack(1)
    mean = expectation(net, frames, {"spatial": 0.5, "temporal": 0.5}, {"spatial": 1.0, "temporal": 1.0})
    found, true = mean[0], gradients(net, frames, None)[0]
    ratio = (found / true)[true.abs() > 1e-6]
    assert float(ratio.max() - ratio.min()) > 1e-3


def test_unbiased_astsgd_has_a_scale_for_each_branch() -> None:
    net, frames = stack(None)
    switches = ASTSGD(net, initial_main_loss=2.0, unbiased=True, momentum=0.0)
    switches.observe(1.0, 1.0)
    q = switches.spatial_focus
    assert 0.5 < q < 1.0
    mean = expectation(net, frames, {"spatial": 1 - q, "temporal": q}, scales_of(switches))
    for found, gradient in zip(mean, gradients(net, frames, None), strict=True):
        torch.testing.assert_close(found, gradient)


@pytest.mark.parametrize("q", [0.5, 0.7, 0.3])
def test_unbiased_with_restore_one_the_expectation_is_the_gradient(q: float) -> None:
    """Enumerate what the released code can do to a layer and frame: spatial stopped, temporal stopped, or neither."""
    net, frames = stack(None)
    spatial, temporal = ((1 - q) ** 2, q) if q >= 0.5 else (1 - q, q**2)
    outcomes = [(spatial, False, True), (temporal, True, False), (1 - spatial - temporal, True, True)]
    scales: dict[Branch, float] = {"spatial": 1 / (1 - spatial), "temporal": 1 / (1 - temporal)}
    mean = [torch.zeros_like(p) for p in net.parameters()]
    for chosen in itertools.product(outcomes, repeat=(DEPTH - 1) * FRAMES):
        patterns: dict[tuple[Branch, int], Tensor] = {}
        for layer in range(1, DEPTH):
            here = chosen[(layer - 1) * FRAMES : layer * FRAMES]
            patterns["spatial", layer] = torch.tensor([spatial_open for _, spatial_open, _ in here])
            patterns["temporal", layer] = torch.tensor([temporal_open for _, _, temporal_open in here])
        probability = math.prod(p for p, _, _ in chosen)
        found = gradients(net, frames, Scaled(patterns, scales))  # pyright: ignore[reportArgumentType]
        mean = [m + probability * g for m, g in zip(mean, found, strict=True)]
    for found, gradient in zip(mean, gradients(net, frames, None), strict=True):
        torch.testing.assert_close(found, gradient)


def test_forward_values_never_change_and_eval_ignores_the_switches() -> None:
    net, frames = stack(2)
    draw = STSGD(net, start=0.5, schedule="constant").draw(0)
    torch.testing.assert_close(net(frames, switch=draw).main, net(frames).main, rtol=0, atol=0)
    net.eval()
    true = gradients(net, frames, None)
    for found, gradient in zip(gradients(net, frames, draw), true, strict=True):  # pyright: ignore[reportArgumentType]
        torch.testing.assert_close(found, gradient, rtol=0, atol=0)


def test_gradient_checkpointing_sees_the_same_draws() -> None:
    results: list[Gradients] = []
    for checkpointing in (False, True):
        torch.manual_seed(3)
        net = SemiCoupledStack(2, [3] * 4, checkpointing=checkpointing).double()
        frames = torch.randn(2, 5, 2, 4, 4, dtype=torch.float64)
        switch = STSGD(net, seed=4, start=0.5, scope="sample").draw(8, 1)
        results.append(gradients(net, frames, switch))  # pyright: ignore[reportArgumentType]
    for plain, recomputed in zip(*results, strict=True):
        torch.testing.assert_close(plain, recomputed)


@pytest.mark.parametrize(
    ("schedule", "values"),
    [
        ("linear", [0.5, 0.375, 0.25, 0.0]),
        ("cosine", [0.5, 0.5 * (1 + math.cos(math.pi / 4)) / 2, 0.25, 0.0]),
        ("constant", [0.5, 0.5, 0.5, 0.5]),
    ],
)
def test_p_falls_from_start_to_end(schedule: str, values: list[float]) -> None:
    switches = STSGD(4, schedule=schedule)  # pyright: ignore[reportArgumentType]
    for share, value in zip((0.0, 0.25, 0.5, 1.0), values, strict=True):
        switches.set_progress(share)
        assert switches.stop_spatial == switches.stop_temporal == pytest.approx(value)
        assert switches.numbers() == {"stop_spatial": switches.stop_spatial, "stop_temporal": switches.stop_spatial}
    assert stop_probability(0.5, 0.2, 0.6, "linear") == pytest.approx(0.4)


def test_progress_is_a_share() -> None:
    with pytest.raises(SettingsError, match=r"share of training done, in \[0, 1\], got 3"):
        STSGD(4).set_progress(3)


def test_losses_do_not_move_it() -> None:
    switches = STSGD(4)
    switches.observe(1.0, 2.0, 3.0)
    assert switches.stop_spatial == 0.5


def test_its_state_comes_back() -> None:
    switches, other = STSGD(4), STSGD(4)
    switches.set_progress(0.3)
    other.load_state_dict(switches.state_dict())
    assert other.stop_spatial == switches.stop_spatial


def test_ranges_are_checked() -> None:
    with pytest.raises(SettingsError, match="start"):
        STSGD(4, start=2.0)
    with pytest.raises(SettingsError, match="at least 1 layer, got 0"):
        STSGD(0)


class TwoBranches(nn.Module):
    """Someone else's network: a two-branch layer on vectors, B T C."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.still, self.moving = nn.Linear(width, width), nn.RNN(width, width, batch_first=True)

    def forward(self, features: Tensor, layer: int, switch: object) -> Tensor:
        still = self.still(switched(features, switch, "spatial", layer))  # pyright: ignore[reportArgumentType]
        moving, _ = self.moving(switched(features, switch, "temporal", layer))  # pyright: ignore[reportArgumentType]
        return torch.relu(still) * torch.sigmoid(moving)


def test_the_plain_function_works_on_anyones_network() -> None:
    layers = nn.ModuleList([TwoBranches(3), TwoBranches(3)])
    frames = torch.randn(2, 4, 3)

    def first_layers_gradient(p: float) -> Tensor | None:
        switch = STSGD(2, start=p, schedule="constant").draw(0)
        features = frames
        for index, layer in enumerate(layers):
            features = layer(features, index, switch)
        layers.zero_grad()
        features.sum().backward()
        assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in layers[1].parameters())
        return layers[0].still.weight.grad  # pyright: ignore[reportReturnType, reportAttributeAccessIssue]

    stopped = first_layers_gradient(1.0)
    assert stopped is not None
    assert float(stopped.abs().sum()) == 0.0  # both branches stopped at every frame
    passed = first_layers_gradient(0.0)
    assert passed is not None
    assert float(passed.abs().sum()) > 0.0
    torch.testing.assert_close(switched(frames, None, "spatial", 1), frames)
