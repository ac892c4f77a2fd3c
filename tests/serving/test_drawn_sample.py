"""Drawn clips: persons and shapes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from semicoupled.errors import DataError
from semicoupled.serving.drawn_sample import SAMPLES, drawn_frames, find_sample
from semicoupled.serving.shape_sample import SAMPLES as SHAPES
from semicoupled.serving.shape_sample import SIDE
from semicoupled.tasks.action.study.made import CLASSES


@pytest.mark.parametrize("name", list(SAMPLES))
def test_a_sample_is_the_same_each_time_and_moves(name: str) -> None:
    one, two = (list(drawn_frames(name)) for _ in range(2))
    assert len(one) == find_sample(name).frames
    for first, second in zip(one, two, strict=True):
        assert first.time == second.time
        np.testing.assert_array_equal(first.image, second.image)
    changes = [(a.image != b.image).any() for a, b in itertools.pairwise(one)]
    assert np.mean(changes) > 0.9  # a motion may turn back between two frames that are the same


def test_shapes_are_classes_that_the_shipped_model_knows_and_go_the_way_they_say() -> None:
    assert set(SHAPES) <= set(CLASSES)
    for name, axis, sign in (("square_E", 1, 1), ("square_N", 0, -1)):
        frames = np.stack([frame.image[..., 0] for frame in drawn_frames(name)]).astype(float)
        assert frames.shape[1:] == (SIDE, SIDE)
        shape = np.abs(frames - 128).mean(axis=1 if axis == 1 else 2)
        steps = [
            max(range(-20, 21), key=lambda step, a=a, b=b: float(np.dot(np.roll(a, step), b)))
            for a, b in itertools.pairwise(shape)
        ]
        assert np.median(steps) * sign > 5


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(DataError, match=r"there is no sample 'squares_E'\. Did you mean 'square_E'"):
        find_sample("squares_E")
