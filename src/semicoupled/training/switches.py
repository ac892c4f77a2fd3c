"""One draw of all the switches of a network (Eq. 17, 18), and what STSGD and ASTSGD have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from semicoupled.errors import SettingsError, ShapeError
from semicoupled.nn.streams import Branch
from semicoupled.nn.switch import Pattern
from semicoupled.training.draws import fold, hash_key, uniform
from semicoupled.training.settings import Scope


class HasDepth(Protocol):
    """A network that knows how many layers it has."""

    @property
    def depth(self) -> int:
        """Number of layers."""
        ...


class StopRates(NamedTuple):
    """Probability that a branch's switch is drawn as stopped.

    Attributes:
        spatial: p_s, in [0, 1].
        temporal: p_t, in [0, 1].
    """

    spatial: float
    temporal: float


class Votes(NamedTuple):
    """How a draw came out, for the learned controller.

    Attributes:
        asked: switches that were asked for.
        spatial_ways: those that came out in favor of space: temporal stopped, or spatial open.
    """

    asked: int
    spatial_ways: int


class Counters(NamedTuple):
    """What a draw is a function of, beside seed, layer, branch and frame.

    Attributes:
        step: optimizer step.
        micro_step: forward pass within the step.
        segment: index of the segment within the sequence.
        first_frame: index, in the whole sequence, of the clip's first frame.
        first_sample: index, in the whole batch, of the first sample (for one draw a sample).
    """

    step: int
    micro_step: int = 0
    segment: int = 0
    first_frame: int = 0
    first_sample: int = 0


class Switches(Protocol):
    """What a training loop wants of STSGD and ASTSGD."""

    @property
    def stop_spatial(self) -> float:
        """Probability that a spatial switch is stopped."""
        ...

    @property
    def stop_temporal(self) -> float:
        """Probability that a temporal switch is stopped."""
        ...

    def set_progress(self, share: float) -> None:
        """Say which share of the training is done, in [0, 1]."""
        ...

    def draw(
        self, step: int, micro_step: int = 0, segment: int = 0, first_frame: int = 0, first_sample: int = 0
    ) -> Draw:
        """Draw the switches of one forward pass; see `Counters`."""
        ...

    def observe(
        self, main: Tensor | float, spatial: Tensor | float | None = None, temporal: Tensor | float | None = None
    ) -> None:
        """Hear the losses of one optimizer step, one number each."""
        ...

    def numbers(self) -> dict[str, float]:
        """Give what a log should hold."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Give what an exact resume needs."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        ...


@dataclass(frozen=True)
class Drawing:
    """How switches are drawn, whatever their probabilities.

    Args:
        seed: any integer.
        depth: layers of the network; the first one has no switch.
        scope: one draw a frame for the whole `batch`, or one for every `sample`.
        unbiased: divide what passes by the probability of passing.
        restore_one: never stop both branches: where both are drawn, the one with the lower rate passes.
    """

    seed: int
    depth: int
    scope: Scope = "batch"
    unbiased: bool = False
    restore_one: bool = False

    def draw(self, rates: StopRates, counters: Counters) -> Draw:
        """Draw all the switches of one forward pass.

        Raises:
            SettingsError: `unbiased`, and a branch never passes.
        """
        keep = _keep_probabilities(rates, self.restore_one)
        scales: dict[Branch, float] = {"spatial": 1.0, "temporal": 1.0}
        if self.unbiased:
            for branch, probability in keep.items():
                if probability <= 0:
                    raise SettingsError(
                        f"switches.unbiased: the {branch} branch is stopped with probability 1, so its gradient cannot "
                        "be divided by the probability of passing (0). Keep stop probabilities below 1, or set "
                        "unbiased to false."
                    )
                scales[branch] = 1.0 / probability
        return Draw(self, rates, counters, scales)


class Draw:
    """One draw of all the switches of a network: a `semicoupled.nn.switch.Switching`.

    Asking twice gives the same answer, so a forward pass that is recomputed (gradient checkpointing) fits.
    """

    def __init__(self, drawing: Drawing, rates: StopRates, counters: Counters, scales: dict[Branch, float]) -> None:
        """Take what the draw follows from; nothing is drawn before the first question."""
        self._drawing = drawing
        self._rates = rates
        self._counters = counters
        self._scales = scales
        self._drawn: dict[tuple[int, int], dict[Branch, Tensor]] = {}
        self._asked: set[tuple[Branch, int, int, int]] = set()

    def pattern(self, branch: Branch, layer: int, frames: int, batch: int) -> Pattern | None:
        """See `semicoupled.nn.switch.Switching.pattern`.

        Raises:
            ShapeError: the network has more layers than the switches were made for.
        """
        if not 0 <= layer < self._drawing.depth:
            raise ShapeError(
                f"switches: made for {self._drawing.depth} layers (0 to {self._drawing.depth - 1}), asked for layer "
                f"{layer}. Make them for the network that you train."
            )
        self._asked.add((branch, layer, frames, batch))
        stopped = self._stopped(frames, batch)
        if self._drawing.restore_one:
            both = stopped["spatial"][layer] & stopped["temporal"][layer]
            halted = stopped[branch][layer] & ~both if branch == self._restored() else stopped[branch][layer]
        elif getattr(self._rates, branch) == 0:
            return None
        else:
            halted = stopped[branch][layer]
        return Pattern(~halted, self._scales[branch])

    def votes(self) -> Votes:
        """Count how the switches that were asked for came out, before any was restored."""
        asked = ways = 0
        for branch, layer, frames, batch in self._asked:
            stopped = self._stopped(frames, batch)[branch][layer]
            halted = int(stopped.sum())
            asked += stopped.numel()
            ways += halted if branch == "temporal" else stopped.numel() - halted
        return Votes(asked, ways)

    def _restored(self) -> Branch:
        return "spatial" if self._rates.temporal >= self._rates.spatial else "temporal"

    def _stopped(self, frames: int, batch: int) -> dict[Branch, Tensor]:
        """Draw for all layers at once: depth T, or depth T B."""
        if (frames, batch) not in self._drawn:
            at = self._counters
            layers = torch.arange(self._drawing.depth)[:, None]
            key = hash_key(self._drawing.seed, "switches", at.step, at.micro_step, at.segment)
            keys = fold(fold(key, layers), torch.arange(at.first_frame, at.first_frame + frames))
            self._drawn[frames, batch] = {
                "spatial": self._branch(keys, 0, batch) < self._rates.spatial,
                "temporal": self._branch(keys, 1, batch) < self._rates.temporal,
            }
        return self._drawn[frames, batch]

    def _branch(self, keys: Tensor, branch: int, batch: int) -> Tensor:
        keys = fold(keys, branch)
        if self._drawing.scope == "sample":
            first = self._counters.first_sample
            keys = fold(keys[..., None], torch.arange(first, first + batch))
        return uniform(keys)


def _keep_probabilities(rates: StopRates, restore_one: bool) -> dict[Branch, float]:
    spatial, temporal = rates
    if restore_one:
        both = spatial * temporal
        if temporal >= spatial:
            spatial -= both
        else:
            temporal -= both
    return {"spatial": 1.0 - spatial, "temporal": 1.0 - temporal}


def depth_of(network: int | HasDepth) -> int:
    """Give the number of layers: the number itself, or the network's `depth`.

    Raises:
        SettingsError: below 1.
    """
    depth = network if isinstance(network, int) else network.depth
    if depth < 1:
        raise SettingsError(f"switches: expected a network of at least 1 layer, got {depth}.")
    return depth
