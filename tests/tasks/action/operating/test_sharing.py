"""Videos shared by several processes: each is answered once, and what is killed is taken up."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from tests.tasks.killed import kill_one_of_two

from semicoupled.errors import DataError, SettingsError
from semicoupled.sharing import Group, parts_folder
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.tasks.action.model import build_model
from semicoupled.tasks.action.operating.predictor import ActionPredictor
from semicoupled.tasks.action.operating.sharing import SharedRecords
from semicoupled.tasks.action.settings import ActionSettings, ModelSettings, PredictSettings
from semicoupled.training.progress import NoProgress

CLASSES = ["left", "right", "up"]
SETTINGS = ActionSettings(
    data=DataSettings(height=24, width=32, frames=6), model=ModelSettings(widths=(6, 8), strides=(2, 2))
)


@pytest.fixture
def model() -> Any:
    torch.manual_seed(0)
    return build_model(SETTINGS, len(CLASSES)).eval()


@pytest.fixture
def videos(samples: ModuleType, tmp_path: Path) -> list[Path]:
    return [samples.write_video(tmp_path / "in" / f"v{i}.mp4", frames=3 + i, seed=i) for i in range(6)]


def predict(model: Any, inputs: list[Path], out: Path, stopped: Any = lambda: False, **options: Any) -> list[Path]:
    request = PredictRequest(inputs, [out], PredictSettings(**options), stopped=stopped)
    return list(ActionPredictor(SETTINGS, CLASSES, model).predict(request))


def test_several_processes_write_the_file_that_one_writes(model: Any, videos: list[Path], tmp_path: Path) -> None:
    (alone,) = predict(model, videos, tmp_path / "alone.jsonl")
    (shared,) = predict(model, videos, tmp_path / "shared.jsonl", devices=2)
    assert shared.read_bytes() == alone.read_bytes()
    assert not parts_folder(shared).exists()
    assert len(alone.read_text().splitlines()) == 1 + len(videos)


def test_a_shared_file_that_was_stopped_is_taken_up_by_one_process(
    model: Any, videos: list[Path], tmp_path: Path
) -> None:
    (alone,) = predict(model, videos, tmp_path / "alone.jsonl")
    out = tmp_path / "shared.jsonl"
    group, asked = Group(0, 2), iter([False, False, True])
    about = json.loads(alone.read_text().splitlines()[0])
    about = {name: about[name] for name in ("classes", "weights", "options")}
    predictor = ActionPredictor(SETTINGS, CLASSES, model)
    records = SharedRecords(out, about, group)
    assert records.begin(lambda: False)
    run = records.write(videos, predictor.answering(PredictSettings()), 1, NoProgress(), lambda: next(asked))
    assert list(run) == []
    assert len(list(parts_folder(out).glob("*.done"))) == 2
    (written,) = predict(model, videos, out)
    assert written.read_bytes() == alone.read_bytes()
    assert not parts_folder(out).exists()


def test_one_process_begins_and_several_go_on(model: Any, videos: list[Path], tmp_path: Path) -> None:
    (alone,) = predict(model, videos, tmp_path / "alone.jsonl")
    out, asked = tmp_path / "begun.jsonl", iter([False, True])
    assert predict(model, videos, out, stopped=lambda: next(asked)) == []
    begun = out.with_name("begun.jsonl.part").read_text().splitlines()
    assert len(begun) == 3
    (written,) = predict(model, videos, out, devices=2, batch=1)
    assert written.read_bytes() == alone.read_bytes()
    assert not out.with_name("begun.jsonl.part").exists()


def test_a_file_of_other_options_is_not_gone_on_with(model: Any, videos: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    (written,) = predict(model, videos[:1], out, top=1)
    with pytest.raises(DataError, match=r"o\.jsonl: was made by another model or with other options"):
        predict(model, videos, out, top=2, devices=2)
    assert len(written.read_text().splitlines()) == 2


def test_an_error_ends_all(model: Any, videos: list[Path], tmp_path: Path) -> None:
    broken = tmp_path / "in" / "a_broken.mp4"
    broken.write_bytes(b"no video")
    with pytest.raises(DataError, match=r"a_broken\.mp4"):
        predict(model, [broken, *videos], tmp_path / "o.jsonl", devices=2, on_error="fail")
    (written,) = predict(model, [broken, *videos], tmp_path / "p.jsonl", devices=2)
    lines = [json.loads(line) for line in written.read_text().splitlines()[1:]]
    assert [bool(line["error"]) for line in lines] == [True] + [False] * len(videos)


def test_torchrun_and_devices_exclude_each_other(
    model: Any, videos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SettingsError, match=r"devices 2: torchrun has started 2 processes"):
        predict(model, videos, tmp_path / "o.jsonl", devices=2)
    with pytest.raises(SettingsError, match=r"--devices 2: live frames"):
        PredictSettings(devices=2, camera="0")


@pytest.mark.slow
def test_what_a_killed_process_had_begun_is_taken_up(samples: ModuleType, tmp_path: Path, trained: Path) -> None:
    folder = tmp_path / "in"
    for number in range(12):
        samples.write_video(folder / f"v{number:02}.mp4", frames=40, seed=number)
    out = tmp_path / "o.jsonl"
    kill_one_of_two(["predict", "action", str(trained), str(folder), "--out", str(out)], out)
    lines = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    assert [Path(line["video"]).name for line in lines] == [f"v{number:02}.mp4" for number in range(12)]
    assert [line["error"] for line in lines] == [None] * 12


@pytest.fixture
def trained(samples: ModuleType, tmp_path: Path) -> Path:
    from semicoupled.cli.main import main

    root = samples.make_tree(tmp_path / "root")
    run = tmp_path / "run"
    options = [
        "--data.height=24",
        "--data.width=32",
        "--data.frames=6",
        "--model.widths=[4,4]",
        "--model.strides=[2,2]",
    ]
    arguments = ["train", "action", f"--data.root={root}", "--data.validation=p1", *options, "--training.steps=1"]
    assert main([*arguments, "--training.batch=2", "--run", str(run), "--device=cpu"]) == 0
    return run
