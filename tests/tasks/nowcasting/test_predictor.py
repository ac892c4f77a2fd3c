from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from PIL import Image

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.baselines import advection
from semicoupled.tasks.nowcasting.model import build_model
from semicoupled.tasks.nowcasting.predictor import NowcastingPredictor
from semicoupled.tasks.nowcasting.settings import DataSettings, ModelSettings, NowcastingSettings, PredictSettings

MODEL = ModelSettings(layers=2, width=8, patch=2, scales=2)
MakeFolder = Callable[..., Path]


@pytest.fixture
def predictor() -> NowcastingPredictor:
    settings = NowcastingSettings(data=DataSettings(kilometers=1), model=MODEL, predict=PredictSettings(minutes=12))
    return NowcastingPredictor(settings, build_model(MODEL, 5).eval(), trained_step=300.0, trained_kilometers=1.0)


def test_files_become_a_forecast_with_its_places_and_times(
    predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path
):
    files = sorted(make_folder(frames=8).iterdir())
    written = predictor.predict(files[::-1], tmp_path / "f.nc")
    assert written == [tmp_path / "f.nc", tmp_path / "f.gif"]
    with xr.open_dataset(written[0], engine="h5netcdf") as data:
        assert data.reflectivity.shape == (3, 64, 48)  # 12 minutes, rounded up
        assert data.forecast_reference_time.values == np.datetime64("2021-02-05T20:35")
        assert data.time.values[-1] == np.datetime64("2021-02-05T20:50")
        missing = np.isnan(data.reflectivity.values)
        assert missing[:, :3].all()
        assert not missing[:, 3:, 2:].any()
        assert 0 <= np.nanmin(data.reflectivity) <= np.nanmax(data.reflectivity) <= 60
        assert files[-1].name in data.attrs["history"]
        assert files[0].name not in data.attrs["history"]  # only the newest five went in
    with Image.open(written[1]) as image:
        assert image.n_frames == 5 + 3


def test_minutes_can_be_asked_for_and_a_gif_alone(
    predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path
):
    folder = make_folder(frames=5)
    assert predictor.predict([folder], tmp_path / "f.gif", minutes=60) == [tmp_path / "f.gif"]
    with Image.open(tmp_path / "f.gif") as image:
        assert image.n_frames == 5 + 12


def test_a_gap_further_back_does_not_matter_but_among_the_newest_it_does(
    predictor: NowcastingPredictor, make_folder: MakeFolder
):
    newest = predictor.newest([make_folder("old gap", frames=9, leave_out=(2,))])
    assert newest.times[0] == datetime(2021, 2, 5, 20, 20, tzinfo=UTC)
    with pytest.raises(
        DataError, match=r"only 2 frames without a gap.*20:40 UTC: .* 1 fields missing.*expected 5 frames 5 min"
    ):
        predictor.newest([make_folder("new gap", frames=9, leave_out=(6,))])


def test_too_few_frames_are_refused(predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path):
    with pytest.raises(DataError, match=r"only 3 frames without a gap.*no more were given \(3 files\)"):
        predictor.predict([make_folder(frames=3)], tmp_path / "f.nc")
    assert not (tmp_path / "f.nc").exists()


def test_a_name_that_says_no_format_is_refused_before_anything_is_read(predictor: NowcastingPredictor, tmp_path: Path):
    with pytest.raises(DataError, match=r"expected a name that ends in \.nc or \.gif"):
        predictor.predict([tmp_path / "absent"], tmp_path / "f.png")


def test_another_time_step_or_grid_than_in_training_is_refused(make_folder: MakeFolder, predictor: NowcastingPredictor):
    folder = make_folder(frames=5)
    slower = NowcastingPredictor(predictor.settings, predictor.model, 600.0, 1.0)
    with pytest.raises(DataError, match="one frame every 5 minutes; expected every 10, as in training"):
        slower.newest([folder])
    coarser = NowcastingPredictor(predictor.settings, predictor.model, 300.0, 2.0)
    with pytest.raises(DataError, match=r"pixels of 1 km; expected 2 km, as in training"):
        coarser.newest([folder])


@pytest.mark.parametrize("pixel", [0, 255])
def test_all_dry_and_all_missing_give_a_forecast(
    predictor: NowcastingPredictor, make_knmi: Callable[..., Path], tmp_path: Path, pixel: int
):
    for frame in range(5):
        time = datetime(2021, 1, 1, tzinfo=UTC) + frame * timedelta(minutes=5)
        make_knmi(tmp_path / "in" / f"{frame}.h5", np.full((21, 17), pixel), time)
    predictor.predict([tmp_path / "in"], tmp_path / "f.nc")
    with xr.open_dataset(tmp_path / "f.nc", engine="h5netcdf") as data:
        assert np.isnan(data.reflectivity.values).all() if pixel else (data.reflectivity.values == 0).all()


def test_trust_and_match_lead_from_advection_to_the_network(make_folder: MakeFolder, predictor: NowcastingPredictor):
    torch.nn.init.constant_(predictor.model.head.output.bias, 0.05)
    newest = predictor.newest([make_folder(frames=5)])

    def forecast(trust: float, match: float) -> np.ndarray:
        predict = PredictSettings(minutes=5, trust=trust, match=match)
        settings = dataclasses.replace(predictor.settings, predict=predict)
        return NowcastingPredictor(settings, predictor.model).forecast(newest).dbz[0]

    guess = advection(newest.dbz.astype(np.float32), 1, newest.grid.kilometers)[0]
    network, half, matched = forecast(1, 0), forecast(0.5, 0), forecast(0.5, 1)
    np.testing.assert_allclose(forecast(0, 0), guess, atol=1e-4)
    assert np.nanmean(network - guess) > 1
    np.testing.assert_allclose(half, (network + guess) / 2, atol=1e-3)
    np.testing.assert_allclose(np.sort(matched, axis=None), np.sort(guess, axis=None), atol=1e-3)
