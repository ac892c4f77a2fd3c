"""Makers of small radar files in the formats of the real ones."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest
import torch

from semicoupled.run_folder import open_run
from semicoupled.tasks.nowcasting.model import build_model
from semicoupled.tasks.nowcasting.settings import DataSettings, ModelSettings, NowcastingSettings, PredictSettings
from semicoupled.training.settings import GoalWeights
from semicoupled.training.weights import save_weights

START = datetime(2021, 2, 5, 20, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)
RAC_PROJ = "+proj=stere +lat_0=90 +lon_0=0 +lat_ts=60 +a=6378.14 +b=6356.75 +x_0=0 y_0=0"
RAP_PROJ = "+proj=stere +lat_0=90 +lon_0=0.0 +lat_ts=60.0 +a=6378.137 +b=6356.752 +x_0=0 +y_0=0"


def knmi_time(time: datetime) -> bytes:
    return f"{time:%d-%b-%Y;%H:%M:%S}.000".upper().encode()


def write_knmi(path: Path, pixels: np.ndarray, time: datetime, *, product: str = "RAC", **changes: object) -> Path:
    """Write a file like those of KNMI; `changes` replace attributes, None leaves one out."""
    rain = product == "RAP"
    attributes: dict[str, dict[str, object]] = {
        "overview": {
            "product_datetime_start": np.array([knmi_time(time - STEP)]) if rain else np.bytes_(knmi_time(time)),
            "product_datetime_end": np.array([knmi_time(time)]) if rain else np.bytes_(knmi_time(time)),
            "product_group_name": np.bytes_(b"RAD_NL25_RAU_5mi" if rain else b"RAD_NL25_PCP_NA"),
        },
        "geographic": {
            "geo_column_offset": np.array([0.0], np.float32),
            "geo_row_offset": np.array([3650.0 if rain else 3649.982], np.float32),
            "geo_pixel_size_x": np.array([1.0 if rain else 1.0000035], np.float32),
            "geo_pixel_size_y": np.array([-1.0 if rain else -1.0000048], np.float32),
            "geo_number_rows": np.array([pixels.shape[0]], np.int32),
            "geo_number_columns": np.array([pixels.shape[1]], np.int32),
            "geo_dim_pixel": np.bytes_(b"KM,KM"),
        },
        "geographic/map_projection": {
            "projection_proj4_params": np.bytes_((RAP_PROJ if rain else RAC_PROJ).encode()),
        },
        "image1": {
            "image_geo_parameter": np.bytes_(b"ACCUMULATED_PRECIPITATION_[MM]" if rain else b"REFLECTIVITY_[DBZ]"),
        },
        "image1/calibration": {
            "calibration_formulas": np.bytes_(b"GEO=0.01*PV+0.0" if rain else b"GEO = 0.500000 * PV + -32.000000"),
            "calibration_missing_data": np.array([65535 if rain else 0], np.int32),
            "calibration_out_of_image": np.array([65535 if rain else 255], np.int32),
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, values in attributes.items():
            group = file.require_group(name)
            for key, value in values.items():
                value = changes.get(key, value)
                if value is not None:
                    group.attrs[key] = value
        file["image1"]["image_data"] = pixels.astype(np.uint16 if rain else np.uint8)
    return path


def moving_rain(frame: int, height: int = 64, width: int = 48, seed: int = 0) -> np.ndarray:
    """Pixels of a RAC file: some round showers that move 1 pixel right and 1 down a frame; a rim is outside."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    dbz = np.full((height, width), -32.0)
    for _ in range(6):
        row, column, size = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(3, 7)
        distance = np.hypot(y - row - frame + 6, x - column - frame + 6)
        dbz = np.maximum(dbz, 40 * np.exp(-((distance / size) ** 2)) - 4)
    pixels = np.clip(np.rint(2 * (dbz + 32)), 0, 254).astype(np.uint8)
    pixels[dbz < -3.5] = 0
    pixels[:3], pixels[:, :2] = 255, 255
    return pixels


@pytest.fixture
def make_knmi() -> Callable[..., Path]:
    """`write_knmi`."""
    return write_knmi


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of files of moving showers."""

    def make(
        name: str = "event", frames: int = 12, leave_out: tuple[int, ...] = (), start: datetime = START, seed: int = 0
    ) -> Path:
        folder = tmp_path / name
        for frame in range(frames):
            if frame not in leave_out:
                time = start + frame * STEP
                write_knmi(folder / f"{time:%Y%m%d%H%M}.h5", moving_rain(frame, seed=seed), time)
        return folder

    return make


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Makes the folder of a run whose heads say something, without training it."""

    def make(name: str = "run", **goals: float) -> Path:
        data = DataSettings(kilometers=1, input_frames=3, output_frames=2)
        predict = PredictSettings(minutes=15, gif=False, trust=0.5, match=1.0)
        model = ModelSettings(layers=1, width=4, patch=2, scales=2)
        weights = GoalWeights(**{"spatial": 0.0, "temporal": 0.0, **goals})
        settings = NowcastingSettings(data=data, model=model, predict=predict, goals=weights)
        run = open_run(tmp_path / name, "nowcasting", settings)
        run.write_description({"step_seconds": 300.0, "kilometers": 1.0})
        network = build_model(model, 2)
        generator = torch.Generator().manual_seed(3)
        for name, parameter in network.named_parameters():
            if "head" in name and name.endswith("weight"):
                torch.nn.init.normal_(parameter, std=0.05, generator=generator)
        save_weights(run.weights_file, network, {})
        return run.path

    return make


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """The writers of small radar files of `samples.py`."""
    spec = importlib.util.spec_from_file_location("nowcasting_samples", Path(__file__).with_name("samples.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def make_knmi_module() -> Callable[..., Path]:
    """`write_knmi`, for fixtures that outlive a test."""
    return write_knmi


@pytest.fixture(scope="session")
def make_event() -> Callable[[Path, int, int], Path]:
    """Writes files of moving showers into a folder, for fixtures that outlive a test: folder, frames, seed."""

    def make(folder: Path, frames: int, seed: int) -> Path:
        for frame in range(frames):
            time = START + frame * STEP
            write_knmi(folder / f"{time:%Y%m%d%H%M}.h5", moving_rain(frame, seed=seed), time)
        return folder

    return make
