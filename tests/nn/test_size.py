"""Sizes behind strides are those that torch's convolutions and pools give."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from semicoupled.nn.size import strided, strided_sizes


@pytest.mark.parametrize("kernel", [1, 3, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_size_is_that_of_a_convolution(kernel: int, stride: int) -> None:
    for size in ((1, 2), (5, 8), (6, 7)):
        maps = F.conv2d(torch.zeros(1, 1, *size), torch.zeros(1, 1, kernel, kernel), None, stride, kernel // 2)
        assert strided(size, stride) == tuple(maps.shape[2:])
        if kernel == 3:
            assert strided(size, stride) == tuple(F.max_pool2d(torch.zeros(1, 1, *size), 3, stride, 1).shape[2:])


def test_sizes_follow_each_other() -> None:
    assert strided_sizes((9, 14), (2, 1, 2)) == [(5, 7), (5, 7), (3, 4)]
    assert strided_sizes((), (1, 1)) == [(), ()]
