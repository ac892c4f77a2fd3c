"""Answers for the samples of shards: those of the same videos as files."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import pytest
import torch
from tests.tars import write_tar

from semicoupled.errors import DataError
from semicoupled.sharing import parts_folder
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.tasks.action.model import build_model
from semicoupled.tasks.action.operating.inputs import find_inputs
from semicoupled.tasks.action.operating.predictor import ActionPredictor
from semicoupled.tasks.action.settings import ActionSettings, ModelSettings, PredictSettings

SETTINGS = ActionSettings(
    data=DataSettings(height=24, width=32, frames=6), model=ModelSettings(widths=(6, 8), strides=(2, 2))
)


@pytest.fixture
def predictor() -> ActionPredictor:
    torch.manual_seed(0)
    return ActionPredictor(SETTINGS, ["left", "right"], build_model(SETTINGS, 2).eval())


@pytest.fixture
def videos(samples: ModuleType, tmp_path: Path) -> list[Path]:
    return [samples.write_video(tmp_path / "in" / f"v{i}.mp4", frames=4 + i, seed=i) for i in range(3)]


@pytest.fixture
def shards(videos: list[Path], tmp_path: Path) -> Path:
    """Two shards: a video with a label, one without, and one that is images."""
    first = {"left/v0.mp4": videos[0].read_bytes(), "left/v0.cls": b"0", "v1.mp4": videos[1].read_bytes()}
    capture = cv2.VideoCapture(str(videos[2]))
    second: dict[str, bytes] = {}
    while (read := capture.read())[0]:
        second[f"v2.{len(second)}.png"] = cv2.imencode(".png", read[1])[1].tobytes()
    write_tar(tmp_path / "packed/d-0.tar", first)
    write_tar(tmp_path / "packed/d-1.tar", second)
    return tmp_path / "packed"


def predict(predictor: ActionPredictor, inputs: list[Path], out: Path, **options: Any) -> list[dict[str, Any]]:
    *_, written = predictor.predict(PredictRequest(inputs, [out], PredictSettings(**options)))
    return [json.loads(line) for line in written.read_text().splitlines()[1:]]


def test_each_sample_is_a_record_that_of_its_video(
    predictor: ActionPredictor, videos: list[Path], shards: Path, tmp_path: Path
) -> None:
    alone = predict(predictor, videos, tmp_path / "files.jsonl")
    packed = predict(predictor, [shards], tmp_path / "packed.jsonl")
    names = ["d-0.tar: left/v0.mp4", "d-0.tar: v1.mp4", "d-1.tar: v2"]
    assert [record["video"] for record in packed] == [f"{shards}/{name}" for name in names]
    for one, other in zip(alone[:2], packed[:2], strict=True):
        assert {**one, "video": ""} == {**other, "video": ""}
    assert [record["count"] for record in packed] == [4, 5, 6]
    assert [record["error"] for record in packed] == [None] * 3


def test_shards_are_named_by_patterns_and_count_in_a_folder_of_nothing_else(
    videos: list[Path], shards: Path, tmp_path: Path
) -> None:
    every = list(map(str, find_inputs([shards])))
    assert list(map(str, find_inputs([shards / "d-0.tar", shards / "d-1.tar"]))) == every
    assert list(map(str, find_inputs([shards / "d-{0..1}.tar"]))) == every
    assert list(map(str, find_inputs([shards / "d-*.tar", shards]))) == every
    write_tar(tmp_path / "in/backup.tar", {"a.txt": b""})
    assert find_inputs([tmp_path / "in"]) == videos
    with pytest.raises(DataError, match=r"d-2\.tar: no such shard"):
        find_inputs([shards / "d-{0..2}.tar"])
    with pytest.raises(DataError, match=r"d-7\.tar: no such file or folder; expected a video, a shard"):
        find_inputs([shards / "d-7.tar"])
    twice = write_tar(tmp_path / "twice.tar", {"a.mp4": b"1", "b.mp4": b""})
    assert len(find_inputs([twice])) == 2
    with tarfile.open(twice, "a") as archive:
        archive.addfile(tarfile.TarInfo("a.mp4"))
    with pytest.raises(DataError, match=r"twice\.tar: a\.mp4: comes twice in its shard"):
        find_inputs([twice])


def test_what_cannot_be_read_is_said_in_its_record_or_ends_all(
    predictor: ActionPredictor, videos: list[Path], tmp_path: Path
) -> None:
    whole, cut = videos[0].read_bytes(), videos[1].read_bytes()
    files = {"a.mp4": b"no video", "b.json": b"{}", "c.mp4": whole, "d.cls": b"0", "e.mp4": cut}
    shard = write_tar(tmp_path / "s.tar", files)
    shard.write_bytes(shard.read_bytes()[: shard.read_bytes().rindex(b"e.mp4") + 600])  # d may have lost a file, too
    records = predict(predictor, [shard], tmp_path / "o.jsonl")
    assert [record["video"] for record in records] == [f"{shard}{name}" for name in (": a.mp4", ": b", ": c.mp4", "")]
    assert [record["count"] for record in records] == [0, 0, 4, 0]
    assert "has json; expected one video" in records[1]["error"]
    assert "s.tar" in records[3]["error"]
    with pytest.raises(DataError, match=r"a\.mp4"):
        predict(predictor, [shard], tmp_path / "p.jsonl", on_error="fail")


def test_samples_of_one_name_are_drawn_into_two_videos(
    predictor: ActionPredictor, videos: list[Path], tmp_path: Path
) -> None:
    content = videos[0].read_bytes()
    shard = write_tar(tmp_path / "s.tar", {"x/v.mp4": content, "y/v.mp4": content})
    predict(predictor, [shard], tmp_path / "o.jsonl", annotate=str(tmp_path / "drawn"))
    assert [path.name[:2] for path in (tmp_path / "drawn").iterdir()] == ["v_", "v_"]


@pytest.mark.slow
def test_several_processes_write_the_file_that_one_writes(
    predictor: ActionPredictor, shards: Path, tmp_path: Path
) -> None:
    alone, shared = tmp_path / "alone.jsonl", tmp_path / "shared.jsonl"
    predict(predictor, [shards], alone)
    predict(predictor, [shards], shared, devices=2)
    assert shared.read_bytes() == alone.read_bytes()
    assert not parts_folder(shared).exists()
