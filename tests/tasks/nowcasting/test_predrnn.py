"""A run of the kind `predrnn` from the command line: what the contract test asks of the default."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch.utils.data import default_collate

import semicoupled
from semicoupled.cli.main import main
from semicoupled.export.onnx_program import onnx_runner
from semicoupled.export.parity import LIMIT, relative
from semicoupled.find_task import find_task
from semicoupled.networks.predrnn import PredRNN
from semicoupled.settings_file import parse_settings
from semicoupled.tasks.nowcasting.settings import SETTINGS
from semicoupled.training.sampling import SampleKey

PRESET = ["--preset", "predrnn"]


def case() -> ModuleType:
    spec = importlib.util.spec_from_file_location("case_nowcasting", Path(__file__).with_name("case.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("predrnn")
    options = [*case().options(folder), "--training.steps=2", "--training.precision=float32"]
    assert main(["train", "nowcasting", "--device=cpu", *PRESET, "--run", str(folder / "run"), *options]) == 0
    return folder / "run", options


def test_trains_predicts_and_is_scored(trained: tuple[Path, list[str]], tmp_path: Path) -> None:
    run, _ = trained
    model: Any = semicoupled.load(run, device="cpu").model
    assert isinstance(model.network.encoder, PredRNN)
    assert isinstance(model.network.decoder, PredRNN)
    given, out = case().inputs(tmp_path), tmp_path / "forecast.nc"
    command = ["predict", "nowcasting", str(run), *map(str, given), "--out", str(out), "--device=cpu"]
    assert main(command) == 0
    assert out.is_file()
    scores = tmp_path / "scores.json"
    assert main(["evaluate", "nowcasting", str(run), "--device=cpu", "--json", str(scores)]) == 0
    rows = json.loads(scores.read_text(encoding="utf-8"))["rows"]
    assert {"predrnn", "advection"} <= {row["model"] for row in rows}


@pytest.mark.slow  # the contract exports the structure's
def test_exported_programs_step_as_the_model_does(trained: tuple[Path, list[str]], tmp_path: Path) -> None:
    run, options = trained
    out, task, radar = tmp_path / "exported", find_task("nowcasting"), case()
    settings = parse_settings(SETTINGS, [*options, "--model.kind=predrnn"])
    assert main(["export", "nowcasting", str(run), "--out", str(out)]) == 0
    signature = json.loads((out / "signature.json").read_text(encoding="utf-8"))
    for program in signature["programs"].values():
        assert program["fixed_because"] is None
        assert all(row["difference"] <= LIMIT for row in program["measured"])
    names = [entry["name"] for entry in signature["programs"]["encode"]["state"]]
    assert names == ["layer1_hidden", "layer1_cell", "layer2_hidden", "layer2_cell", "layer2_memory"]
    model: Any = semicoupled.load(run, device="cpu").model
    steps = task.steps(settings, signature["description"], model)
    runners = {step.name: onnx_runner(out / f"{step.name}.onnx", step) for step in steps.programs}
    starts = {step.name: step.start for step in steps.programs}
    data: Any = task.splits(settings).validation
    batch = default_collate([data[SampleKey(0)]])
    with torch.no_grad():
        wanted, stepped = model(batch).main, radar.by_steps(runners, starts, batch)
    assert relative(radar.limited(wanted), stepped) < LIMIT
    assert float(wanted.nan_to_num(0).abs().max()) > 0
