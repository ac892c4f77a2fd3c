"""A radar image as a sum of bands of scales: coarse patterns last longer than fine ones (Seed 2003, S-PROG).

The bands are differences of ever wider Gaussian blurs, so that they add up to the image.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from semicoupled.nn.shapes import Float, Tensor


def bands(image: Float[Tensor, "B 1 H W"], known: Float[Tensor, "B 1 H W"], count: int) -> Float[Tensor, "B N H W"]:
    """Part an image into bands, from the finest to what is left.

    Args:
        image: 0 where nothing is known.
        known: 1 where the image is known, else 0; blurs are means of what is known.
        count: number of blurs, with standard deviations of 1, 2, 4, ... pixels; N is one more.

    Returns:
        The bands; they add up to the image.
    """
    with torch.autocast(image.device.type, enabled=False):  # they must add up, also in mixed precision
        parts: list[Tensor] = []
        rest = image
        for level in range(count):
            sigma = 2.0**level
            soft = gaussian_blur(image * known, sigma) / gaussian_blur(known, sigma).clamp_min(1e-3)
            parts.append(rest - soft)
            rest = soft
    return torch.cat([*parts, rest], dim=1)


def gaussian_blur(image: Float[Tensor, "B 1 H W"], sigma: float) -> Float[Tensor, "B 1 H W"]:
    """Blur an image; beyond its edge there are zeros.

    Args:
        image: one channel.
        sigma: standard deviation, pixels.
    """
    radius = int(3 * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1, dtype=image.dtype, device=image.device)
    kernel = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    across = F.conv2d(image, kernel, padding=(0, radius))
    return F.conv2d(across, kernel.transpose(2, 3), padding=(radius, 0))
