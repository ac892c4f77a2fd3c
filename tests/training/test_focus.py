from __future__ import annotations

import math

import pytest

from semicoupled.errors import SettingsError
from semicoupled.training.focus import equation_20, focus

LN10 = math.log(10)


@pytest.mark.parametrize(
    ("spatial", "main", "raw", "clamped"),
    [
        (LN10, LN10, 1.0, 1.0),
        (0.5, 0.3, 0.5, 0.5),
        (0.2, 9.0, 0.5, 0.5),
        (1.5, 1.2, 0.749642, 0.749642),
        (LN10, 2 * LN10, 1.25, 1.0),
    ],
)
def test_the_points_of_the_method(spatial: float, main: float, raw: float, clamped: float) -> None:
    assert equation_20(spatial, main, LN10) == pytest.approx(raw, abs=1e-6)
    assert focus(spatial, main, LN10) == pytest.approx(clamped, abs=1e-6)


def test_it_never_falls_below_the_floor() -> None:
    """A negative main loss (a likelihood) would bring Eq. 20 below q_0."""
    assert equation_20(2.0, -8.0, LN10) < 0.5
    assert focus(2.0, -8.0, LN10) == 0.5
    assert focus(2.0, -8.0, LN10, focus_floor=0.2) == 0.2


def test_balance_weighs_the_ratio_of_the_losses() -> None:
    assert equation_20(2.0, 1.0, LN10, balance=0.0) == equation_20(2.0, 5.0, LN10, balance=0.0)
    assert equation_20(2.0, 5.0, LN10, balance=1.0) > equation_20(2.0, 5.0, LN10, balance=0.5)


@pytest.mark.parametrize("initial", [0.5, 0.1])
def test_an_initial_loss_at_or_below_the_floor_is_refused(initial: float) -> None:
    with pytest.raises(SettingsError, match=r"must be above spatial_loss_floor \(0\.5\)"):
        focus(1.0, 1.0, initial)


@pytest.mark.parametrize("spatial", [0.0, -1.0, math.nan])
def test_a_spatial_loss_of_zero_is_refused(spatial: float) -> None:
    with pytest.raises(SettingsError, match="the spatial loss must be above 0"):
        focus(spatial, 1.0, LN10)
