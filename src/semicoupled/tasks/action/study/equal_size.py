"""Rivals of equal size: the widths at which another kind of network has as many parameters as the structure."""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Iterator, Sequence

import torch

from semicoupled.errors import SettingsError
from semicoupled.tasks.action.architecture import architecture
from semicoupled.tasks.action.settings import NAMED, ActionSettings

TOLERANCE = 0.05
"""By how much the parameters of two networks of one size may differ."""
_CLASSES = 10
"""For which heads are counted; they are small beside the rest."""
_UNITS = (8, 4, 2, 1)
"""Widths are whole multiples of as large a number as will do: such convolutions are quicker."""


def count_parameters(settings: ActionSettings, classes: int = _CLASSES) -> int:
    """Give the number of parameters of a model, without making any of them.

    Args:
        settings: of the model.
        classes: that it tells apart.
    """
    from semicoupled.tasks.action.model import build_model

    with torch.device("meta"):
        model = build_model(settings, classes)
    return sum(parameter.numel() for parameter in model.parameters())


def of_equal_size(settings: ActionSettings, target: int, layers: int | None = None) -> ActionSettings:
    """Give settings whose network has about as many parameters as another.

    Args:
        settings: of the rival; its plan of layers is made wider or narrower as a whole.
        target: parameters to reach, within `TOLERANCE`.
        layers: depth; None keeps that of the plan.

    Raises:
        SettingsError: its widths cannot be chosen, or none come near.
    """
    model = settings.model
    if model.kind in NAMED or model.size == "backbone":
        raise SettingsError(
            f"model.kind {model.kind} of size {model.size} has layers of its own, so that it cannot be made as large "
            "as another. Choose another size or kind"
        )
    plan = architecture(model)
    widths, strides = deepened(plan.widths, plan.strides, layers or len(plan.widths))

    def with_widths(scaled: tuple[int, ...]) -> ActionSettings:
        chosen = dataclasses.replace(
            model, widths=scaled, strides=strides, first_kernel=plan.first_kernel, pool_first=plan.pool_first
        )
        return dataclasses.replace(settings, model=chosen)

    for unit in _UNITS:
        plans = [with_widths(scaled) for scaled in _scaled(widths, unit)]
        above = bisect.bisect_left(plans, target, key=count_parameters)  # a wider plan never has fewer
        around = plans[max(0, above - 1) : above + 1]
        error, best = min(((abs(count_parameters(one) / target - 1), one) for one in around), key=lambda pair: pair[0])
        if error <= TOLERANCE / 2 or (unit == _UNITS[-1] and error <= TOLERANCE):
            return best
    raise SettingsError(
        f"model.kind {model.kind}: no widths give it {target} parameters within {TOLERANCE:.0%}. Choose a larger "
        "network to compare with"
    )


def deepened(widths: Sequence[int], strides: Sequence[int], layers: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give a plan of another depth: the same widths and sizes of maps at the same shares of the depth.

    Args:
        widths: channels of each layer.
        strides: of each layer.
        layers: the new depth, at least 1.

    Returns:
        Widths and strides; the product of the strides is the same.
    """
    sources = [index * len(widths) // layers for index in range(layers)]
    sources[-1] = len(widths) - 1
    reached: list[int] = []
    for stride in strides:
        reached.append(stride * (reached[-1] if reached else 1))
    steps = [reached[now] // (reached[before] if before >= 0 else 1) for before, now in _pairs(sources)]
    return tuple(widths[index] for index in sources), tuple(steps)


def _pairs(sources: Sequence[int]) -> Iterator[tuple[int, int]]:
    before = -1
    for now in sources:
        yield before, now
        before = now


def _scaled(widths: Sequence[int], unit: int) -> Iterator[tuple[int, ...]]:
    """Give all plans that are `widths` times a factor, rising from a tenth to six, in multiples of `unit`."""
    seen: set[tuple[int, ...]] = set()
    steps = 240
    for step in range(steps + 1):
        factor = 0.1 * 60 ** (step / steps)
        scaled = tuple(max(unit, round(width * factor / unit) * unit) for width in widths)
        if scaled not in seen:
            seen.add(scaled)
            yield scaled
