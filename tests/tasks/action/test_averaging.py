"""A video's answer is averaged as it was learned, at once or as frames come."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semicoupled.tasks.action.averaging import average_frames
from semicoupled.tasks.action.operating.video_answer import FrameAnswer, RunningAnswer
from semicoupled.tasks.action.settings import Average

SCORES = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 3
SAID = SCORES.softmax(-1).numpy()


def test_scores_are_averaged_before_the_softmax() -> None:
    wanted = SCORES.mean(1).softmax(-1).numpy()
    assert np.allclose(average_frames(SAID, "scores"), wanted, atol=1e-12)
    assert np.abs(wanted - SAID.mean(1)).max() > 0.01


@pytest.mark.parametrize("average", ["probabilities", "frames"])
def test_probabilities_are_averaged_as_they_are(average: Average) -> None:
    assert np.allclose(average_frames(SAID, average), SAID.mean(1), atol=1e-12)


@pytest.mark.parametrize("average", ["probabilities", "scores"])
def test_a_running_answer_is_the_average_so_far(average: Average) -> None:
    running = RunningAnswer(average)
    for count, frame in enumerate(SAID[0], start=1):
        running.add(FrameAnswer(0.0, frame, None, SAID[1, count - 1]))
        assert np.allclose(running.mean("main"), average_frames(SAID[0, :count], average), atol=1e-12)
    assert np.allclose(running.mean("temporal"), average_frames(SAID[1], average), atol=1e-12)
    assert running.mean("spatial") is None


def test_a_probability_of_zero_is_survived() -> None:
    found = average_frames(np.array([[1.0, 0.0], [0.5, 0.5]], np.float32), "scores")
    assert found.sum() == pytest.approx(1)
    assert found[0] > 0.99
