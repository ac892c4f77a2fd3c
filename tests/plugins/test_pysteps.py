"""With the real pysteps; without it these tests are skipped."""

from __future__ import annotations

import importlib
import logging
import tomllib
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import semicoupled
from semicoupled.errors import MissingExtraError, RunError, SettingsError, ShapeError
from semicoupled.plugins import pysteps as plugin
from semicoupled.run_folder import LoadedRun, open_run
from semicoupled.tasks.nowcasting.extrapolation.baselines import advection, persistence
from semicoupled.tasks.nowcasting.model import build_model
from semicoupled.tasks.nowcasting.scores.evaluation import evaluate_sequences
from semicoupled.tasks.nowcasting.settings import DataSettings, ModelSettings, NowcastingSettings
from semicoupled.tasks.nowcasting.units import dbz_to_rain
from semicoupled.training.weights import save_weights


@pytest.fixture
def pysteps() -> ModuleType:
    return pytest.importorskip("pysteps", reason="the extra pysteps is not installed", exc_type=ImportError)


@pytest.fixture
def run(tmp_path: Path) -> LoadedRun:
    model = ModelSettings(layers=1, width=4, patch=4, scales=2)
    folder = open_run(
        tmp_path / "run", "nowcasting", NowcastingSettings(data=DataSettings(input_frames=4), model=model)
    )
    folder.write_description({"step_seconds": 300.0, "kilometers": 2.0})
    network = build_model(model, 2)
    for name, parameter in network.named_parameters():
        if name == "head.output.weight":
            torch.nn.init.normal_(parameter, std=0.02)
    save_weights(folder.weights_file, network, {})
    return semicoupled.load(folder.path, device="cpu")


def rain(frames: int = 4, height: int = 96, width: int = 112) -> np.ndarray:
    """Showers that move 2 to the right and 1 down a frame; a corner is missing. dBZ."""
    y, x = np.mgrid[:height, :width]
    rng = np.random.default_rng(1)
    dbz = np.zeros((frames, height, width), np.float32)
    for _ in range(14):
        row, column, size = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(4, 9)
        for t in range(frames):
            distance = np.hypot(y - row - t, x - column - 2 * t)
            dbz[t] = np.maximum(dbz[t], 45 * np.exp(-((distance / size) ** 2)) - 3)
    dbz = np.maximum(dbz, 0)
    dbz[:, :8, :10] = np.nan
    return dbz


VELOCITY = np.stack([np.full((96, 112), 2.0), np.full((96, 112), 1.0)])


def test_pysteps_finds_our_method(pysteps: ModuleType, run: LoadedRun):
    plugin.register_with_pysteps()
    method: Callable[..., np.ndarray] = pysteps.nowcasts.get_method("Semicoupled")
    made = method(rain(), VELOCITY, 3, model=str(run.folder.path), device="cpu")
    assert made.shape == (3, 96, 112)
    assert np.isnan(made[:, :8, :10]).all()
    assert np.isfinite(made[:, 8:]).all()
    assert 0 <= np.nanmin(made) <= np.nanmax(made) <= 60
    theirs = pysteps.nowcasts.get_method("extrapolation")(np.nan_to_num(rain()[-1]), VELOCITY, 3)
    both = np.isfinite(theirs) & np.isfinite(made)
    assert np.corrcoef(theirs[both], made[both])[0, 1] > 0.9  # the same way, the same axes


def test_rain_comes_back_as_rain(run: LoadedRun):
    dbz = rain()
    in_dbz = np.asarray(plugin.forecast(dbz, VELOCITY, 2, model=run))
    in_rain = np.asarray(plugin.forecast(dbz_to_rain(dbz), VELOCITY, 2, model=run, unit="mm/h"))
    np.testing.assert_allclose(in_rain, dbz_to_rain(in_dbz), atol=0.02)
    with pytest.raises(SettingsError, match=r"no unit 'mm/hr'\. Did you mean 'mm/h'"):
        plugin.forecast(dbz, VELOCITY, 2, model=run, unit="mm/hr")  # pyright: ignore[reportArgumentType]


def test_time_steps_may_be_a_list(run: LoadedRun):
    dbz = rain()
    whole = np.asarray(plugin.forecast(dbz, None, 3, model=run))
    some, seconds = plugin.forecast(dbz, None, [0.5, 2, 2.25], model=run, measure_time=True)
    np.testing.assert_allclose(some[0], (dbz[-1] + whole[0]) / 2, atol=1e-4)
    np.testing.assert_array_equal(some[1], whole[1])
    np.testing.assert_allclose(some[2], 0.75 * whole[1] + 0.25 * whole[2], atol=1e-4)
    assert seconds > 0
    for wrong in (0, [], [2, 1], [0, 1]):
        with pytest.raises(SettingsError, match="timesteps: expected a number from 1, or rising"):
            plugin.forecast(dbz, None, wrong, model=run)


def test_what_does_not_fit_is_refused(run: LoadedRun, caplog: pytest.LogCaptureFixture):
    with pytest.raises(ShapeError, match=r"expected at least two frames T m n.*got \(96, 112\)"):
        plugin.forecast(rain()[-1], VELOCITY, 2, model=run)
    with pytest.raises(ShapeError, match=r"velocity: expected \(2, 96, 112\), got \(2, 3, 3\)"):
        plugin.forecast(rain(), VELOCITY[:, :3, :3], 2, model=run)
    with pytest.raises(RunError, match="nowhere: no such folder"):
        plugin.forecast(rain(), VELOCITY, 2, model="nowhere")
    plugin.forecast(rain(), VELOCITY, 1, model=run, kmperpixel=1.0)
    assert "pixels of 1 km, where the network was trained on 2 km" in caplog.text


def test_the_entry_point_leads_to_the_method():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = project["entry-points"]["pysteps.plugins.nowcasts"]
    entry = EntryPoint("semicoupled", groups["semicoupled"], "pysteps.plugins.nowcasts")
    assert entry.load() is plugin.forecast


@pytest.mark.parametrize("method", plugin.METHODS)
def test_their_methods_are_forecasters_of_ours(pysteps: ModuleType, method: str, capsys: pytest.CaptureFixture[str]):
    dbz = rain()
    given = plugin.pysteps_forecaster(method)(dbz, 2, 2.0)
    assert given.shape == (2, 96, 112)
    assert given.dtype == np.float32
    assert np.isnan(given[:, :8, :10]).all()
    assert np.isfinite(given[:, 8:]).all()
    assert 0 <= np.nanmin(given) <= np.nanmax(given) <= 60
    assert capsys.readouterr().out == ""
    nearer = persistence if method == "eulerian" else advection
    inside = np.s_[:, 20:-20, 20:-20]
    error = np.nanmean((given - nearer(dbz, 2, 2.0))[inside] ** 2)
    assert error < np.nanmean(nearer(dbz, 2, 2.0)[inside] ** 2) / 3


@pytest.mark.parametrize("value", [0.0, 3.0, np.nan])
@pytest.mark.parametrize("method", plugin.METHODS)
def test_dry_and_missing_fields_do_not_crash_them(
    pysteps: ModuleType, method: str, value: float, caplog: pytest.LogCaptureFixture
):
    dbz = np.full((4, 40, 40), value, np.float32)
    with caplog.at_level(logging.INFO):
        np.testing.assert_array_equal(plugin.pysteps_forecaster(method)(dbz, 2, 2.0), dbz[:2])
    assert "advection stands in" in caplog.text


def test_a_failure_of_theirs_is_said(pysteps: ModuleType, caplog: pytest.LogCaptureFixture):
    dbz = rain()
    given = plugin.pysteps_forecaster("sprog", n_cascade_levels=-1)(dbz, 2, 2.0)
    np.testing.assert_array_equal(given, advection(dbz, 2, 2.0))
    assert "pysteps sprog failed" in caplog.text


def test_they_stand_in_our_tables(pysteps: ModuleType, make_sequence: Callable[..., object]):
    rows = evaluate_sequences(
        [make_sequence(rain(8))],  # pyright: ignore[reportArgumentType]
        {"pysteps_sprog": plugin.pysteps_forecaster("sprog"), "advection": advection},
        input_frames=4,
        leads=2,
        thresholds=(15.0,),
    )
    assert {row.model for row in rows} >= {"pysteps_sprog", "advection"}


def test_an_unknown_method_and_a_missing_library_are_named(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(SettingsError, match=r"no method 'sprogg' of pysteps here\. Did you mean 'sprog'"):
        plugin.pysteps_forecaster("sprogg")

    def absent(name: str) -> ModuleType:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r'pip install "semicoupled\[pysteps\]"'):
        plugin.register_with_pysteps()
