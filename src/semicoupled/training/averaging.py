"""A running average of all weights: often better than the last ones, at the price of one more copy."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential moving average of a model's parameters; its buffers (statistics) are taken as they are."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        """Begin with the model's weights.

        Args:
            model: whose weights to average.
            decay: weight of the past, in (0, 1); smaller in the first steps, so that the beginning is forgotten.
        """
        self._decay = decay
        self._updates = 0
        self._mean = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take in the model's weights after a step."""
        self._updates += 1
        decay = min(self._decay, self._updates / (self._updates + 9.0))
        for name, parameter in model.named_parameters():
            self._mean[name].lerp_(parameter.detach(), 1.0 - decay)

    @contextmanager
    def applied(self, model: nn.Module) -> Generator[None, None, None]:
        """Put the average in the place of the model's weights for a while."""
        held = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
        _put(model, self._mean)
        try:
            yield
        finally:
            _put(model, held)

    def state_dict(self) -> dict[str, Any]:
        """Give what an exact resume needs."""
        return {"updates": self._updates, "mean": dict(self._mean)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self._updates = int(state["updates"])
        for name, value in state["mean"].items():
            self._mean[name].copy_(value)


@torch.no_grad()
def _put(model: nn.Module, weights: dict[str, Tensor]) -> None:
    for name, parameter in model.named_parameters():
        parameter.copy_(weights[name])
