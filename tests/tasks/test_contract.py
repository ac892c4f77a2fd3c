"""What holds for every task. A new one is a folder under tasks/, and a case.py beside its tests.

Tasks of folders that ``SEMICOUPLED_TASKS`` names have their case.py beside their task.py.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import default_collate

import semicoupled
from semicoupled.cli.main import main
from semicoupled.errors import SettingsError
from semicoupled.export.onnx_program import onnx_runner
from semicoupled.export.parity import LIMIT, relative
from semicoupled.find_task import find_task, settings_class, task_folders
from semicoupled.nn.streams import STREAMS
from semicoupled.report import Section
from semicoupled.rows import read_rows
from semicoupled.settings_file import parse_settings, read_settings, write_settings
from semicoupled.task import Task
from semicoupled.task_parts import TaskOutput
from semicoupled.task_requests import EvaluateRequest
from semicoupled.training.ltsc import Segment
from semicoupled.training.objective import Losses
from semicoupled.training.progress import NoProgress
from semicoupled.training.sampling import SampleKey

HERE = Path(__file__).parent


class Trained(NamedTuple):
    """A task's smallest run."""

    task: Task[Any]
    case: ModuleType
    options: list[str]
    settings: Any
    run: Path


def case_of(name: str) -> ModuleType:
    file = HERE / name / "case.py"
    if not file.is_file():
        file = task_folders()[name] / "case.py"
    assert file.is_file(), f"{file}: no such file; expected options(folder), inputs(folder) and OUT, as beside it"
    spec = importlib.util.spec_from_file_location(f"case_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=task_folders())
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train each task once, two steps, from the command line."""
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    case = case_of(name)
    options = [*case.options(folder), "--training.steps=2", "--training.precision=float32"]
    assert main(["train", name, "--device=cpu", "--run", str(folder / "run"), *options]) == 0
    return Trained(find_task(name), case, options, parse_settings(settings_class(name), options), folder / "run")


@pytest.fixture(scope="module")
def exported(trained: Trained) -> Path:
    """Export it once, from the command line."""
    out = trained.run.parent / "exported"
    assert main(["export", trained.task.name, str(trained.run), "--out", str(out)]) == 0
    return out


@pytest.fixture
def batch(trained: Trained) -> Any:
    data: Any = trained.task.splits(trained.settings).validation
    return default_collate([data[SampleKey(0)], data[SampleKey(min(1, len(data) - 1))]])


@pytest.fixture
def model(trained: Trained) -> Any:
    return semicoupled.load(trained.run, device="cpu").model


@pytest.mark.parametrize("name", task_folders())
def test_settings_are_frozen_have_defaults_and_survive_a_file(name: str, tmp_path: Path) -> None:
    cls: Any = settings_class(name)
    assert find_task(name).settings is cls
    default = cls()
    assert isinstance(default.seed, int)
    for settings in (default, default.data, default.model, default.training, default.goals):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(settings, dataclasses.fields(settings)[0].name, None)
    write_settings(tmp_path / "settings.yaml", default)
    assert read_settings(cls, tmp_path / "settings.yaml") == default


@pytest.mark.parametrize("name", task_folders())
def test_presets_can_be_used(name: str) -> None:
    for file in (task_folders()[name] / "presets").glob("*.yaml"):
        assert read_settings(settings_class(name), file) != settings_class(name)(), file.name


@pytest.mark.parametrize("name", task_folders())
def test_settings_need_no_torch(name: str) -> None:
    code = f"import sys, semicoupled.tasks.{name}.settings\nassert not {{'torch', 'numpy'}} & set(sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_task_says_who_it_is(trained: Trained) -> None:
    assert trained.task.name == trained.run.parent.name.rstrip("0123456789")
    assert trained.task.summary[0].isupper()
    assert trained.task.summary[-1] in ".?"


def test_a_sample_is_a_function_of_its_key(trained: Trained) -> None:
    splits, again = trained.task.splits(trained.settings), trained.task.splits(trained.settings)
    for ours, theirs in ((splits.train, again.train), (splits.validation, again.validation)):
        data: Any = ours
        assert len(data) > 0
        for key in (SampleKey(0), SampleKey(len(data) - 1, 5)):
            first = ours[key]
            torch.manual_seed(99)
            second = theirs[key]
            assert type(first) is type(second)
            for one, other in zip(first, second, strict=True):
                assert torch.equal(torch.as_tensor(one).nan_to_num(7), torch.as_tensor(other).nan_to_num(7))
    assert json.loads(json.dumps(splits.description)) == json.loads(json.dumps(again.description))


def test_frames_come_first(batch: Any) -> None:
    assert batch._fields[0] == "frames"
    assert batch.frames.dim() == 5  # B T C H W
    assert batch.frames.shape[0] == 2


def test_the_model_has_what_the_loop_wants(model: Any) -> None:
    assert isinstance(model, nn.Module)
    assert isinstance(model.network, nn.Module)
    assert model.network.depth >= 1
    recurrent = {id(parameter) for parameter in model.recurrent_parameters()}
    assert recurrent
    assert recurrent < {id(parameter) for parameter in model.parameters()}


def test_every_stream_answers_and_every_loss_can_be_learned_from(trained: Trained, model: Any, batch: Any) -> None:
    model.train()
    output = model(batch, streams=STREAMS)
    assert set(TaskOutput._fields) <= set(output._fields)
    losses = trained.task.goals(trained.settings)(output, batch)
    assert isinstance(losses, Losses)
    for loss in (losses.main, losses.spatial, losses.temporal):
        assert loss is not None
        assert loss.shape == ()
        assert bool(loss.isfinite())
        model.zero_grad()
        loss.backward(retain_graph=True)
        assert any(parameter.grad is not None and bool(parameter.grad.any()) for parameter in model.parameters())


def test_without_being_asked_the_sub_goals_cost_nothing(model: Any, batch: Any) -> None:
    output = model(batch)
    assert isinstance(output.main, Tensor)
    assert output.spatial is None
    assert output.temporal is None


def test_validation_gives_a_score(trained: Trained, model: Any) -> None:
    with torch.no_grad():
        scores = trained.task.validate(trained.settings, model, trained.task.splits(trained.settings), NoProgress())
    assert all(math.isfinite(value) for value in scores.values())
    assert "score" in scores


def test_a_run_is_taken_up(trained: Trained) -> None:
    before = (trained.run / "model.safetensors").read_bytes()
    assert main(["train", trained.task.name, "--device=cpu", "--run", str(trained.run), *trained.options]) == 0
    assert (trained.run / "model.safetensors").read_bytes() == before


def test_scores_name_our_model(trained: Trained, tmp_path: Path) -> None:
    command = ["evaluate", trained.task.name, str(trained.run), "--device=cpu", "--json", str(tmp_path / "scores.json")]
    assert main(command) == 0
    rows = read_rows(tmp_path / "scores.json").rows
    assert trained.settings.model.kind in {row.model for row in rows}
    assert any(row.count > 0 for row in rows)
    assert all(row.count > 0 or math.isnan(row.value) for row in rows)  # over nothing, a score is undefined
    for row in rows:
        if row.interval is not None:
            low, high = row.interval
            assert low <= high


def test_an_unknown_split_is_refused(trained: Trained) -> None:
    loaded = semicoupled.load(trained.run, device="cpu")
    request = EvaluateRequest(
        loaded.settings, loaded.model, loaded.description, None, "validatoin", torch.device("cpu")
    )
    with pytest.raises(SettingsError, match=r"'validatoin'\. Did you mean 'validation'"):
        loaded.task.evaluate(request)


def test_predictions_are_files_and_the_same_from_python(trained: Trained, tmp_path: Path) -> None:
    inputs = trained.case.inputs(tmp_path)
    out = tmp_path / "cli" / trained.case.OUT
    out.parent.mkdir()
    command = ["predict", trained.task.name, str(trained.run), *map(str, inputs), "--out", str(out), "--device=cpu"]
    assert main(command) == 0
    (tmp_path / "python").mkdir()
    written = semicoupled.load(trained.run, device="cpu").predict(inputs, out=tmp_path / "python" / trained.case.OUT)
    assert {path.name for path in written} == {path.name for path in out.parent.iterdir()}
    assert all(path.stat().st_size > 0 for path in written)


def test_missing_input_is_named_and_nothing_is_written(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "nowhere"
    command = ["predict", trained.task.name, str(trained.run), str(missing), "--out", str(tmp_path / trained.case.OUT)]
    assert main([*command, "--device=cpu"]) == 3
    assert "nowhere" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_exported_programs_step_as_the_model_does(trained: Trained, model: Any, batch: Any, exported: Path) -> None:
    signature = json.loads((exported / "signature.json").read_text(encoding="utf-8"))
    assert set(signature["files"]) == {file.name for file in exported.iterdir()}
    steps = trained.task.steps(trained.settings, signature["description"], model)
    assert set(signature["programs"]) == {step.name for step in steps.programs}
    for program in signature["programs"].values():
        assert program["fixed_because"] is None
        assert {row["runtime"] for row in program["measured"]} == {"torch", "torch.export", "onnxruntime"}
        assert all(row["difference"] <= LIMIT for row in program["measured"])
    runners = {step.name: onnx_runner(exported / f"{step.name}.onnx", step) for step in steps.programs}
    starts = {step.name: step.start for step in steps.programs}
    with torch.no_grad():
        wanted, stepped = model(batch).main, trained.case.by_steps(runners, starts, batch)
    assert relative(trained.case.limited(wanted), stepped) < LIMIT
    assert float(wanted.nan_to_num(0).abs().max()) > 0


def test_the_readme_of_an_export_works_with_numpy_and_onnxruntime_alone(exported: Path) -> None:
    text = (exported / "README.md").read_text(encoding="utf-8").partition("With torch alone:")[0]
    code = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(code) == 1
    ending = "\nimport sys\nassert not {'torch', 'semicoupled'} & set(sys.modules)\nprint('ran')"
    result = subprocess.run(
        [sys.executable, "-c", code[0] + ending], capture_output=True, text=True, check=False, cwd=exported
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("ran\n")


def test_the_report_shows_what_the_task_draws(trained: Trained, model: Any) -> None:
    sections = trained.task.draw(trained.settings, model, trained.task.splits(trained.settings), trained.run)
    assert sections
    assert all(isinstance(section, Section) for section in sections)
    report = (trained.run / "report.html").read_text(encoding="utf-8")
    assert all(f"<h2>{section.title}</h2>" in report for section in sections)


def test_data_are_checked_and_described_or_the_task_says_that_it_reads_none(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for topic, look in (("check", trained.task.check), ("describe", trained.task.describe)):
        root = getattr(trained.settings.data, "root", str(tmp_path))
        found = tmp_path / f"{topic}.json"
        code = main(["data", topic, trained.task.name, root, "--json", str(found)])
        if look is None:
            assert code == 2
            assert "reads no files that could be looked at" in capsys.readouterr().err
        else:
            assert code == 0
            document = json.loads(found.read_text(encoding="utf-8"))
            assert (document["format"], document["task"]) == (1, trained.task.name)
            assert document["sections"][0]["tables"][0]["rows"]


def test_a_segment_is_cut_out_or_refused(trained: Trained, batch: Any) -> None:
    segment = Segment(1, 3)
    if getattr(trained.case, "WHOLE", False):
        with pytest.raises(SettingsError, match="segment"):
            trained.task.cut(batch, segment)
    else:
        assert torch.equal(trained.task.cut(batch, segment).frames, batch.frames[:, 1:3])
