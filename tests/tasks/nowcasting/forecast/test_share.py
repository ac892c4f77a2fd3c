from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from semicoupled.task_parts import TaskOutput
from semicoupled.tasks.nowcasting.data import forecast_batch
from semicoupled.tasks.nowcasting.forecast.share import stream_answers, temporal_share, why_no_share
from semicoupled.tasks.nowcasting.model import build_model
from semicoupled.tasks.nowcasting.settings import Form, ModelSettings
from semicoupled.training.settings import GoalWeights

LAST = torch.full((1, 1, 8, 9), 20 / 60)
STILL = torch.zeros(1, 2, 8, 9)


def output(main: list[float], spatial: list[float], change: list[float]) -> TaskOutput:
    """Fields of one value a lead, dBZ."""

    def fields(values: list[float], channels: int) -> Tensor:
        tensor = torch.zeros(1, len(values), channels, 8, 9)
        tensor[:, :, -1] = torch.tensor(values)[None, :, None, None] / 60
        return tensor

    return TaskOutput(fields(main, 1), fields(spatial, 1), fields(change, 3), None, None)


@pytest.mark.parametrize("form", ["plain", "residual", "advection"])
def test_the_temporal_stream_says_the_image_before_and_the_change(form: Form):
    """M is 24, then 26 dBZ; S 30 and 26; the change is 1 and 5, so that T is 20 + 1 and 24 + 5."""
    answers = stream_answers(output([24, 26], [30, 26], [1, 5]), LAST, STILL, form)
    assert answers.spatial[:, 4, 4].tolist() == pytest.approx([6, 0], abs=1e-4)
    assert answers.temporal[:, 4, 4].tolist() == pytest.approx([-3, 3], abs=1e-4)
    share = temporal_share(np.full((2, 8, 9), 25), answers.spatial.numpy(), answers.temporal.numpy())
    assert share[:, 4, 4].tolist() == pytest.approx([2 / 3, 0], abs=1e-4)


def test_where_rain_is_carried_to_drops_out():
    """A network that has learned nothing says what advection says, in all streams: nothing is left to share."""
    y, x = np.mgrid[:40, :44]
    frames = np.stack([40 * np.exp(-((y - 15 - t) ** 2 + (x - 12 - 2 * t) ** 2) / 30) for t in range(4)])
    motion = np.broadcast_to(np.array([2.3, 1.2])[:, None, None], (2, 40, 44)).astype(np.float32)
    model = build_model(ModelSettings(layers=2, width=8, patch=2, scales=0), 3).eval()
    batch = forecast_batch(frames, motion)
    with torch.no_grad():
        out = model(batch, leads=3, streams=("main", "spatial", "temporal"))
        answers = stream_answers(out, batch.frames[:, -1], batch.motion, "advection")
    assert float(answers.spatial.abs().max()) < 1e-3
    assert float(answers.temporal.abs().max()) < 1e-3
    assert np.isnan(temporal_share(60 * out.main[0, :, 0].numpy(), *(part.numpy() for part in answers))).all()


def test_nothing_is_said_where_it_is_missing_dry_or_the_same():
    nan = np.nan
    forecast = np.array([[[nan, 2.0, 30.0, 30.0, 2.0, 30.0]]])
    spatial = np.array([[[5.0, 1.0, 0.05, 4.0, 9.0, 0.0]]])
    temporal = np.array([[[5.0, 1.0, 0.04, 12.0, 0.0, 7.0]]])
    np.testing.assert_allclose(temporal_share(forecast, spatial, temporal)[0, 0], [nan, nan, nan, 0.25, 1, 0])


def test_above_one_half_is_where_time_is_important():
    rng = np.random.default_rng(0)
    forecast = rng.uniform(10, 40, (3, 5, 5))
    spatial, temporal = rng.normal(0, 5, (2, 3, 5, 5))
    share = temporal_share(forecast, spatial, temporal)
    importance = np.abs(spatial) - np.abs(temporal)  # of the two errors, had the forecast been observed
    np.testing.assert_array_equal(share > 0.5, importance > 0)
    assert ((share >= 0) & (share <= 1)).all()


def test_who_has_no_share_says_why():
    trained, one = GoalWeights(spatial=1.0, temporal=1.0), GoalWeights(spatial=1.0, temporal=0.0)
    assert why_no_share(ModelSettings(), trained) is None
    assert why_no_share(ModelSettings(kind="convlstm"), trained) == "a convlstm has one stream alone"
    assert "head of the temporal stream was not trained (goals.temporal is 0)" in str(
        why_no_share(ModelSettings(), one)
    )
    neither = why_no_share(ModelSettings(), GoalWeights(spatial=0.0, temporal=0.0))
    assert "spatial and of the temporal stream" in str(neither)
