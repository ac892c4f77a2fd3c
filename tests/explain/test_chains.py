"""Chain counts: the given totals, brute force, and the gradient of a unit linear net."""

from __future__ import annotations

from collections import Counter
from math import comb

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from semicoupled.errors import SettingsError
from semicoupled.explain.chains import expected_chains, paths


def walk_all(layers: int, steps: int) -> Counter[tuple[int, int]]:
    """Count chains by (layers passed, frames back), by walking every one of them."""
    found: Counter[tuple[int, int]] = Counter()

    def enter(frame: int, loss_frame: int, passed: int) -> None:
        if passed == layers:
            return
        # in the next layer: the spatial branch in this frame, or the temporal one in any frame up to this one
        for end in [frame, *range(frame + 1)]:
            found[passed + 1, loss_frame - end] += 1
            enter(end, loss_frame, passed + 1)

    for loss_frame in range(steps):
        enter(loss_frame, loss_frame, 0)
    return found


@pytest.mark.parametrize(
    ("layers", "steps", "stop", "total"),
    [
        (5, 5, 0.0, 2966),
        (5, 5, 0.3, 885.83),
        (5, 5, 0.5, 319.5),
        (15, 10, 0.0, 3_458_158_069),
        (15, 10, 0.3, 30_272_154.55),
        (15, 10, 0.5, 430_421.25),
        (17, 5, 0.0, 226_951_162),
        (17, 5, 0.3, 1_083_177.56),
        (17, 5, 0.5, 10_676),
    ],
)
def test_totals(layers: int, steps: int, stop: float, total: float) -> None:
    assert expected_chains(layers, steps, stop).total == pytest.approx(total, rel=5e-6)


@pytest.mark.parametrize(("layers", "steps"), [(1, 1), (1, 4), (2, 3), (3, 3), (4, 2)])
@pytest.mark.parametrize("stop", [0.0, 0.4, 1.0])
def test_against_walking_every_chain(layers: int, steps: int, stop: float) -> None:
    expected: Counter[int] = Counter()
    for (passed, back), number in walk_all(layers, steps).items():
        expected[passed + back] += number * (1 - stop) ** (passed - 1)
    counts = expected_chains(layers, steps, stop)
    assert len(counts.by_length) == layers + steps - 1
    for length, number in enumerate(counts.by_length, start=1):
        assert number == pytest.approx(expected[length])


def test_gradient_of_a_unit_linear_net_counts_the_chains() -> None:
    """u' = s + c with s = u and c_t = u_t + c_{t-1}: each chain contributes exactly 1 to a gradient."""
    layers, steps = 4, 6
    injected = [torch.zeros(steps, dtype=torch.float64, requires_grad=True) for _ in range(layers)]
    features = torch.zeros(steps, dtype=torch.float64)
    for layer in range(layers):
        entering = features + injected[layer]
        features = entering + torch.cumsum(entering, 0)
    last_loss = torch.autograd.grad(features[-1], injected, retain_graph=True)
    all_losses = torch.autograd.grad(features.sum(), injected)
    for layer in range(layers):
        passed = layers - layer
        assert last_loss[layer].tolist() == [paths(passed, steps - 1 - frame) for frame in range(steps)]
    assert sum(float(gradient.sum()) for gradient in all_losses) == expected_chains(layers, steps).total


@given(st.integers(0, 12), st.integers(0, 12))
def test_paths_equal_the_binomial_sum(layers: int, steps: int) -> None:
    """Choose the j layers passed by the temporal branch, then spread the steps over them."""
    spread = sum(comb(layers, j) * (comb(steps + j - 1, j - 1) if j else int(steps == 0)) for j in range(layers + 1))
    assert paths(layers, steps) == spread


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5, 0.0), "at least 1 layer"),
        ((5, 0, 0.0), "at least 1 layer and 1 step"),
        ((5, 5, 1.5), "0 <= stop <= 1, got 1.5"),
    ],
)
def test_refuses(arguments: tuple[int, int, float], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        expected_chains(*arguments)
