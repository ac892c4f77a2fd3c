from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file

from semicoupled.cli.main import main

pytestmark = pytest.mark.usefixtures("brightness_task")


def train(*arguments: str) -> int:
    return main(["train", "brightness", "--device", "cpu", *arguments])


def settings(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    capsys.readouterr()
    assert train(*arguments, "--print_config") == 0
    return yaml.safe_load(capsys.readouterr().out)


def test_a_run_folder_holds_all_that_is_promised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    assert train("--run", str(run), "--training.steps=3", "--training.log_every=1") == 0
    assert {path.name for path in run.iterdir()} >= {
        "settings.yaml",
        "environment.json",
        "description.json",
        "log.jsonl",
        "checkpoints",
        "model.safetensors",
        "report.html",
    }
    report = (run / "report.html").read_text(encoding="utf-8")
    assert "Brightness" in report
    assert report.count("data:image/png") == 2  # the curves and the task's picture
    printed = capsys.readouterr()
    assert f"run:    {run}" in printed.out
    assert "training brightness: done" in printed.err


def test_the_order_of_strength_is_preset_file_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text("training: {batch: 3, learning_rate: 0.5}\n")
    assert settings(capsys)["training"]["steps"] == 4
    found = settings(
        capsys, "--training.learning-rate", "0.25", "--config", str(tmp_path / "a.yaml"), "--preset=tiny", "--seed", "7"
    )
    assert found["seed"] == 7
    assert [found["training"][name] for name in ("steps", "batch", "learning_rate")] == [3, 3, 0.25]


def test_what_is_printed_can_be_given_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = settings(capsys, "--time-budget", "10m", "--precision=bf16", "--data.root", "x", "--model.widths", "[1]")
    assert found["training"]["time_budget"] == "10m"
    assert found["training"]["precision"] == "bf16"
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(found))
    assert settings(capsys, "--config", str(tmp_path / "a.yaml")) == found


def test_the_same_settings_take_a_run_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = str(tmp_path / "run")
    assert train("--run", run) == 0
    before = load_file(tmp_path / "run" / "model.safetensors")
    assert train("--run", run) == 0
    after = load_file(tmp_path / "run" / "model.safetensors")
    assert all(bool((before[name] == after[name]).all()) for name in before)
    capsys.readouterr()
    assert train("--run", run, "--seed", "1") == 4
    assert "was begun with other settings:\n  seed: 0 there, 1 now\n" in capsys.readouterr().err


def test_init_begins_with_other_weights(tmp_path: Path) -> None:
    assert train("--run", str(tmp_path / "a")) == 0
    still = ["--training.learning_rate=1e-12", "--training.steps=1", "--seed=5"]
    assert train("--run", str(tmp_path / "b"), "--init", str(tmp_path / "a"), *still) == 0
    assert train("--run", str(tmp_path / "c"), *still) == 0
    first, tuned, fresh = (load_file(tmp_path / name / "model.safetensors")["head.linear.weight"] for name in "abc")
    assert tuned.allclose(first)
    assert not fresh.allclose(first)


def test_without_run_a_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert train("--training.steps=1") == 0
    assert [path.name.startswith("brightness-2") for path in (tmp_path / "runs").iterdir()] == [True]


def test_several_processes_need_one_folder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert train() == 2
    assert "give one with --run DIR" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--trainig.steps", "3"], 2, "Did you mean '--training.steps'?"),
        (["--time-bugdet", "3m"], 2, "Did you mean '--time-budget'?"),
        (["--time-budget", "soon"], 2, "expected a duration"),
        (["--preset", "tin"], 2, "has no preset 'tin'. Did you mean 'tiny'? Known: tiny."),
        (["--config", "none.yaml"], 2, "none.yaml: cannot be read"),
        (["--model.kind", "convltsm"], 2, "Did you mean 'convlstm'?"),
        (["--data.frames", "0"], 2, "data.frames: expected at least 1, got 0"),
        (["--device", "gpu"], 2, "there is no device 'gpu'"),
        (["--init", "nowhere"], 4, "nowhere: no such folder; expected a run folder"),
        (["--init", "pretrained:best"], 4, "there is no pretrained model 'best' of task 'brightness'. Known: none."),
        (["--data.root", "nowhere"], 3, "nowhere: no such folder; expected a folder of clips"),
    ],
)
def test_what_is_wrong_is_named(
    arguments: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "brightness", "--run", "run", *arguments]) == code
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_an_unknown_task_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "brigthness"]) == 2
    assert "there is no task 'brigthness'. Did you mean 'brightness'? Known: " in capsys.readouterr().err
    assert main(["train", "--run", "a"]) == 2
    assert "the task comes first; tasks: " in capsys.readouterr().err


def test_help_lists_options_settings_and_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "brightness", "--help"]) == 0
    text = capsys.readouterr().out
    for part in ("--time-budget T", "--precision", "--workers", "--model.kind {semicoupled,convlstm}", "--seed SEED"):
        assert part in text
    assert "presets of brightness: tiny" in text
    assert "--training CONFIG" not in text
    assert main(["train", "--help"]) == 0
    assert "tasks: action, brightness, driving, nowcasting, outline, toy" in capsys.readouterr().out


def test_tune_tries_every_rate_with_every_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["tune", "brightness", "--models", "semicoupled,convlstm", "--rates", "1e-9,0.03", "--steps", "5"]
    assert main([*command, "--json", str(tmp_path / "tune.json"), "--run", str(tmp_path / "runs"), "--seed=2"]) == 0
    rows = json.loads((tmp_path / "tune.json").read_text())["rows"]
    assert [(row["model"], row["condition"]) for row in rows] == [
        (kind, {"learning_rate": rate, "steps": 5, "seed": 2})
        for kind in ("semicoupled", "convlstm")
        for rate in (1e-9, 0.03)
    ]
    printed = capsys.readouterr().out
    for kind in ("semicoupled", "convlstm"):
        scores = {row["condition"]["learning_rate"]: row["value"] for row in rows if row["model"] == kind}
        assert f"{kind}: best learning rate {max(scores, key=scores.__getitem__):g}" in printed
    assert (tmp_path / "runs" / "convlstm-0.03-2" / "model.safetensors").is_file()


def test_tune_finds_a_wrong_setting_before_it_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["tune", "brightness", "--models", "semicoupled,gru", "--run", str(tmp_path / "runs")]
    assert main(command) == 2
    assert "there is no 'gru'" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
