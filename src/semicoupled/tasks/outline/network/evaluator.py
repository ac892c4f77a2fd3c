"""How good is a finished outline? A small network that tells its IoU (Polygon-RNN++, Acuna et al. 2018, Sec. 3.4).

It sees the features of the image, what the decoder's last layer remembers, and the outline, filled; two convolutions
and a fully connected layer follow. It learns from outlines that were drawn in training, by the squared error of the
IoU, and nothing flows from it to what it looks at.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from semicoupled.nn.shapes import Float, Tensor
from semicoupled.tasks.outline.network.raster import FINE, fill
from semicoupled.tasks.outline.network.rollout import Corners


class Evaluator(nn.Module):
    """Tells the IoU of outlines."""

    def __init__(self, features: int, remembered: int, grid: int, channels: int = 16) -> None:
        """Build it.

        Args:
            features: channels of the image's features.
            remembered: of the state of the decoder's last layer.
            grid: cells on a side.
            channels: of its own maps.
        """
        super().__init__()
        self.grid = grid
        self.first = nn.Conv2d(features + remembered + 1, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.answer = nn.Linear(channels * grid * grid, 1)

    def forward(
        self, features: Float[Tensor, "B F g g"], remembered: Float[Tensor, "B C g g"], drawn: Corners
    ) -> Float[Tensor, "B"]:
        """Tell the IoU, 0 to 1.

        Args:
            features: of the image.
            remembered: the last layer's state when the outline came to its end.
            drawn: the outline.
        """
        side = self.grid * FINE
        filled = F.avg_pool2d(fill(drawn.points * FINE, drawn.counts, side).float()[:, None], FINE)
        seen = torch.cat([features.detach(), remembered.detach(), filled], dim=1)
        mapped = torch.relu(self.second(torch.relu(self.first(seen))))
        return torch.sigmoid(self.answer(mapped.flatten(1)).float())[:, 0]


def evaluator_loss(guessed: Float[Tensor, "B"], iou: Float[Tensor, "B"]) -> Float[Tensor, ""]:
    """Squared error of the IoU."""
    return F.mse_loss(guessed, iou.detach())
