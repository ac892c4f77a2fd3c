"""How many back-propagation chains a semi-coupled stack has, and how many the switches leave (Fig. 3).

A chain starts at the loss of one frame, runs down through `layers` layers and back through `steps` time steps, and ends
at a layer's own parameters. In every layer it takes the spatial branch, which stays in its frame, or the temporal one,
which may go back any number of frames: the generating function of one layer is 1 + 1/(1 - z), z marking a time step.
A switch stands at every layer's input but the first one's, in both branches, and lets a gradient through with the
probability 1 - p; time is never cut. So a chain through d layers survives with the probability (1 - p)^(d - 1).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from semicoupled.errors import SettingsError


class ChainCounts(NamedTuple):
    """Expected numbers of chains.

    Attributes:
        layers: depth n of the stack.
        steps: number T of frames.
        stop: probability p that a switch stops the gradient.
        by_length: `by_length[i]` is the expected number of chains of length `i + 1`: layers plus time steps.
    """

    layers: int
    steps: int
    stop: float
    by_length: tuple[float, ...]

    @property
    def total(self) -> float:
        """Expected number of chains of any length."""
        return sum(self.by_length)


@cache
def paths(layers: int, steps: int) -> int:
    """Number of ways through `layers` layers that go back `steps` frames in all: [z^steps] (1 + 1/(1 - z))^layers.

    Args:
        layers: layers that the chain passes, 0 or more.
        steps: frames that it goes back, 0 or more.

    Returns:
        The exact number a(layers, steps).

    Raises:
        SettingsError: an argument is negative.
    """
    if layers < 0 or steps < 0:
        raise SettingsError(f"a chain needs layers >= 0 and steps >= 0, got layers={layers}, steps={steps}.")
    coefficients = [1] + [0] * steps  # the empty product
    for _ in range(layers):
        back = 0  # running sum: multiplication by 1/(1 - z)
        for m, stay in enumerate(coefficients):
            back += stay
            coefficients[m] = stay + back
    return coefficients[steps]


def expected_chains(layers: int, steps: int, stop: float = 0.0) -> ChainCounts:
    """Expected number of back-propagation chains of every length (Fig. 3).

    Args:
        layers: depth n of the stack, 1 or more.
        steps: number T of frames, each with a loss, 1 or more.
        stop: probability p that a switch stops the gradient, 0 to 1.

    Returns:
        The expected numbers for the lengths 1 to n + T - 1: the sum over d of (1 - p)^(d - 1) max(0, T - m) a(d, m)
        with m = length - d.

    Raises:
        SettingsError: an argument is out of its range.
    """
    if layers < 1 or steps < 1:
        raise SettingsError(f"chains need at least 1 layer and 1 step, got layers={layers}, steps={steps}.")
    if not 0.0 <= stop <= 1.0:
        raise SettingsError(f"stop is a probability: expected 0 <= stop <= 1, got {stop}.")
    numbers = [0.0] * (layers + steps - 1)
    for passed in range(1, layers + 1):
        survival = (1.0 - stop) ** (passed - 1)
        for back in range(steps):
            # (steps - back) losses have a frame that lies `back` steps before them
            numbers[passed + back - 1] += survival * (steps - back) * paths(passed, back)
    return ChainCounts(layers, steps, stop, tuple(numbers))
