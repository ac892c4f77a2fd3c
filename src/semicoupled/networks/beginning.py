"""The random weights that networks of convolutions and ReLU begin with."""

from __future__ import annotations

from torch import nn


def begin_he(network: nn.Module) -> None:
    """Draw the weights of a network's convolutions, and set their biases to 0.

    The standard deviation is that of He et al. 2015 over what leaves a convolution ("fan out").

    Args:
        network: whose ``nn.Conv2d`` are drawn anew, from torch's global generator, in the order of its modules.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
