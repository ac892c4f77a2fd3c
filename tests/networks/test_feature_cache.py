"""Maps of images that come again are not computed again."""

from __future__ import annotations

import torch
from torch import nn

from semicoupled.networks.feature_cache import FeatureCache
from semicoupled.nn.shapes import Tensor


class Counted(nn.Module):
    """A convolution that counts what it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 3)
        self.seen = 0

    def forward(self, images: Tensor) -> list[Tensor]:
        self.seen += len(images)
        return [self.layer(images), images.mean((2, 3), keepdim=True)]


def test_images_that_come_again_cost_nothing() -> None:
    network, cache = Counted(), FeatureCache(2**20)
    images = torch.rand(3, 3, 8, 8)
    first = cache.maps(images, network)
    mixed = torch.stack([images[2], torch.rand(3, 8, 8), images[0]])
    again = cache.maps(mixed, network)
    assert (network.seen, len(cache)) == (4, 4)
    for one, other in zip(first, again, strict=True):
        assert torch.equal(one[[2, 0]], other[[0, 2]])
    torch.testing.assert_close(again[0], network.layer(mixed))
    assert not again[0].requires_grad


def test_the_limit_holds_and_the_rest_is_computed() -> None:
    network = Counted()
    one_image = (4 * 6 * 6 + 3) * 4
    cache = FeatureCache(2 * one_image)
    images = torch.rand(3, 3, 8, 8)
    for _ in range(2):
        found = cache.maps(images, network)
    assert (len(cache), network.seen) == (2, 4)
    torch.testing.assert_close(found[0], network.layer(images))


def test_maps_of_another_precision_are_other_maps() -> None:
    network, cache = Counted(), FeatureCache(2**20)
    images = torch.rand(1, 3, 8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert cache.maps(images, network)[0].dtype == torch.bfloat16
    assert cache.maps(images, network)[0].dtype == torch.float32


def test_the_same_pixels_in_other_rows_are_another_image() -> None:
    network, cache = Counted(), FeatureCache(2**20)
    for shape in ((1, 3, 4, 8), (1, 3, 8, 4)):
        assert cache.maps(torch.zeros(shape), network)[0].shape == network.layer(torch.zeros(shape)).shape
    assert network.seen == 2
