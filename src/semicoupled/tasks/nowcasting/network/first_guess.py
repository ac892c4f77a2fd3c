"""What the rain does if it goes on as it did: bands of scales that fade at their own rates, and trends that last.

As seen from where the rain is (`view`), with b(F) the bands of a frame and t the last frame:

    d_1 = b(F_t) - b(F_t-1)        d_2 = b(F_t-1) - b(F_t-2)
    x_0 = (1 + g_0) b(F_t) - g_1 d_1 - g_2 (d_1 + d_2)      what is there: a mean of the newest frames, or sharpened
    v_0 = minmod(d_1, d_2)                                  how it changes, if it changes the same way twice
    x_k+1 = l (x_k + m v_k)        v_k+1 = l v_k

g is learned, one a band; l (0 to 1.02) and m (-1 to 1) are learned, one a band, and corrected by the network for every
cell and lead. With l = 1, g = m = 0 it is advection; with l alone it is S-PROG (Seed 2003). What flickers (interference
of another transmitter, clutter) has no trend: minmod is 0 where two changes in a row have different signs.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from semicoupled.nn.shapes import Float, Tensor
from semicoupled.tasks.nowcasting.network.scales import bands

FASTEST_GROWTH = 1.02
"""Upper end of l: a band may grow by 2 % a step, no more, so that no forecast runs away."""

GAIN = 5.0
"""How much faster than other weights those of the guess learn: there are few of them, and everything builds on them."""

FRAMES = 3
"""Newest frames that the guess looks at."""


class Bands(NamedTuple):
    """The guess at one time.

    Attributes:
        now: x_k, B N H W.
        trend: v_k, B N H W.
    """

    now: Tensor
    trend: Tensor


class FirstGuess(nn.Module):
    """Carries bands on."""

    def __init__(self, scales: int) -> None:
        """Start near advection, with fine bands that fade faster.

        Args:
            scales: blurs; there is one more band.
        """
        super().__init__()
        self.scales = scales
        self.count = scales + 1
        self.left = nn.Parameter(torch.linspace(1.2, 1.2 + 0.55 * scales, self.count) / GAIN)
        self.rate = nn.Parameter(torch.zeros(self.count))
        self.sharpen = nn.Parameter(torch.zeros(self.count))
        self.remember = nn.Parameter(torch.tensor([[-2.0], [-3.0]]).repeat(1, self.count) / GAIN)

    def start(self, images: Float[Tensor, "B T 1 H W"], known: Float[Tensor, "B T 1 H W"]) -> Bands:
        """Look at the newest frames.

        Args:
            images: frames as seen from where the rain is, 0 where nothing is known; T of them, at least one.
            known: 1 where something is known, else 0.
        """
        last, seen = images[:, -1], known[:, -1]
        newest = bands(last, seen, self.scales)
        back = [min(steps, images.shape[1] - 1) + 1 for steps in range(1, FRAMES)]
        older = [bands(torch.where(known[:, -n] > 0, images[:, -n], last), seen, self.scales) for n in back]
        change, before = newest - older[0], older[0] - older[1]
        one, two = (0.5 * torch.sigmoid(GAIN * weight).view(1, -1, 1, 1) for weight in self.remember)
        now = (1 + GAIN * self.sharpen.view(1, -1, 1, 1)) * newest - one * change - two * (change + before)
        return Bands(now, minmod(change, before))

    def rates(self, cells: Float[Tensor, "B 2N h w"]) -> Float[Tensor, "B 2N h w"]:
        """Give l and m of every cell from the network's corrections."""
        left, rate = cells.split(self.count, dim=1)
        left = FASTEST_GROWTH * torch.sigmoid(GAIN * self.left.view(1, -1, 1, 1) + left)
        return torch.cat([left, torch.tanh(GAIN * self.rate.view(1, -1, 1, 1) + rate)], dim=1)

    def forward(self, guess: Bands, rates: Float[Tensor, "B 2N H W"]) -> Bands:
        """Go one step on, with l and m of every pixel."""
        left, rate = rates.split(self.count, dim=1)
        return Bands(left * (guess.now + rate * guess.trend), left * guess.trend)


def minmod(one: Tensor, two: Tensor) -> Tensor:
    """Give the smaller of two numbers of the same sign, else 0 (Roe 1986), element by element in any shape."""
    smaller = torch.where(one.abs() < two.abs(), one, two)
    return torch.where(one * two > 0, smaller, torch.zeros_like(one))
