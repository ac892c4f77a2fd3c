from __future__ import annotations

import dataclasses
import logging
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from semicoupled.errors import DataError, RunError, SettingsError, StaleDataError
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.nowcasting.extrapolation.baselines import advection
from semicoupled.tasks.nowcasting.model import build_model
from semicoupled.tasks.nowcasting.network.image_heads import GuessHead
from semicoupled.tasks.nowcasting.operating.predictor import NowcastingPredictor
from semicoupled.tasks.nowcasting.operating.session import NowcastSession
from semicoupled.tasks.nowcasting.settings import (
    DataSettings,
    ModelSettings,
    NowcastingSettings,
    PredictOptions,
    PredictSettings,
)

MODEL = ModelSettings(layers=2, width=8, patch=2, scales=2)
MakeFolder = Callable[..., Path]


def make_predictor(step: float | None = 300.0, kilometers: float = 1.0, **predict: object) -> NowcastingPredictor:
    settings = NowcastingSettings(
        data=DataSettings(kilometers=1), model=MODEL, predict=PredictSettings(**{"minutes": 12, **predict})
    )
    model = build_model(MODEL, 5).eval()
    return NowcastingPredictor(NowcastSession(settings, model, trained_step=step, trained_kilometers=kilometers))


@pytest.fixture
def predictor() -> NowcastingPredictor:
    return make_predictor()


def predict(predictor: NowcastingPredictor, inputs: list[Path], *out: Path, **options: object) -> list[Path]:
    return list(predictor.predict(PredictRequest(inputs, out, PredictOptions(**options))))


def test_files_become_a_forecast_with_its_places_and_times(
    predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path
):
    files = sorted(make_folder(frames=8).iterdir())
    written = predict(predictor, files[::-1], tmp_path / "f.nc")
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


def test_the_lead_can_be_asked_for_and_a_gif_alone(
    predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path
):
    folder = make_folder(frames=5)
    assert predict(predictor, [folder], tmp_path / "f.gif", lead=57) == [tmp_path / "f.gif"]
    with Image.open(tmp_path / "f.gif") as image:
        assert image.n_frames == 5 + 12


def test_a_pattern_names_the_files(predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path):
    make_folder(frames=7)
    written = predict(predictor, [tmp_path / "ev*" / "2021020520[012]*.h5"], tmp_path / "f.nc")
    with xr.open_dataset(written[0], engine="h5netcdf") as data:
        assert data.forecast_reference_time.values == np.datetime64("2021-02-05T20:25")
    with pytest.raises(DataError, match=r"none\*\.h5: the pattern names no files"):
        predict(predictor, [tmp_path / "none*.h5"], tmp_path / "f.nc")


def test_a_gap_further_back_does_not_matter_but_among_the_newest_it_does(
    predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path
):
    old = predictor.read([make_folder("old gap", frames=9, leave_out=(2,))])
    forecast = predictor.session.forecast(old)
    assert forecast.reference == datetime(2021, 2, 5, 20, 40, tzinfo=UTC)
    assert forecast.sources[0].name == "202102052020.h5"
    folder = make_folder("new gap", frames=9, leave_out=(6,))
    with pytest.raises(
        DataError,
        match=r"2040\.h5: a forecast from 2021-02-05 20:40 UTC needs 5 frames 5 minutes apart, and 1 of them is "
        r"missing: 2021-02-05 20:30\. Wait .* --allow-missing N",
    ):
        predict(predictor, [folder], tmp_path / "f.nc")
    assert not (tmp_path / "f.nc").exists()


def test_behind_midnight_older_frames_lie_in_the_folder_of_another_day(
    predictor: NowcastingPredictor, make_folder: MakeFolder, make_knmi: Callable[..., Path], tmp_path: Path
):
    together = make_folder(frames=5, start=datetime(2021, 2, 5, 23, 45, tzinfo=UTC))
    days = tmp_path / "days"
    for file in together.iterdir():
        (days / file.name[:8]).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, days / file.name[:8] / file.name)
    for index, product in enumerate(("RAP", "RAC")):  # sums, and another place, of the time before
        rows = 64 if product == "RAP" else 30
        make_knmi(
            days / product / f"{index}.h5", np.zeros((rows, 48)), datetime(2021, 2, 5, tzinfo=UTC), product=product
        )
    state, expected = predictor.read([days]), predictor.read([together])
    assert (state.times, [source.name for source in state.sources]) == (
        expected.times, [source.name for source in expected.sources],
    )  # fmt: skip
    assert predictor.session.missing(state) == []


def test_a_missing_frame_can_be_allowed_and_the_file_says_so(
    predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    folder = make_folder(frames=9, leave_out=(6,))
    predict(predictor, [folder], tmp_path / "f.nc", allow_missing=1)
    with xr.open_dataset(tmp_path / "f.nc", engine="h5netcdf") as data:
        assert "The frames of 2021-02-05 20:30 were missing, and went in as missing pixels." in data.attrs["comment"]
        assert "202102052035.h5" in data.attrs["history"]
        assert np.isfinite(data.reflectivity.values[:, 10:, 10:]).all()
    assert "20:30 were missing" in caplog.text


@pytest.mark.parametrize("frames", [1, 3])
def test_too_few_frames_are_refused(
    predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path, frames: int
):
    with pytest.raises(DataError, match=f"needs 5 frames 5 minutes apart, and {5 - frames} of them are missing: "):
        predict(predictor, [make_folder(frames=frames)], tmp_path / "f.nc")
    assert not (tmp_path / "f.nc").exists()


def test_a_name_that_says_no_format_is_refused_before_anything_is_read(predictor: NowcastingPredictor, tmp_path: Path):
    with pytest.raises(DataError, match=r"f\.bmp: nothing is written in the format '\.bmp'; .*\.nc.* or a folder"):
        predict(predictor, [tmp_path / "absent"], tmp_path / "f.bmp")
    with pytest.raises(RunError, match=r"the spatial and of the temporal stream was not trained"):
        predict(predictor, [tmp_path / "absent"], tmp_path / "f.share.png")
    with pytest.raises(RunError, match=r"probabilities are not known: the run was not calibrated"):
        predict(predictor, [tmp_path / "absent"], tmp_path / "f.probability.tif")
    with pytest.raises(SettingsError, match=r"--out: .*f\.nc is given twice"):
        predict(predictor, [tmp_path / "absent"], tmp_path / "f.nc", tmp_path / "f.nc")


def test_another_time_step_is_refused_unless_it_is_similar(
    make_folder: MakeFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    folder = make_folder(frames=5)
    with pytest.raises(DataError, match="one frame every 5 minutes; expected every 10, as in training, or up to 25%"):
        predict(make_predictor(600.0), [folder], tmp_path / "f.nc")
    predict(make_predictor(360.0), [folder], tmp_path / "f.nc")
    with xr.open_dataset(tmp_path / "f.nc", engine="h5netcdf") as data:
        assert "One frame every 5 minutes, where the network was trained on every 6." in data.attrs["comment"]
    assert "one frame every 5 minutes; expected every 6" in caplog.text


def test_another_grid_than_in_training_is_refused(make_folder: MakeFolder):
    with pytest.raises(DataError, match=r"pixels of 1 km; expected 2 km, as in training"):
        make_predictor(kilometers=2.0).read([make_folder(frames=5)])


def test_an_old_newest_frame_is_said_after_the_forecast(
    predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path
):
    with pytest.raises(StaleDataError, match=r"the newest frame is of 2021-02-05 20:20 UTC, \d+ minutes old; .* 10 "):
        predict(predictor, [make_folder(frames=5)], tmp_path / "f.nc", max_age=10)
    assert (tmp_path / "f.nc").exists()
    now = datetime.now(UTC)
    fresh = make_folder("fresh", frames=5, start=now - timedelta(minutes=21))
    assert predict(predictor, [fresh], tmp_path / "g.nc", max_age=10)


@pytest.mark.parametrize("pixel", [0, 255])
def test_all_dry_and_all_missing_give_a_forecast(
    predictor: NowcastingPredictor, make_knmi: Callable[..., Path], tmp_path: Path, pixel: int
):
    for frame in range(5):
        time = datetime(2021, 1, 1, tzinfo=UTC) + frame * timedelta(minutes=5)
        make_knmi(tmp_path / "in" / f"{frame}.h5", np.full((21, 17), pixel), time)
    predict(predictor, [tmp_path / "in"], tmp_path / "f.nc")
    with xr.open_dataset(tmp_path / "f.nc", engine="h5netcdf") as data:
        assert np.isnan(data.reflectivity.values).all() if pixel else (data.reflectivity.values == 0).all()


def test_trust_and_match_lead_from_advection_to_the_network(make_folder: MakeFolder, predictor: NowcastingPredictor):
    head = cast(GuessHead, predictor.session.model.head)
    assert head.output.bias is not None
    head.output.bias.data[: MODEL.patch**2] = 0.05
    state = predictor.read([make_folder(frames=5)])
    newest = np.stack(state.dbz).astype(np.float32)

    def forecast(trust: float, match: float) -> np.ndarray:
        changed = PredictSettings(minutes=5, trust=trust, match=match)
        settings = dataclasses.replace(predictor.session.settings, predict=changed)
        return NowcastSession(settings, predictor.session.model).forecast(state).dbz[0]

    guess = advection(newest, 1, state.grid.kilometers)[0]
    network, half, matched = forecast(1, 0), forecast(0.5, 0), forecast(0.5, 1)
    np.testing.assert_allclose(forecast(0, 0), guess, atol=1e-4)
    assert np.nanmean(network - guess) > 1
    np.testing.assert_allclose(half, (network + guess) / 2, atol=1e-3)
    np.testing.assert_allclose(np.sort(matched, axis=None), np.sort(guess, axis=None), atol=1e-3)


def test_a_run_without_trained_streams_says_that_there_is_no_share(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO):
        make_predictor()
    assert "no layer temporal_share: the head of the spatial and of the temporal stream was not trained" in caplog.text
