"""The decoder: a deep structure that sees the image's features and the last points, and gives the next one."""

from __future__ import annotations

from semicoupled.nn import CBMStack, RecurrentStack, SemiCoupledStack, convgru, convlstm
from semicoupled.tasks.outline.network.prompts import CHANNELS
from semicoupled.tasks.outline.settings import ModelSettings

Decoder = SemiCoupledStack | RecurrentStack | CBMStack


def build_decoder(settings: ModelSettings) -> Decoder:
    """Build the decoder; all kinds get the same inputs and widths.

    With the default's norm and shortcuts (none) and 128 features its parameters are those of Table 4, to the unit.
    """
    inputs, widths = settings.features + CHANNELS, settings.channels
    norm, every = settings.norm, settings.shortcut_every
    if settings.kind == "convlstm":
        return convlstm(inputs, widths, norm=norm, shortcut_every=every)
    if settings.kind == "convgru":
        return convgru(inputs, widths, norm=norm, shortcut_every=every)
    if settings.kind == "cbm":  # its outline form uses tanh
        return CBMStack(inputs, widths, norm=norm, activation="tanh", shortcut_every=every)
    return SemiCoupledStack(
        inputs,
        widths,
        norm=norm,
        cell=settings.cell,
        initial_gate=settings.initial_gate,
        shortcut_every=every,
        checkpointing=settings.checkpointing,
    )
