"""Frames as they come, answered as a file is."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from semicoupled.data.live import Source
from semicoupled.data.video import VideoFrame, check_video
from semicoupled.errors import DataError, SettingsError
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.tasks.action.model import build_model
from semicoupled.tasks.action.operating.live import COLUMNS, LiveSession, answer_live
from semicoupled.tasks.action.operating.predictor import ActionPredictor
from semicoupled.tasks.action.operating.video_answer import answer_frames
from semicoupled.tasks.action.settings import ActionSettings, ModelSettings, PredictSettings
from semicoupled.training.progress import NoProgress

CLASSES = ["left", "right"]
SETTINGS = ActionSettings(
    data=DataSettings(height=24, width=32, frames=6), model=ModelSettings(widths=(6, 8), strides=(2, 2))
)


@pytest.fixture
def model() -> Any:
    torch.manual_seed(0)
    return build_model(SETTINGS, 2).eval()


def source(images: np.ndarray, fail: bool = False) -> Source:
    def frames() -> Iterator[VideoFrame]:
        for number, image in enumerate(images):
            yield VideoFrame(number / 10, image)
        if fail:
            raise DataError("the cable was pulled")

    return Source("a test", frames(), lambda: None, live=False)


def lines(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_live_is_as_from_a_file(model: Any, samples: ModuleType, tmp_path: Path) -> None:
    images = samples.square(9)
    outs = [tmp_path / "a.csv", tmp_path / "a.mp4"]
    session, options = LiveSession(model, SETTINGS, 3), PredictSettings(stdin="48x32", window=3)
    done = answer_live(source(images), session, CLASSES, outs, options, NoProgress(), lambda: False)
    assert (done.frames, done.dropped) == (9, 0)
    found = lines(outs[0])
    assert tuple(found[0]) == COLUMNS
    frames = [VideoFrame(number / 10, image) for number, image in enumerate(images)]
    said = np.stack([answer.main for answer in answer_frames(model, frames, SETTINGS, 4)])
    for number, line in enumerate(found):
        assert float(line["probability_now"]) == pytest.approx(float(said[number].max()), abs=1e-4)
        lately = said[max(0, number - 2) : number + 1].mean(0)
        assert line["answer"] == CLASSES[int(lately.argmax())]
        assert float(line["probability"]) == pytest.approx(float(lately.max()), abs=1e-4)
    assert check_video(outs[1]).frames == 9


def test_what_was_said_before_it_failed_is_kept(model: Any, samples: ModuleType, tmp_path: Path) -> None:
    session = LiveSession(model, SETTINGS, 3)
    with pytest.raises(DataError, match="the cable was pulled"):
        answer_live(
            source(samples.square(4), fail=True),
            session,
            CLASSES,
            [tmp_path / "a.csv"],
            PredictSettings(stdin="48x32"),
            NoProgress(),
            lambda: False,
        )
    assert len(lines(tmp_path / "a.csv")) == 4


def test_raw_frames_through_a_pipe(
    model: Any, samples: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = SimpleNamespace(buffer=io.BytesIO(samples.square(5).tobytes()))
    monkeypatch.setattr(sys, "stdin", pipe)
    request = PredictRequest([], [tmp_path / "a.csv"], PredictSettings(stdin="48x32", frames=3))
    assert list(ActionPredictor(SETTINGS, CLASSES, model).predict(request)) == [tmp_path / "a.csv"]
    assert len(lines(tmp_path / "a.csv")) == 3


def test_what_does_not_go_together_is_refused(model: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="expected one of them"):
        PredictSettings(camera="0", stdin="mjpeg")
    with pytest.raises(SettingsError, match="of use with --camera or --stdin alone"):
        PredictSettings(frames=3)
    predictor = ActionPredictor(SETTINGS, CLASSES, model)
    with pytest.raises(SettingsError, match="of live frames expected a file that ends with"):
        list(predictor.predict(PredictRequest([], [tmp_path / "a.jsonl"], PredictSettings(stdin="mjpeg"))))
    with pytest.raises(SettingsError, match="no inputs are read"):
        list(predictor.predict(PredictRequest([tmp_path], [tmp_path / "a.csv"], PredictSettings(stdin="mjpeg"))))
