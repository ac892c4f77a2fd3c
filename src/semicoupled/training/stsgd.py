"""STSGD: gradients through a branch are stopped with probability p, which falls over training (Sec. 5.2, Eq. 17, 18).

Two ways to use it:

* a `SemiCoupledStack` takes the draw itself: ``net(frames, switch=switches.draw(step))``;
* on any other network, call `switched` where a branch takes its input (docs/training.md shows a ConvLSTM).
"""

from __future__ import annotations

import math
from typing import Any

from semicoupled.errors import SettingsError
from semicoupled.nn.shapes import Float, Tensor
from semicoupled.nn.streams import Branch
from semicoupled.nn.switch import Switching, switch
from semicoupled.training.settings import Scope, StopSchedule, SwitchSettings
from semicoupled.training.switches import Counters, Draw, Drawing, HasDepth, StopRates, depth_of


class STSGD:
    """Spatial-Temporal Switch Gradient Descent: p_s = p_t = p."""

    def __init__(
        self,
        network: int | HasDepth,
        *,
        seed: int = 0,
        start: float = 0.5,
        end: float = 0.0,
        schedule: StopSchedule = "linear",
        scope: Scope = "batch",
        unbiased: bool = False,
    ) -> None:
        """Make the switches of a network.

        Args:
            network: the network, for its `depth`, or the number of its layers.
            seed: all draws follow from it.
            start: p at the beginning, in [0, 1].
            end: p at the end of training, in [0, 1].
            schedule: how p goes there: `linear`, `cosine`, or `constant` (stays at `start`).
            scope: one draw a frame for the whole `batch`, or one for every `sample`.
            unbiased: divide what passes by 1 - p, so that the expected gradient is the true one.

        Raises:
            SettingsError: a value is out of its range.
        """
        checked = SwitchSettings("stsgd", start, end, schedule, scope, unbiased)
        self._drawing = Drawing(seed, depth_of(network), checked.scope, checked.unbiased)
        self._settings = checked
        self._share = 0.0

    @property
    def stop_spatial(self) -> float:
        """p_s, the probability that a spatial switch is stopped."""
        settings = self._settings
        return stop_probability(self._share, settings.start, settings.end, settings.schedule)

    @property
    def stop_temporal(self) -> float:
        """p_t, the probability that a temporal switch is stopped."""
        return self.stop_spatial

    def set_progress(self, share: float) -> None:
        """Say which share of the training is done, in [0, 1]; p follows.

        Raises:
            SettingsError: the share is out of range.
        """
        if not 0.0 <= share <= 1.0:
            raise SettingsError(f"progress: expected the share of training done, in [0, 1], got {share!r}.")
        self._share = share

    def draw(
        self, step: int, micro_step: int = 0, segment: int = 0, first_frame: int = 0, first_sample: int = 0
    ) -> Draw:
        """Draw the switches of one forward pass; the arguments are explained at `Counters`.

        Raises:
            SettingsError: `unbiased` and p = 1.
        """
        rates = StopRates(self.stop_spatial, self.stop_temporal)
        return self._drawing.draw(rates, Counters(step, micro_step, segment, first_frame, first_sample))

    def observe(
        self, main: Tensor | float, spatial: Tensor | float | None = None, temporal: Tensor | float | None = None
    ) -> None:
        """Hear the losses, one number each, and do nothing: p follows the schedule. So ASTSGD can take its place."""

    def numbers(self) -> dict[str, float]:
        """Give p_s and p_t for a log."""
        return {"stop_spatial": self.stop_spatial, "stop_temporal": self.stop_temporal}

    def state_dict(self) -> dict[str, Any]:
        """Give what an exact resume needs."""
        return {"share": self._share}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self._share = float(state["share"])


def stop_probability(share: float, start: float, end: float, schedule: StopSchedule) -> float:
    """Give p when a share of the training is done.

    Args:
        share: in [0, 1].
        start: p at share 0.
        end: p at share 1.
        schedule: `linear`, `cosine` (slow at both ends), or `constant`.
    """
    if schedule == "constant":
        return start
    done = share if schedule == "linear" else (1.0 - math.cos(math.pi * share)) / 2.0
    return start + (end - start) * done


def switched(
    features: Float[Tensor, "B T *rest"], switches: Switching | None, branch: Branch, layer: int
) -> Float[Tensor, "B T *rest"]:
    """Pass features into a branch of anyone's network, their gradient only where the switch is open (Eq. 17).

    Forward values never change. Give None outside of training: ``switches if self.training else None``.

    Args:
        features: what the branch takes as its input, B T and anything behind.
        switches: one draw (`STSGD.draw`), or None for none.
        branch: which of the two branches it enters.
        layer: index of the layer from 0; layer 0 has nothing below it that learns, and needs no switch.

    Returns:
        The features, same values.
    """
    if switches is None or layer == 0:
        return features
    pattern = switches.pattern(branch, layer, features.shape[1], features.shape[0])
    return features if pattern is None else switch(features, pattern.open, pattern.scale)
