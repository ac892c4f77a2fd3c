"""The three synthesizers F: how the maps of the two branches become a layer's output."""

from __future__ import annotations

from typing import Literal

import torch

from semicoupled.nn.shapes import Float, Tensor

Activation = Literal["relu", "tanh"]
"""ReLU (paper) or tanh (the outline form of the predecessor CBM)."""

ACTIVATIONS: tuple[Activation, ...] = ("relu", "tanh")


def activate(spatial: Float[Tensor, "..."], activation: Activation) -> Float[Tensor, "..."]:
    """The nonlinearity of the spatial map."""
    return torch.relu(spatial) if activation == "relu" else torch.tanh(spatial)


def main(
    spatial: Float[Tensor, "..."], gate: Float[Tensor, "..."], activation: Activation = "relu"
) -> Float[Tensor, "..."]:
    """F of the main stream: u = relu(s) * sigmoid(c) (Eq. 6), where `gate` is sigmoid(c)."""
    return activate(spatial, activation) * gate


def spatial(spatial: Float[Tensor, "..."], activation: Activation = "relu") -> Float[Tensor, "..."]:
    """F of T^1: u = relu(s) (Eq. 9)."""
    return activate(spatial, activation)


def temporal(temporal: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """F of T^2: u = relu(c) (Eq. 11)."""
    return torch.relu(temporal)
