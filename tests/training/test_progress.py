from __future__ import annotations

import pytest

from semicoupled.training.progress import seconds_left


def test_time_left_is_that_of_the_speed_so_far() -> None:
    assert seconds_left(25, 100, 10.0) == pytest.approx(30.0)
    assert seconds_left(0, 100, 10.0) is None
    assert seconds_left(101, 100, 10.0) == 0.0
