"""The networks for a live camera: sizes, a clip and its frames, and what is packed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from semicoupled.networks.streaming import s, xs
from semicoupled.nn import fold_norms

BUILDERS = [xs, s]


@pytest.mark.parametrize("build", BUILDERS)
def test_sizes_of_the_maps_at_112_px(build: Any) -> None:
    network = build(10)
    sizes = [cell.gate.shape[-1] for cell in network.stack.initial_state(1, (112, 112)).main]
    blocks = [(size, len(list(group))) for size, group in itertools.groupby(sizes)]
    assert blocks == [(56, 1), (28, 2), (14, 2), (7, 2), (4, 2)]
    assert list(network.stack.shortcuts.by_start) == ["1", "3", "5", "7"]
    assert all(layer.out_channels % 8 == 0 for layer in network.stack.layers)


@pytest.mark.parametrize("build", BUILDERS)
def test_a_clip_equals_its_frames(build: Any) -> None:
    """Whole, frame by frame, folded, packed: the same scores."""
    network, clip = build(10), torch.randn(1, 4, 3, 48, 64)
    _ = network.train()(clip)  # running statistics that are not the initial ones
    expected = network.eval()(clip)
    assert expected.scores.shape == (1, 4, 10)
    for other in (network, fold_norms(network), network.packed((48, 64))):
        state = None
        for t in range(4):
            scores, state = other.step(clip[:, t], state)
            torch.testing.assert_close(scores, expected.scores[:, t], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(state, expected.state, rtol=1e-4, atol=1e-5)


def test_a_frame_depends_on_the_ones_before() -> None:
    network = xs(10).eval()
    frame = torch.randn(1, 3, 32, 32)
    first, state = network.step(frame)
    second, _ = network.step(frame, state)
    assert not torch.allclose(first, second)


def test_bfloat16_scores_come_in_float32() -> None:
    network, frame = xs(10).eval(), torch.randn(1, 3, 64, 64)
    exact, _ = network.step(frame)
    rough, state = network.packed((64, 64), dtype=torch.bfloat16).step(frame)
    assert rough.dtype == torch.float32
    assert state.main[0].gate.dtype == torch.bfloat16
    assert (rough - exact).abs().mean() < 0.05 * exact.abs().mean()


def test_channels_of_the_frames() -> None:
    scores, _ = xs(7, in_channels=2).eval().step(torch.zeros(3, 2, 40, 40))
    assert scores.shape == (3, 7)
