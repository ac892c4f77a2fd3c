from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import semicoupled
from semicoupled import run_folder
from semicoupled.errors import RunError, SettingsError
from semicoupled.find_task import find_task, settings_class
from semicoupled.run_folder import RunFolder, load, open_run, read_run, resolve_run
from semicoupled.settings_file import parse_settings
from semicoupled.training.weights import save_weights

pytestmark = pytest.mark.usefixtures("brightness_task")


def settings(*options: str) -> Any:
    return parse_settings(settings_class("brightness"), options)


def finished(path: Path, *options: str) -> RunFolder:
    """Make a run folder with all that is needed to load it, without training."""
    folder = open_run(path, "brightness", settings(*options))
    folder.write_description({"frames": settings(*options).data.frames})
    model: Any = find_task("brightness").build(settings(*options), folder.description())
    save_weights(folder.weights_file, model, {})
    return folder


def test_a_new_run_holds_its_settings_and_its_environment(tmp_path: Path) -> None:
    folder = open_run(tmp_path / "runs" / "a", "brightness", settings("--seed", "3"))
    assert json.loads((folder.path / "run.json").read_text()) == {"format": 1, "task": "brightness"}
    assert folder.settings() == settings("--seed", "3")
    found = json.loads((folder.path / "environment.json").read_text())
    assert found["packages"]["torch"] == torch.__version__
    assert found["semicoupled"] == semicoupled.__version__
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["a"]


def test_an_empty_folder_becomes_a_run(tmp_path: Path) -> None:
    assert open_run(tmp_path, "brightness", settings()).settings() == settings()


def test_a_run_is_taken_up_again_with_the_same_settings(tmp_path: Path) -> None:
    open_run(tmp_path / "a", "brightness", settings("--seed=3"))
    (tmp_path / "a" / "log.jsonl").write_text("{}\n")
    folder = open_run(tmp_path / "a", "brightness", settings("--seed=3"))
    assert (folder.path / "log.jsonl").read_text() == "{}\n"


def test_other_settings_are_refused_and_the_difference_is_printed(tmp_path: Path) -> None:
    open_run(tmp_path / "a", "brightness", settings("--seed=3")).description_file.write_text("{}")
    before = {path: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    difference = r"other settings:\n  seed: 3 there, 4 now\n  data\.frames: 4 there, 5 now\nGive"
    with pytest.raises(RunError, match=difference):
        open_run(tmp_path / "a", "brightness", settings("--seed=4", "--data.frames=5"))
    assert {path: path.read_bytes() for path in (tmp_path / "a").iterdir()} == before


def test_a_run_that_failed_before_its_training_takes_other_settings(tmp_path: Path) -> None:
    open_run(tmp_path / "a", "brightness", settings("--data.root=wrong"))
    folder = open_run(tmp_path / "a", "brightness", settings("--data.root=right"))
    assert folder.settings() == settings("--data.root=right")


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match=r"has no run\.json; expected a run folder"):
        open_run(tmp_path, "brightness", settings())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_broken_begin_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed() -> dict[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_folder, "environment", killed)
    with pytest.raises(KeyboardInterrupt):
        open_run(tmp_path / "a", "brightness", settings())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"format": 2, "task": "brightness"}', "is of format 2; this version reads format 1"),
        ('{"format": 1, "task": "brigthness"}', "of task 'brigthness', which is not there. Did you mean 'brightness'"),
        ("{", r"run\.json: is broken"),
        ("[]", r"run\.json: holds a list"),
    ],
)
def test_a_wrong_run_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match=message):
        read_run(tmp_path)


def test_a_run_of_another_task_is_refused(tmp_path: Path) -> None:
    open_run(tmp_path / "a", "brightness", settings())
    with pytest.raises(RunError, match="is a run of task 'brightness'; expected 'nowcasting'"):
        resolve_run(tmp_path / "a", "nowcasting")


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="none: no such folder"):
        resolve_run(tmp_path / "none")


def test_a_loaded_run_predicts_with_the_saved_weights(tmp_path: Path) -> None:
    import numpy as np

    folder = finished(tmp_path / "a")
    np.save(tmp_path / "clip.npy", np.full((4, 5, 4), 0.5))
    run = semicoupled.load(folder.path)
    written = run.predict(tmp_path / "clip.npy", out=tmp_path / "answer.txt")
    assert written == [tmp_path / "answer.txt"]
    again = load(str(folder.path), device="cpu").predict([str(tmp_path / "clip.npy")], out=str(tmp_path / "again.txt"))
    assert again[0].read_text() == written[0].read_text()
    assert not run.model.training  # pyright: ignore[reportAttributeAccessIssue]


def test_a_run_without_weights_says_to_train_it(tmp_path: Path) -> None:
    folder = open_run(tmp_path / "a", "brightness", settings())
    with pytest.raises(RunError, match=r"has no description\.json; expected a training that has begun"):
        load(folder.path)
    folder.write_description({"frames": 4})
    with pytest.raises(RunError, match=r"model\.safetensors: no such file; expected the weights of a run"):
        load(folder.path)


def test_broken_weights_are_refused(tmp_path: Path) -> None:
    folder = finished(tmp_path / "a")
    folder.weights_file.write_bytes(folder.weights_file.read_bytes()[:50])
    with pytest.raises(RunError, match=r"model\.safetensors: is broken"):
        load(folder.path)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    folder = finished(tmp_path / "a")
    save_weights(folder.weights_file, torch.nn.Linear(1, 4), {})
    with pytest.raises(RunError, match="is of another model"):
        load(folder.path)


def test_pretrained_models_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "PRETRAINED", tmp_path)
    with pytest.raises(RunError, match=r"no pretrained model 'small'\. Known: none"):
        resolve_run("pretrained:small")
    small = finished(tmp_path / "brightness" / "small")
    assert resolve_run("pretrained") == resolve_run("pretrained:small", "brightness") == small
    assert resolve_run("pretrained:brightness/small") == small
    large = finished(tmp_path / "brightness" / "large")
    assert resolve_run("pretrained:large") == large
    with pytest.raises(RunError, match="several pretrained models of task 'brightness'; say which"):
        resolve_run("pretrained", "brightness")
    with pytest.raises(RunError, match=r"no pretrained model 'smal'\. Did you mean 'small'"):
        resolve_run("pretrained:smal")
    with pytest.raises(RunError, match=r"no pretrained model 'small' of task 'nowcasting'\. Known: none"):
        resolve_run("pretrained:small", "nowcasting")


def test_unknown_devices_are_refused(tmp_path: Path) -> None:
    folder = finished(tmp_path / "a")
    with pytest.raises(SettingsError, match="no device 'gpu'; expected auto, cpu, cuda"):
        load(folder.path, device="gpu")
    with pytest.raises(SettingsError, match=r"device cuda:99: torch .* can use \d+ GPUs here"):
        load(folder.path, device="cuda:99")
