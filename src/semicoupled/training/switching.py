"""Settings to switches: STSGD, ASTSGD, or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from semicoupled.errors import SettingsError
from semicoupled.training.astsgd import ASTSGD
from semicoupled.training.settings import SwitchSettings
from semicoupled.training.stsgd import STSGD
from semicoupled.training.switches import Switches, Votes


def make_switches(
    settings: SwitchSettings, network: Any, seed: int, share_votes: Callable[[Votes], Votes] | None = None
) -> Switches | None:
    """Make the switches of a network.

    Args:
        settings: which ones.
        network: for its `depth`.
        seed: all draws follow from it.
        share_votes: makes the votes of one process those of all that train together; None where it trains alone.

    Returns:
        The switches, or None for method `none`.

    Raises:
        SettingsError: the network has no depth.
    """
    if settings.method == "none":
        return None
    depth = getattr(network, "depth", None)
    if not isinstance(depth, int):
        raise SettingsError(
            f"switches.method {settings.method}: the network ({type(network).__name__}) has no depth, so it has no "
            "branches to switch. Set switches.method to none."
        )
    if settings.method == "stsgd":
        return STSGD(
            depth,
            seed=seed,
            start=settings.start,
            end=settings.end,
            schedule=settings.schedule,
            scope=settings.scope,
            unbiased=settings.unbiased,
        )
    return ASTSGD(
        depth,
        seed=seed,
        classes=settings.classes,
        initial_main_loss=settings.initial_main_loss,
        focus_floor=settings.focus_floor,
        spatial_loss_floor=settings.spatial_loss_floor,
        balance=settings.balance,
        momentum=settings.momentum,
        scope=settings.scope,
        unbiased=settings.unbiased,
        restore_one=settings.restore_one,
        controller=settings.controller,
        controller_learning_rate=settings.controller_learning_rate,
        share_votes=share_votes,
    )
