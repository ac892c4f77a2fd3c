"""Ranges of settings: what passes, and what a refusal says."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from semicoupled.errors import SettingsError
from semicoupled.ranges import above, at_least, one_of, share, within

REFUSED: tuple[tuple[Callable[[], None], str], ...] = (
    (lambda: at_least("data.frames", 0, 1), "data.frames: expected at least 1, got 0."),
    (lambda: at_least("data.noise", math.nan, 0), "data.noise: expected at least 0, got nan."),
    (lambda: above("training.learning_rate", 0.0, 0.0), "expected a number above 0, got 0.0."),
    (lambda: above("training.learning_rate", math.nan, 0.0), "expected a number above 0, got nan."),
    (lambda: within("betas", 1.0, 0, 1, high_open=True), "betas: expected a number in [0, 1), got 1.0."),
    (lambda: within("overlap", 0.0, 0, 1, low_open=True), "overlap: expected a number in (0, 1], got 0.0."),
    (lambda: within("p", math.nan, 0, 1), "p: expected a number in [0, 1], got nan."),
    (lambda: share("data.slip", 1.1), "data.slip: expected a share from 0 to 1, got 1.1."),
    (lambda: share("data.slip", math.nan), "data.slip: expected a share from 0 to 1, got nan."),
    (lambda: one_of("keep", "worst", ("best", "last")), "keep: expected one of best, last, got 'worst'."),
)


@pytest.mark.parametrize(("check", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_lies_outside_is_refused_with_its_name(check: Callable[[], None], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check()
    assert said in str(caught.value)


def test_ends_and_nothing_pass() -> None:
    at_least("n", 1, 1)
    above("n", 1e-9, 0)
    within("n", 0, 0, 1)
    within("n", 1, 0, 1)
    share("n", 0)
    share("n", 1)
    one_of("n", "last", ("best", "last"))
    for check in (lambda: at_least("n", None, 1), lambda: above("n", None, 1), lambda: within("n", None, 0, 1)):
        check()
    share("n", None)
