"""R(2+1)D-18 has the published size."""

from __future__ import annotations

import pytest
import torch

from semicoupled.errors import ShapeError
from semicoupled.networks.clip_network import ClipNetwork
from semicoupled.networks.video3d import R2Plus1D
from semicoupled.nn import FixedSwitching


def test_it_has_the_published_number_of_parameters() -> None:
    assert sum(parameter.numel() for parameter in R2Plus1D(400).parameters()) == 31_505_325


def test_it_answers_for_the_whole_clip() -> None:
    net = R2Plus1D(5).eval()
    clip = torch.randn(2, 8, 3, 32, 32)
    with torch.no_grad():
        scores = net(clip)
        assert scores.shape == (2, 5)
        changed = clip.clone()
        changed[:, -1] += 1
        assert not torch.allclose(net(changed), scores)
        torch.testing.assert_close(net(clip[:1]), scores[:1])


def test_other_widths_and_what_sees_a_clip_at_once() -> None:
    network = ClipNetwork(R2Plus1D(1, 1, widths=(4, 6, 8, 10))).eval()
    assert (network.depth, network.out_channels) == (9, 10)
    clip = torch.randn(2, 6, 1, 16, 20)
    with torch.no_grad():
        out = network(clip, state_at=3)
    assert out.main is not None
    assert out.main.shape == (2, 6, 10, 1, 1)
    assert torch.equal(out.main[:, 0], out.main[:, -1])
    with pytest.raises(ShapeError, match="switch: a rival has no branches"):
        network(clip, switch=FixedSwitching({}))
    with pytest.raises(ShapeError, match="expected B T C H W with C = 1"):
        network(clip.expand(-1, -1, 2, -1, -1))
