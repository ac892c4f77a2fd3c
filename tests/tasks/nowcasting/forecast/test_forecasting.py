from __future__ import annotations

import dataclasses
import logging
import subprocess
import sys

import numpy as np
import pytest
import torch

from semicoupled.tasks.nowcasting.extrapolation.baselines import advection
from semicoupled.tasks.nowcasting.forecast.forecasting import forecast_fields
from semicoupled.tasks.nowcasting.model import NowcastingModel, build_model
from semicoupled.tasks.nowcasting.settings import Form, ModelSettings, PredictSettings

CPU = torch.device("cpu")
NETWORK = PredictSettings(trust=1.0, match=0.0)
TOLERANCE_DBZ = 0.01


def showers(height: int, width: int, frames: int = 5) -> np.ndarray:
    """Round showers that move 2 to the right and 1 down a frame; a corner is missing."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:height, :width]
    dbz = np.zeros((frames, height, width), np.float32)
    for _ in range(height * width // 1500):
        row, column, size = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(4, 9)
        for t in range(frames):
            distance = np.hypot(y - row - t, x - column - 2 * t)
            dbz[t] = np.maximum(dbz[t], 45 * np.exp(-((distance / size) ** 2)) - 3)
    dbz[:, :20, :30] = np.nan
    return np.maximum(dbz, 0)


def network(form: Form, layers: int = 3) -> NowcastingModel:
    """A network whose heads say something, in all streams."""
    torch.manual_seed(1)
    model = build_model(ModelSettings(form=form, layers=layers, width=8, patch=4, scales=2), 4).eval()
    for name, parameter in model.named_parameters():
        if "head" in name and name.endswith("weight"):
            torch.nn.init.normal_(parameter, std=0.05)
    return model


@pytest.mark.parametrize("form", ["plain", "residual", "advection"])
def test_tiles_give_what_one_piece_gives(form: Form):
    """Everywhere, seams included: what is computed around a tile is enough for its result."""
    dbz, model = showers(300, 260), network(form)
    tiles = PredictSettings(trust=1.0, match=0.0, tile=96)
    whole = forecast_fields(model, CPU, NETWORK, dbz, 4, 1.0, with_share=True)
    tiled = forecast_fields(model, CPU, tiles, dbz, 4, 1.0, with_share=True)
    np.testing.assert_array_equal(np.isnan(whole.dbz), np.isnan(tiled.dbz))
    assert np.nanmax(np.abs(whole.dbz - advection(dbz, 4, 1.0))) > 1  # the network says something
    difference = np.abs(whole.dbz - tiled.dbz)
    assert np.nanmax(difference) < TOLERANCE_DBZ
    assert whole.share is not None
    assert tiled.share is not None
    assert np.nanmax(np.abs(whole.share - tiled.share)) < 0.01
    cut = forecast_fields(model, CPU, NETWORK, dbz[:, :96, :96], 4, 1.0).dbz
    assert np.nanmax(np.abs(cut - whole.dbz[:, :96, :96])) > 10 * TOLERANCE_DBZ  # a tile alone would not do


def test_motion_and_values_are_those_of_the_whole_field():
    dbz, model = showers(200, 200), network("advection")
    matched = PredictSettings(trust=0.5, match=1.0)
    whole = forecast_fields(model, CPU, matched, dbz, 3, 1.0).dbz
    tiled = forecast_fields(model, CPU, dataclasses.replace(matched, tile=64), dbz, 3, 1.0).dbz
    assert np.nanmax(np.abs(np.sort(whole, axis=None) - np.sort(tiled, axis=None))) < 1e-4
    assert np.nanmean(np.abs(whole - tiled)) < TOLERANCE_DBZ


def test_rain_that_outruns_a_tile_is_said(caplog: pytest.LogCaptureFixture):
    dbz, model = showers(150, 150), network("advection")
    motion = np.full((2, 150, 150), 40.0, np.float32)
    with caplog.at_level(logging.WARNING):
        fields = forecast_fields(model, CPU, PredictSettings(tile=64), dbz, 4, 1.0, motion=motion)
    assert "moves up to 160 pixels over the forecast, farther than tiles of 64 see" in caplog.text
    assert np.isfinite(fields.dbz[:, 30:]).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 2), (33, 65)])
def test_any_size_has_a_forecast(shape: tuple[int, int]):
    dbz = np.full((5, *shape), 20, np.float32)
    fields = forecast_fields(network("advection"), CPU, PredictSettings(tile=32), dbz, 3, 1.0, with_share=True)
    assert fields.dbz.shape == (3, *shape)
    assert np.isfinite(fields.dbz).all()


LARGE = """
import resource, numpy as np, torch
from semicoupled.tasks.nowcasting.forecast.forecasting import forecast_fields
from semicoupled.tasks.nowcasting.model import build_model
from semicoupled.tasks.nowcasting.settings import ModelSettings, PredictSettings

model = build_model(ModelSettings(layers=1, width=4, patch=4, scales=0), 2).eval()
dbz = np.zeros((5, 5000, 5000), np.float16)
for t in range(5):
    dbz[t, 2000:2400, 1000 + 3 * t : 1500 + 3 * t] = 30
dbz[:, :100] = np.nan
made = forecast_fields(model, torch.device("cpu"), PredictSettings(trust=0.5, match=1.0), dbz, 2, 1.0).dbz
assert made.shape == (2, 5000, 5000) and np.isnan(made[:, :100]).all() and np.isfinite(made[:, 100:]).all()
assert abs(made[1, 2200, 1250] - 30) < 1, made[1, 2200, 1250]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_a_field_of_25_million_pixels_fits_into_memory():
    """In one piece the network's points of departure and maps alone would need more."""
    result = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < 5000, f"{result.stdout.strip()} MB"
