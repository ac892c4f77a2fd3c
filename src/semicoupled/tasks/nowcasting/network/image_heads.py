"""From features to the next image: one head a form.

`plain`: the image itself (the paper). `residual`: the change since the last image. `advection`: a first guess that goes
on by itself, with the rates, the additions and the last touch that the network gives to it.

A head starts from what is seen and keeps what it needs from step to step in a tuple of tensors.
"""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import nn

from semicoupled.nn.shapes import Float, Tensor
from semicoupled.tasks.nowcasting.network.first_guess import Bands, FirstGuess
from semicoupled.tasks.nowcasting.network.patches import spread, to_pixels
from semicoupled.tasks.nowcasting.settings import Form

Kept = tuple[Tensor, ...]
"""What a head keeps; the last observed image comes first."""

HINTS = 8
"""Features that the last touch sees beside the images."""

TOUCH = 16
"""Channels of the last touch."""


class ImageHead(Protocol):
    """What all heads have in common."""

    names: tuple[str, ...]
    """Of what is kept beside the last image."""

    def start(self, images: Tensor, known: Tensor) -> Kept:
        """Begin from frames as the network sees them and what is known of them, B T 1 H W each."""
        ...

    def __call__(self, features: Tensor, kept: Kept) -> tuple[Tensor, Kept]:
        """Make the next image, B 1 H W, of features B C h w."""
        ...


def image_head(form: Form, channels: int, patch: int, scales: int) -> nn.Module:
    """Build the head of a form.

    Args:
        form: see `ModelSettings`.
        channels: of the features.
        patch: side of a cell, pixels.
        scales: of the form `advection`; with 0 it is `residual` seen from where the rain is.
    """
    if form == "advection" and scales:
        return GuessHead(channels, patch, scales)
    return PlainHead(channels, patch, change=form != "plain")


class PlainHead(nn.Module):
    """Gives the image, or its change since the last one that was seen."""

    names: tuple[str, ...] = ()

    def __init__(self, channels: int, patch: int, *, change: bool) -> None:
        """Build one convolution.

        Args:
            channels: of the features.
            patch: side of a cell, pixels.
            change: give the change.
        """
        super().__init__()
        self.patch, self.change = patch, change
        self.output = pointwise(channels, patch**2)

    def start(self, images: Float[Tensor, "B T 1 H W"], known: Float[Tensor, "B T 1 H W"]) -> Kept:
        """See `ImageHead.start`."""
        del known
        return (images[:, -1],)

    def forward(self, features: Float[Tensor, "B C h w"], kept: Kept) -> tuple[Tensor, Kept]:
        """See `ImageHead`."""
        last = kept[0]
        image = to_pixels(self.output(features), self.patch, last)
        return (last + image if self.change else image), kept


class GuessHead(nn.Module):
    """Carries a first guess on, adds to it pixel by pixel, and decides at the full resolution what is shown."""

    names: tuple[str, ...] = ("now", "trend")

    def __init__(self, channels: int, patch: int, scales: int) -> None:
        """Build a convolution on cells, and two on pixels.

        Args:
            channels: of the features.
            patch: side of a cell, pixels.
            scales: blurs of the first guess.
        """
        super().__init__()
        self.patch = patch
        self.guess = FirstGuess(scales)
        self.parts = patch**2, 2 * self.guess.count, HINTS
        self.output = pointwise(channels, sum(self.parts))
        # what is shown is not what is expected: a mean fades showers, a threshold wants them there or not
        self.touch = nn.Sequential(
            nn.Conv2d(self.guess.count + 3 + HINTS, TOUCH, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(TOUCH, 1, 3, padding=1),
        )
        _zero(cast(nn.Conv2d, self.touch[2]))

    def start(self, images: Float[Tensor, "B T 1 H W"], known: Float[Tensor, "B T 1 H W"]) -> Kept:
        """See `ImageHead.start`."""
        return images[:, -1], *self.guess.start(images, known)

    def forward(self, features: Float[Tensor, "B C h w"], kept: Kept) -> tuple[Tensor, Kept]:
        """See `ImageHead`."""
        last, now, trend = kept
        added, corrections, hints = self.output(features).split(self.parts, dim=1)
        cells = torch.cat([self.guess.rates(corrections), hints], dim=1)
        rates, hints = spread(cells, self.patch, last).split(self.parts[1:], dim=1)
        following = self.guess(Bands(now, trend), rates)
        image = following.now.sum(1, keepdim=True) + to_pixels(added, self.patch, last)
        seen = torch.cat([image, following.now, following.trend.sum(1, keepdim=True), last, hints], dim=1)
        touched = self.touch(seen.contiguous(memory_format=torch.channels_last))
        return image + touched.to(image.dtype), (last, *following)


def pointwise(channels: int, outputs: int) -> nn.Conv2d:
    """One 1x1 convolution; it starts at zero, so that a form with a first guess starts as that guess."""
    return _zero(nn.Conv2d(channels, outputs, 1))


def _zero(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(cast(Tensor, layer.bias))
    return layer
