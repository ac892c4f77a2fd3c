"""Eq. 20: how much of the gradient goes to space, from the losses."""

from __future__ import annotations

from semicoupled.errors import SettingsError


def equation_20(
    spatial_loss: float,
    main_loss: float,
    initial_main_loss: float,
    *,
    focus_floor: float = 0.5,
    spatial_loss_floor: float = 0.5,
    balance: float = 0.5,
) -> float:
    """Give q as Eq. 20 has it, which may be above 1.

    Args:
        spatial_loss: L_s, above 0.
        main_loss: L_g, in the same unit.
        initial_main_loss: InitL_g, above `spatial_loss_floor`.
        focus_floor: q_0, the least q, in [0, 1).
        spatial_loss_floor: thresh: q is at its least once L_s is at or below it.
        balance: alpha, how much L_g / L_s counts, in [0, 1].

    Raises:
        SettingsError: a loss for which Eq. 20 has no value.
    """
    if initial_main_loss <= spatial_loss_floor:
        raise SettingsError(
            f"Eq. 20: the initial main loss ({initial_main_loss:g}) must be above spatial_loss_floor "
            f"({spatial_loss_floor:g}). Lower switches.spatial_loss_floor, or set switches.initial_main_loss."
        )
    if not spatial_loss > 0:
        raise SettingsError(
            f"Eq. 20: the spatial loss must be above 0, got {spatial_loss:g}. Give the spatial goal a loss, "
            "or use STSGD."
        )
    mature = max(0.0, spatial_loss - spatial_loss_floor) / (initial_main_loss - spatial_loss_floor)
    return focus_floor + (1.0 - focus_floor) * mature * (balance * (main_loss / spatial_loss - 1.0) + 1.0)  # (20)


def has_value(spatial_loss: float, initial_main_loss: float, spatial_loss_floor: float) -> bool:
    """Say whether Eq. 20 has a value, which divides by L_s and by InitL_g - thresh; arguments as in `equation_20`."""
    return spatial_loss > 0 and initial_main_loss > spatial_loss_floor


def focus(
    spatial_loss: float,
    main_loss: float,
    initial_main_loss: float,
    *,
    focus_floor: float = 0.5,
    spatial_loss_floor: float = 0.5,
    balance: float = 0.5,
) -> float:
    """Give q by Eq. 20, clamped to [`focus_floor`, 1]; for the arguments see `equation_20`."""
    value = equation_20(
        spatial_loss,
        main_loss,
        initial_main_loss,
        focus_floor=focus_floor,
        spatial_loss_floor=spatial_loss_floor,
        balance=balance,
    )
    return min(1.0, max(focus_floor, value))
