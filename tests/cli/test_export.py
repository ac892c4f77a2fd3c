"""Export a run: every kind of network, and what is refused."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from semicoupled.cli.main import main
from semicoupled.export import exporter, onnx_program, programs
from semicoupled.export.exporter import export_run
from semicoupled.export.parity import LIMIT, Runner
from semicoupled.find_task import find_task
from semicoupled.nn.norm import StreamNorm
from semicoupled.run_folder import LoadedRun, RunFolder
from semicoupled.tasks.toy.settings import DataSettings, ModelSettings, ToySettings
from semicoupled.training.settings import GoalWeights


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A run of the smallest task, which is beside the package's own as long as this module runs."""
    tasks = importlib.import_module("semicoupled.tasks")
    folder = tmp_path_factory.mktemp("brightness") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "__path__", [*tasks.__path__, str(Path(__file__).parents[1] / "tasks_for_tests")])
        assert main(["train", "brightness", "--run", str(folder), "--training.steps=1"]) == 0
        yield str(folder)


@pytest.fixture(scope="module")
def exported(run: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its export, as it is without options."""
    folder = tmp_path_factory.mktemp("exported") / "out"
    assert main(["export", "brightness", run, "--out", str(folder)]) == 0
    return folder


def toy(model: ModelSettings, size: int = 13) -> LoadedRun:
    settings = ToySettings(data=DataSettings(size=size), model=model, goals=GoalWeights(spatial=0, temporal=0))
    task = find_task("toy")
    description = task.splits(settings).description
    network: Any = task.build(settings, description)
    for module in network.modules():
        if isinstance(module, StreamNorm) and module.by_batch:  # as after a training
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_variance, 0.5, 2.0)
    return LoadedRun(RunFolder(Path("toy"), "toy"), task, settings, description, network.eval())


KINDS = {
    "rnn": ModelSettings(widths=(3, 4, 4), strides=(2, 1, 2)),
    "rnn_joint": ModelSettings(widths=(3, 4), strides=(1, 2), norm="joint"),
    "lstm": ModelSettings(widths=(3, 4, 4), strides=(2, 1, 2), cell="lstm", norm="group"),
    "gru": ModelSettings(widths=(3, 4, 4), strides=(2, 1, 2), cell="gru", norm="none"),
    "linear": ModelSettings(widths=(3, 4, 4), strides=(2, 1, 2), cell="linear"),
    "convlstm": ModelSettings(kind="convlstm", widths=(3, 4, 4), strides=(2, 1, 2)),
    "convgru": ModelSettings(kind="convgru", widths=(3, 4, 4), strides=(2, 1, 2)),
    "cbm": ModelSettings(kind="cbm", widths=(3, 4, 4), strides=(2, 1, 2)),
    "cnn_lstm": ModelSettings(kind="cnn_lstm", widths=(3, 4, 4), strides=(2, 1, 2), hidden=5, grid=1),
}


@pytest.mark.slow  # the contract exports every task's, and the grid's is of a CNN+LSTM
@pytest.mark.parametrize("kind", KINDS)
def test_every_network_that_can_step_is_exported_for_every_size(kind: str, tmp_path: Path) -> None:
    exported = export_run(toy(KINDS[kind]), tmp_path / "out")
    made = exported.made["step"]
    assert made.dynamic == ("batch", "height", "width"), made.fixed_because
    rows = {row.runtime: row for row in exported.measured["step"]}
    assert set(rows) == {"torch", "torch.export", "onnxruntime"}
    assert all(row.difference <= LIMIT and row.milliseconds > 0 for row in rows.values())
    assert {file.name for file in exported.files} == {"step.pt2", "step.onnx", "signature.json", "README.md"}


def test_a_grid_of_cells_does_not_tie_a_network_to_its_size(tmp_path: Path) -> None:
    settings = ModelSettings(kind="cnn_lstm", widths=(3, 4), strides=(2, 1), hidden=5, grid=2)
    made = export_run(toy(settings), tmp_path / "out").made["step"]
    signature = json.loads((tmp_path / "out" / "signature.json").read_text())
    assert signature["programs"]["step"]["dynamic"] == list(made.dynamic) == ["batch", "height", "width"]
    assert signature["programs"]["step"]["fixed_because"] == made.fixed_because


def test_the_signature_says_all_that_a_user_needs(exported: Path) -> None:
    signature = json.loads((exported / "signature.json").read_text())
    assert (signature["format"], signature["kind"], signature["task"]) == (1, "semicoupled export", "brightness")
    assert signature["settings"]["model"]["widths"] == [4, 4]
    assert signature["description"] == {"frames": 4}
    step = signature["programs"]["step"]
    free = [{"axis": axis, "divided_by": 1} for axis in ("batch", "height", "width")]
    assert step["inputs"] == [
        {
            "name": "frame",
            "dtype": "float32",
            "shape": [free[0], 1, *free[1:]],
            "meaning": "a frame of one brightness from 0 to 1; B 1 H W",
        }
    ]
    assert [entry["name"] for entry in step["state"]] == ["layer1_gate", "layer2_gate"]
    assert [entry["initial"] for entry in step["state"]] == [0.5, 0.5]
    assert step["state"][0]["shape"] == [free[0], 4, *free[1:]]
    assert step["outputs"][0]["shape"] == [free[0]]
    assert len(step["compared_at"]) == 3


def test_programs_name_no_folder_of_this_machine(exported: Path) -> None:
    here = str(Path(onnx_program.__file__).parents[2]).encode()
    for name in ("step.onnx", "step.pt2"):
        assert here not in (exported / name).read_bytes()


@pytest.mark.parametrize(
    ("weights", "share", "limit"), [pytest.param("bf16", 0.75, 0.01, marks=pytest.mark.slow), ("int8", 0.6, 0.05)]
)
def test_smaller_weights_are_smaller_and_not_far_off(weights: Any, share: float, limit: float, tmp_path: Path) -> None:
    wide = toy(ModelSettings(widths=(32, 32), strides=(2, 1)))
    rows = export_run(wide, tmp_path / "out", form="onnx", weights=weights).measured["step"]
    full, small = (row for row in rows if row.runtime == "onnxruntime")
    assert (full.weights, small.weights) == ("float32", weights)
    assert full.bytes is not None
    assert small.bytes == (tmp_path / "out" / "step.onnx").stat().st_size < share * full.bytes
    assert full.difference <= LIMIT < small.difference < limit


def test_torch_alone_needs_no_onnx(
    run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(onnx_program.importlib.util, "find_spec", lambda name: None)
    command = ["export", "brightness", run, "--out", str(tmp_path / "out")]
    assert main(command) == 5
    assert 'onnx, onnxruntime, onnxscript: pip install "semicoupled[export]"' in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*command, "--format=torch"]) == 0
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"step.pt2", "signature.json", "README.md"}
    assert "onnxruntime" not in (tmp_path / "out" / "README.md").read_text()


def test_a_loaded_program_steps_with_torch_alone(exported: Path) -> None:
    step = torch.export.load(exported / "step.pt2").module()
    brightness, *state = step(torch.rand(1, 1, 9, 7), *(torch.full((1, 4, 9, 7), 0.5) for _ in range(2)))
    assert brightness.shape == (1,)
    assert [tensor.shape for tensor in state] == [(1, 4, 9, 7)] * 2


def test_a_program_that_differs_is_not_written(
    run: str, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(exported, out)
    before = (out / "signature.json").read_text()
    monkeypatch.setattr(programs, "FREEDOMS", ((),))  # it would differ with any, and each takes its time
    runner = exporter.onnx_runner

    def wrong(*arguments: Any) -> Runner:
        right = runner(*arguments)
        return lambda tensors: tuple(tensor * 1.001 for tensor in right(tensors))

    monkeypatch.setattr(exporter, "onnx_runner", wrong)
    assert main(["export", "brightness", run, "--out", str(out)]) == 4
    assert "program 'step': onnxruntime differs from the model by" in capsys.readouterr().err
    assert (out / "signature.json").read_text() == before
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_an_older_export_is_replaced_as_a_whole_and_nothing_else(
    run: str, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    command = ["export", "brightness", run, "--out", str(out), "--format=torch"]
    (out / "signature.json").write_text("{}")
    assert main(command) == 3
    assert "out: is there and is no export of semicoupled; expected a new folder" in capsys.readouterr().err
    assert [file.name for file in out.iterdir()] == ["signature.json"]
    shutil.copytree(exported, out, dirs_exist_ok=True)
    assert (out / "step.onnx").exists()
    assert main(command) == 0
    assert not (out / "step.onnx").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_what_was_measured_is_shown(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    command = ["export", "brightness", run, "--out", str(tmp_path / "out"), "--format=torch", "--size=11x6"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "torch.export" in printed
    assert str(tmp_path / "out" / "step.pt2") in printed
    signature = json.loads((tmp_path / "out" / "signature.json").read_text())
    assert signature["measured_at"]["height"] == 11
    assert np.isfinite([row["milliseconds"] for row in signature["programs"]["step"]["measured"]]).all()


def test_wrong_options_are_named(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["export", "brightness", run, "--out", str(tmp_path / "out")]
    assert main([*command, "--size=11"]) == 2
    assert "'11': expected height and width in px, such as 350x390" in capsys.readouterr().err
    assert main([*command, "--weights=int4"]) == 2
    assert "int4" in capsys.readouterr().err
    assert main(["export", "brightness", run]) == 2
    assert "required: --out" in capsys.readouterr().err
    assert main(["export", "brightness", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 4
    assert "none: no such folder; expected a run folder" in capsys.readouterr().err
