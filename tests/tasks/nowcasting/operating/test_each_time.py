"""Forecasts from every time there is, shared by several processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.tasks.killed import WAIT, kill_one_of_two, start

from semicoupled.errors import DataError, SettingsError
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.model import build_model
from semicoupled.tasks.nowcasting.operating.each_time import names_of, starts
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


@pytest.fixture
def predictor() -> NowcastingPredictor:
    torch.manual_seed(0)
    settings = NowcastingSettings(data=DataSettings(kilometers=1), model=MODEL, predict=PredictSettings(minutes=10))
    model = build_model(MODEL, 5).eval()
    return NowcastingPredictor(NowcastSession(settings, model, trained_step=300.0, trained_kilometers=1.0))


def request(inputs: Path, out: Path, stopped: Callable[[], bool] = lambda: False, **options: object) -> PredictRequest:
    return PredictRequest([inputs], [out], PredictOptions(each_time=True, **options), stopped=stopped)  # pyright: ignore[reportArgumentType]


def test_what_was_stopped_is_gone_on_with_and_each_is_what_one_call_makes(
    predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(frames=7)
    files = sorted(folder.iterdir())
    out = tmp_path / "out/f_{time}.png"
    asked = iter([False, False, True])
    with monkeypatch.context() as torchrun:
        torchrun.setenv("RANK", "1")
        torchrun.setenv("WORLD_SIZE", "2")
        assert list(predictor.predict(request(folder, out, lambda: next(asked)))) == []
    assert len(list(out.parent.glob("*.png"))) == 2
    before = {path: path.stat().st_mtime_ns for path in out.parent.glob("*.png")}
    written = list(predictor.predict(request(folder, out)))
    assert [path.name for path in written] == [f"f_20210205T{time}Z.png" for time in (2020, 2025, 2030)]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert sorted(path.name for path in out.parent.iterdir()) == [path.name for path in written]
    for last, path in zip((5, 6, 7), written, strict=True):
        (alone,) = predictor.predict(PredictRequest(files[:last], [tmp_path / "alone.png"]))
        assert path.read_bytes() == alone.read_bytes()


@pytest.mark.slow
def test_two_processes_write_the_same_files(
    predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path
) -> None:
    folder = make_folder(frames=7)
    names = [tmp_path / name / "f_{time}.png" for name in ("one", "two")]
    one, two = (list(predictor.predict(request(folder, out, devices=i + 1))) for i, out in enumerate(names))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_a_season_is_named_at_once_and_two_places_are_refused() -> None:
    grid, step = Grid(0.0, 1000.0, 1, 0.0, -1000.0, 1, 'GEOGCRS["x"]'), timedelta(minutes=5)
    times = tuple(datetime(2021, 1, 1, tzinfo=UTC) + number * step for number in range(20_000))
    sources = tuple(Path(f"{number}.h5") for number in range(len(times)))
    season = RadarSequence("one", times, step, np.zeros((len(times), 1, 1), np.float16), grid, sources, "rain")
    begun = time.process_time()
    names = names_of([season], starts([season], 5))
    assert time.process_time() - begun < 2  # one by one it takes minutes
    assert (len(names), names[0]) == (19_996, "20210101T0020Z")
    with pytest.raises(DataError, match=r"4\.h5: another place has a frame of 20210101T0020Z, too"):
        names_of([season, season.part(0, 5)], starts([season, season.part(0, 5)], 5))


@pytest.mark.slow
def test_what_a_killed_process_had_begun_is_taken_up(
    make_run: Callable[..., Path], make_folder: MakeFolder, tmp_path: Path
) -> None:
    run, folder = make_run(), make_folder(frames=24)
    line = ["predict", "nowcasting", str(run), str(folder), "--each-time", "--out"]
    alone, out = (tmp_path / name / "f_{time}.png" for name in ("alone", "shared"))
    assert start([*line, str(alone)]).wait(WAIT) == 0
    kill_one_of_two([*line, str(out)], out)
    made = {path.name: path.read_bytes() for path in alone.parent.iterdir()}
    assert len(made) == 22
    assert {path.name: path.read_bytes() for path in out.parent.iterdir()} == made


def test_who_comes_late_forecasts_nothing_anew(
    predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = make_folder(frames=6), tmp_path / "out/f_{time}.png"
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    written = list(predictor.predict(request(folder, out)))
    before = {path: path.stat().st_mtime_ns for path in written}
    monkeypatch.setenv("RANK", "1")
    assert list(predictor.predict(request(folder, out))) == []
    assert {path: path.stat().st_mtime_ns for path in out.parent.iterdir()} == before


def test_what_cannot_be_is_refused(predictor: NowcastingPredictor, make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder(frames=4)
    with pytest.raises(SettingsError, match=r"--each-time: .*f\.png: every forecast would take the place"):
        list(predictor.predict(request(folder, tmp_path / "f.png")))
    with pytest.raises(DataError, match=r"no time has its 5 frames in a row; the longest row has 4"):
        list(predictor.predict(request(folder, tmp_path / "f_{time}.png")))
    with pytest.raises(SettingsError, match=r"--devices: expected 1, or more with --each-time, got 2"):
        PredictOptions(devices=2)
    with pytest.raises(SettingsError, match=r"--each-time: goes without --max-age"):
        PredictOptions(each_time=True, max_age=5)
