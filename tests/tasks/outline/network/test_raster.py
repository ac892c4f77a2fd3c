"""Many polygons filled at once: the pixels of the exact rule, whatever the polygons."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semicoupled.tasks.outline.geometry.raster import rasterize
from semicoupled.tasks.outline.geometry.window import Window
from semicoupled.tasks.outline.network.raster import fill, overlap


@pytest.mark.parametrize("whole", [True, False])
def test_the_pixels_are_those_of_the_exact_rule(whole: bool) -> None:
    rng = np.random.default_rng(0)
    counts = [3, 4, 9, 2, 12]
    points = rng.uniform(-3, 23, (5, 12, 2))  # they cross themselves, and reach beyond the pixels
    points = np.round(points) if whole else points  # sides through the centers of pixels, and level ones
    found = fill(torch.from_numpy(points + 0.5 * whole), torch.tensor(counts), 20)
    for row, count in enumerate(counts):
        wanted = rasterize([points[row, :count] + 0.5 * whole], Window(0, 0, 20, 20))
        np.testing.assert_array_equal(found[row].numpy(), wanted)
    assert found[4].any()
    assert not found[3].any()


def test_overlap_by_hand() -> None:
    one, other = torch.zeros(3, 4, 4, dtype=torch.bool), torch.zeros(3, 4, 4, dtype=torch.bool)
    one[0, :2], other[0, 1:3] = True, True
    one[1], other[1] = True, True
    assert overlap(one, other).tolist() == pytest.approx([1 / 3, 1, 0])
