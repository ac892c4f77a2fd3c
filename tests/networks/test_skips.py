"""Skip branches: sizes, what each map adds, and maps of any size."""

from __future__ import annotations

import torch

from semicoupled.networks.skips import STEP, SkipBranches


def test_every_map_counts_in_both_results() -> None:
    torch.manual_seed(0)
    branches = SkipBranches([3, 4, 5], 8, 6).eval()
    maps = [torch.randn(2, width, size, size) for width, size in ((3, 32), (4, 20), (5, 4))]
    found = branches(maps, (8, 8))
    assert found.features.shape == (2, 8, 8, 8)
    assert found.fine.shape == (2, 6, 8 * STEP, 8 * STEP)
    for index in range(3):
        changed = [torch.zeros_like(one) if place == index else one for place, one in enumerate(maps)]
        again = branches(changed, (8, 8))
        assert not torch.allclose(again.fine, found.fine)
        assert not torch.allclose(again.features, found.features)
