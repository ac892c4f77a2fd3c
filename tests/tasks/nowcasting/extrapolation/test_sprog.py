from __future__ import annotations

import importlib
import logging
import sys

import numpy as np
import pytest

from semicoupled.errors import MissingExtraError
from semicoupled.tasks.nowcasting.extrapolation import sprog as module
from semicoupled.tasks.nowcasting.extrapolation.baselines import advection
from semicoupled.tasks.nowcasting.extrapolation.pysteps_door import has_pysteps
from semicoupled.tasks.nowcasting.extrapolation.sprog import make_sprog
from semicoupled.tasks.nowcasting.scores.evaluation import with_baselines
from semicoupled.tasks.nowcasting.settings import EvaluationSettings, SprogMotion

installed = pytest.mark.skipif(not has_pysteps(), reason='needs pysteps: pip install "semicoupled[pysteps]"')


def rain(frames: int = 5, height: int = 96, width: int = 80) -> np.ndarray:
    """Smooth noise above and below 0 dBZ that moves by two pixels a frame."""
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft2(rng.normal(size=(height, width)))
    wave = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    field = np.fft.irfft2(spectrum / np.maximum(wave, 0.01) ** 1.5, s=(height, width))
    field = np.clip(15 * field / field.std() + 5, 0, 60).astype(np.float32)
    return np.stack([np.roll(field, 2 * frame, 1) for frame in range(frames)])


@installed
@pytest.mark.parametrize("motion", ["ours", "lucaskanade"])
def test_a_forecast_is_made_and_nothing_is_printed(motion: SprogMotion, capsys: pytest.CaptureFixture[str]):
    frames = rain(9)
    forecast = make_sprog(motion)(frames[:5], 4, 2.0)
    assert capsys.readouterr().out == ""
    assert (forecast.shape, forecast.dtype) == ((4, 96, 80), np.float32)
    assert forecast.min() >= 0
    assert forecast.max() <= 60
    inner = (slice(None), slice(10, -10), slice(20, -20))
    ours = np.mean((forecast - frames[5:])[inner] ** 2)
    assert ours < 0.3 * np.mean((frames[4] - frames[5:])[inner] ** 2)
    assert not np.array_equal(forecast, advection(frames[:5], 4, 2.0))


@installed
def test_it_is_missing_where_the_last_frame_is_and_nowhere_else():
    frames = rain()
    frames[:, :, :15] = np.nan
    frames[0, 40:50] = np.nan
    forecast = make_sprog()(frames, 3, 2.0)
    np.testing.assert_array_equal(np.isnan(forecast), np.broadcast_to(np.isnan(frames[-1]), forecast.shape))


@installed
@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (17, 23)])
@pytest.mark.parametrize("fill", [0.0, np.nan, 20.0])
def test_fields_that_pysteps_cannot_forecast_are_advected(
    shape: tuple[int, int], fill: float, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, module.__name__):
        forecast = make_sprog()(np.full((5, *shape), fill, np.float32), 2, 1.0)
    np.testing.assert_allclose(forecast, np.full((2, *shape), fill), rtol=1e-5)
    assert "advection stands in" in caplog.text


@installed
def test_two_frames_are_enough():
    assert np.isfinite(make_sprog()(rain(2), 2, 2.0)).all()


def test_without_pysteps_it_is_left_out_or_asked_for(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "pysteps"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "pysteps", None)
    assert "sprog" not in with_baselines("x", None, EvaluationSettings(sprog="auto"))
    with pytest.raises(
        MissingExtraError, match=r'pip install "semicoupled\[pysteps\]", or set evaluation.sprog to off'
    ):
        with_baselines("x", None, EvaluationSettings(sprog="on"))


@installed
def test_it_stands_among_the_baselines_if_it_is_wanted():
    assert list(with_baselines("x", None, EvaluationSettings(sprog="auto")))[-1] == "sprog"
    assert "sprog" not in with_baselines("x", None, EvaluationSettings(sprog="off"))
    assert "sprog" not in with_baselines("x", None)
