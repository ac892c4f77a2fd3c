"""Importance along a drive."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tasks.driving.answered import answered, slow_smooth

from semicoupled.tasks.driving.scores.importance import timeline


def test_a_timeline_is_the_smoothed_gain_of_time() -> None:
    drive = answered()
    assert drive.temporal is not None
    assert drive.spatial is not None
    found = timeline(drive, 6.0)
    assert found is not None
    gain = [
        min(6 / (abs(t - y) + 1e-9), 1) - min(6 / (abs(s - y) + 1e-9), 1)
        for t, s, y in zip(drive.temporal, drive.spatial, drive.truth, strict=True)
    ]
    assert found.importance == pytest.approx(slow_smooth(np.array(gain), drive.times, 1.0), rel=1e-10, abs=1e-12)
    assert (found.disagreement == drive.temporal - drive.spatial).all()


def test_without_labels_there_is_the_disagreement_alone() -> None:
    found = timeline(answered(truth=np.full(120, np.nan)), 6.0)
    assert found is not None
    assert np.isnan(found.importance).all()
    assert not np.isnan(found.disagreement).any()


def test_a_model_without_streams_has_no_timeline() -> None:
    assert timeline(answered(spatial=None), 6.0) is None
