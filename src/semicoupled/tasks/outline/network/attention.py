"""Where the decoder looks before each step: attention over the grid (Polygon-RNN++, Acuna et al. 2018, Sec. 3.2).

The features of the image are weighed, cell by cell, by what the first and the last layer of the decoder remember:
weight = softmax over cells of f(features + f1(hidden 1) + f2(hidden 2)). The paper maps each by one fully connected
layer; here the same small map is applied in every cell (1x1), and the weights are multiplied by the number of cells, so
that weights that are all the same change nothing: a new attention begins as none.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from semicoupled.nn import StackState
from semicoupled.nn.shapes import Float, Tensor


class Attention(nn.Module):
    """Weighs features by the decoder's state."""

    def __init__(self, features: int, first: int, last: int) -> None:
        """Build it; it begins with the same weight in every cell.

        Args:
            features: channels of the image's features.
            first: of what the first layer remembers.
            last: of what the last layer remembers.
        """
        super().__init__()
        self.first = nn.Conv2d(first, features, 1)
        self.last = nn.Conv2d(last, features, 1)
        self.score = nn.Conv2d(features, 1, 1)
        nn.init.zeros_(self.score.weight)

    def weights(self, features: Float[Tensor, "B F g g"], state: StackState) -> Float[Tensor, "B 1 g g"]:
        """Give the weight of each cell; their mean is 1."""
        layers = state.main
        assert layers is not None  # the main stream is always asked for
        mixed = torch.relu(features + self.first(layers[0][0]) + self.last(layers[-1][0]))
        scores = self.score(mixed).float()
        return scores.flatten(1).softmax(1).view_as(scores) * scores[0].numel()

    def forward(self, features: Float[Tensor, "B F g g"], state: StackState) -> Float[Tensor, "B F g g"]:
        """Weigh features."""
        return features * self.weights(features, state).to(features.dtype)


def attend_by_loops(attention: Attention, features: Tensor, state: StackState) -> Tensor:
    """The same for features B C H W, cell by cell and image by image: the reference of `Attention`."""
    layers = state.main
    assert layers is not None
    mapped = [
        torch.einsum("fc,bchw->bfhw", part.weight[:, :, 0, 0], hidden) + cast(Tensor, part.bias)[None, :, None, None]
        for part, hidden in ((attention.first, layers[0][0]), (attention.last, layers[-1][0]))
    ]
    weighed = torch.empty_like(features)
    batch, _, height, width = features.shape
    for row in range(batch):
        scores = torch.empty(height, width, dtype=features.dtype)
        for y in range(height):
            for x in range(width):
                mixed = features[row, :, y, x] + mapped[0][row, :, y, x] + mapped[1][row, :, y, x]
                scores[y, x] = (
                    mixed.clamp_min(0) @ attention.score.weight[0, :, 0, 0] + cast(Tensor, attention.score.bias)[0]
                )
        shares = scores.exp() / scores.exp().sum()
        weighed[row] = features[row] * shares * (height * width)
    return weighed
