"""R(2+1)D-18 has the published size."""

from __future__ import annotations

import torch

from semicoupled.networks.video3d import R2Plus1D


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
