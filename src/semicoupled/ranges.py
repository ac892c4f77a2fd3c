"""Ranges of settings: one way to check a number, and to say which setting it is, what was expected, and what came."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.errors import SettingsError


def at_least(name: str, value: float | None, least: float) -> None:
    """Check a number with a lower end.

    Args:
        name: of the setting, as it is given: ``data.frames``.
        value: None passes.
        least: is allowed.

    Raises:
        SettingsError: it is below, or no number (NaN).
    """
    if value is not None and not value >= least:
        raise SettingsError(f"{name}: expected at least {least}, got {value!r}.")


def above(name: str, value: float | None, bound: float) -> None:
    """Check a number with a lower end that is not allowed itself.

    Args:
        name: of the setting.
        value: None passes.
        bound: has to be passed.

    Raises:
        SettingsError: it is not above, or no number (NaN).
    """
    if value is not None and not value > bound:
        raise SettingsError(f"{name}: expected a number above {bound:g}, got {value!r}.")


def within(
    name: str, value: float | None, low: float, high: float, *, low_open: bool = False, high_open: bool = False
) -> None:
    """Check a number with two ends.

    Args:
        name: of the setting.
        value: None passes.
        low: the lower end.
        high: the upper end.
        low_open: the lower end is not allowed itself.
        high_open: the upper end is not allowed itself.

    Raises:
        SettingsError: it lies outside, or is no number (NaN).
    """
    if value is None:
        return
    reaches = value > low if low_open else value >= low
    stays = value < high if high_open else value <= high
    if not (reaches and stays):
        left, right = "(" if low_open else "[", ")" if high_open else "]"
        raise SettingsError(f"{name}: expected a number in {left}{low:g}, {high:g}{right}, got {value!r}.")


def share(name: str, value: float | None) -> None:
    """Check a share of a whole.

    Args:
        name: of the setting.
        value: None passes.

    Raises:
        SettingsError: it is not in [0, 1].
    """
    if value is not None and not 0 <= value <= 1:
        raise SettingsError(f"{name}: expected a share from 0 to 1, got {value!r}.")


def one_of(name: str, value: str, known: Sequence[str]) -> None:
    """Check a name.

    Args:
        name: of the setting.
        value: what it is set to.
        known: what it can be set to.

    Raises:
        SettingsError: it is none of them.
    """
    if value not in known:
        raise SettingsError(f"{name}: expected one of {', '.join(known)}, got {value!r}.")
