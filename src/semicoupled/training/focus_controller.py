"""The learned controller of q: three fully connected layers on (L_s, L_t, L_g) (Sec. 5.2).

The paper gives no training signal. Ours is the score-function estimate of d E[R] / d q, where R is how much the main
loss falls in one step; docs/training.md derives it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from semicoupled.errors import SettingsError
from semicoupled.training.draws import hash_key
from semicoupled.training.switches import Votes

_CEILING = 0.99  # at q = 1 the other way is never tried, and nothing can be learned about it
_START = 0.92  # of the way from the floor to the ceiling: q = 0.95 for a floor of 0.5


class Proposal(NamedTuple):
    """A q, and what is needed to learn from its outcome.

    Attributes:
        spatial_focus: q.
        gradient: d q / d parameter, one tensor a parameter.
    """

    spatial_focus: float
    gradient: tuple[Tensor, ...]


class FocusController:
    """Proposes q, and moves it toward what made the main loss fall."""

    def __init__(
        self,
        *,
        seed: int = 0,
        focus_floor: float = 0.5,
        learning_rate: float = 0.01,
        width: int = 16,
        momentum: float = 0.9,
    ) -> None:
        """Make a controller whose first q is near 1.

        Args:
            seed: its first weights follow from it.
            focus_floor: q_0, the least q, in [0, 0.99).
            learning_rate: Adam's.
            width: units of the two hidden layers.
            momentum: of the running baseline and spread of the reward, in [0, 1).

        Raises:
            SettingsError: the floor leaves no room for q.
        """
        if not 0.0 <= focus_floor < _CEILING:
            raise SettingsError(
                f"switches.focus_floor: the learned controller needs a floor in [0, {_CEILING}), got {focus_floor!r}."
            )
        self._floor = focus_floor
        self._momentum = momentum
        generator = torch.Generator().manual_seed(hash_key(seed, "controller") >> 1)
        first, second, last = _linear(3, width), _linear(width, width), _linear(width, 1)
        self.layers = nn.Sequential(first, nn.Tanh(), second, nn.Tanh(), last)
        with torch.no_grad():
            for layer in (first, second):
                _ = nn.init.xavier_uniform_(layer.weight, generator=generator)
                layer.bias.zero_()
            last.weight.zero_()  # so that q moves by what is learned, not by chance as the losses fall
            last.bias.fill_(math.log(_START / (1.0 - _START)))
        self._optimizer = torch.optim.Adam(self.layers.parameters(), lr=learning_rate)
        self._reward = 0.0
        self._spread = 0.0
        self._rewards = 0

    def propose(self, spatial_loss: float, temporal_loss: float, main_loss: float) -> Proposal:
        """Give q for the losses, each relative to its first value (so 1 at the beginning).

        Args:
            spatial_loss: L_s over its first value.
            temporal_loss: L_t over its first value; 1 where there is none.
            main_loss: L_g over its first value.
        """
        with torch.enable_grad():
            losses = torch.tensor([spatial_loss, temporal_loss, main_loss], dtype=torch.float64)
            value = self._floor + (_CEILING - self._floor) * torch.sigmoid(self.layers(losses)).squeeze()
            gradient = torch.autograd.grad(value, list(self.layers.parameters()))
        return Proposal(value.item(), gradient)

    def learn(self, proposal: Proposal, votes: Votes, reward: float) -> None:
        """Move q up where a draw with more space than expected paid more than usual, and the other way round.

        Args:
            proposal: the q that the switches were drawn with.
            votes: how they came out.
            reward: how much the main loss fell after that step.
        """
        if self._rewards == 0:
            self._reward = reward
        else:
            surprise = reward - self._reward
            if self._spread > 0 and votes.asked:
                self._move(proposal, votes, surprise / math.sqrt(self._spread))
            # after the move: the baseline must not depend on the draw that it is used for
            self._reward += (1.0 - self._momentum) * surprise
            self._spread = self._momentum * self._spread + (1.0 - self._momentum) * surprise**2
        self._rewards += 1

    def _move(self, proposal: Proposal, votes: Votes, advantage: float) -> None:
        # The score over its standard deviation: the same direction, steps of one size for any number of switches.
        q = proposal.spatial_focus
        size = advantage * score(votes, q) / math.sqrt(votes.asked / (q * (1.0 - q)))
        for parameter, gradient in zip(self.layers.parameters(), proposal.gradient, strict=True):
            parameter.grad = -size * gradient
        self._optimizer.step()  # pyright: ignore[reportUnknownMemberType]

    def state_dict(self) -> dict[str, Any]:
        """Give what an exact resume needs."""
        return {
            "layers": self.layers.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "reward": self._reward,
            "spread": self._spread,
            "rewards": self._rewards,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self.layers.load_state_dict(state["layers"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._reward = float(state["reward"])
        self._spread = float(state["spread"])
        self._rewards = int(state["rewards"])


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """Make a layer whose weights are not filled: filling would take from the global generator."""
    return nn.Linear(inputs, outputs, device="meta", dtype=torch.float64).to_empty(device="cpu")


def score(votes: Votes, spatial_focus: float) -> float:
    """Give d log P(draw) / d q.

    A temporal switch is stopped with probability q and a spatial one is open with probability q, so the number m of
    switches in favor of space is binomial, log P = m log q + (N - m) log(1 - q) + a constant, and the score is
    (m - N q) / (q (1 - q)).

    Args:
        votes: N and m.
        spatial_focus: q, in (0, 1).
    """
    return (votes.spatial_ways - votes.asked * spatial_focus) / (spatial_focus * (1.0 - spatial_focus))
