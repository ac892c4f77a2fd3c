"""What all tests share."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from semicoupled.run_folder import open_run
from semicoupled.training.weights import save_weights

DATA = "SEMICOUPLED_DATA"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Give the folder of real data, or skip: it does not come with the repository, docs/data.md says where it does."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ[DATA]) if DATA in os.environ else beside
    if not folder.is_dir():
        pytest.skip(f"no real data: set {DATA} to a folder that holds radar/ (docs/data.md)")
    return folder


@pytest.fixture(autouse=True)
def same_random_numbers() -> None:
    """Begin every test with the same random numbers, whichever tests ran before it."""
    torch.manual_seed(0)


@pytest.fixture
def brightness_task(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put the smallest task of all beside the package's own tasks, and give its name."""
    tasks = importlib.import_module("semicoupled.tasks")
    folder = Path(__file__).parent / "tasks_for_tests"
    monkeypatch.setattr(tasks, "__path__", [*tasks.__path__, str(folder)])
    return "brightness"


@pytest.fixture(scope="session")
def make_driving_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes the run folder of a small steering model whose heads say something, without training it."""

    def make(unit: str = "normalized", **model: object) -> Path:
        settings_module = importlib.import_module("semicoupled.tasks.driving.settings")
        model_module = importlib.import_module("semicoupled.tasks.driving.model")
        about = settings_module.ModelSettings(**{"widths": (4, 6), "strides": (2, 2), **model})
        data = settings_module.DataSettings(width=32, height=24)
        goals = {} if about.kind == "semicoupled" else {"goals": settings_module.GoalWeights(spatial=0.0, temporal=0.0)}
        settings = settings_module.DrivingSettings(data=data, model=about, **goals)
        folder = open_run(tmp_path_factory.mktemp("runs") / "run", "driving", settings)
        folder.write_description({"unit": unit, "mean_angle": 0.0, "frame_seconds": 0.1})
        network = model_module.DrivingModel(model_module.build_network(about), about, settings.sub_goals)
        generator = torch.Generator().manual_seed(3)
        for name, parameter in network.named_parameters():
            if "head" in name and name.endswith("weight"):
                torch.nn.init.normal_(parameter, std=0.02 if about.kind == "cnn" else 0.5, generator=generator)
        save_weights(folder.weights_file, network, {})
        return folder.path

    return make
