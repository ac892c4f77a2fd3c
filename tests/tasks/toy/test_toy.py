"""The toys' samples, losses and scores."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from semicoupled.data.shapes import SEEN, SHAPES, UNSEEN
from semicoupled.errors import DataError, SettingsError
from semicoupled.find_task import find_task
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.toy.data import ToyBatch, ToyData
from semicoupled.tasks.toy.draw import sections
from semicoupled.tasks.toy.evaluation import ask, collate, rows_of_tests
from semicoupled.tasks.toy.goals import clip_scores, make_goals
from semicoupled.tasks.toy.metrics import Share, clip_accuracy, distance_accuracy, none_accuracy
from semicoupled.tasks.toy.model import ToyModel, build_network
from semicoupled.tasks.toy.predictor import ToyPredictor
from semicoupled.tasks.toy.settings import DataSettings, ModelSettings, SubGoals, ToySettings
from semicoupled.training.motion_goal import motion_loss
from semicoupled.training.sampling import SampleKey
from semicoupled.training.settings import GoalWeights, SegmentSettings, SwitchSettings

SMALL = ModelSettings(widths=(4, 4), strides=(2, 2))


def model_for(settings: ToySettings) -> ToyModel:
    model = find_task("toy").build(settings, {})
    assert isinstance(model, ToyModel)
    return model.eval()


def test_training_never_repeats_and_never_meets_a_test() -> None:
    settings = DataSettings()
    train = ToyData(settings, "train", seed=0)
    clips = {train[SampleKey(0, draw)].frames.numpy().tobytes() for draw in range(20)}
    assert len(clips) == 20
    for other in (
        ToyData(settings, "train", seed=1),
        ToyData(settings, "validation"),
        ToyData(settings, "seen"),
    ):
        assert not clips & {other[SampleKey(index, -1)].frames.numpy().tobytes() for index in range(20)}


def test_each_test_holds_what_it_says() -> None:
    way, shape = DataSettings(question="which_way"), DataSettings(question="which_shape")
    unseen = collate(ToyData(way, "unseen_shapes"), range(30))
    assert {SHAPES[int(value)] for value in unseen.shape[:, 0]} == set(UNSEEN)
    seen, shuffled = (collate(ToyData(shape, name), range(30)) for name in ("seen", "shuffled_frames"))
    assert {SHAPES[int(value)] for value in seen.answer[:, 0]} == set(SEEN)
    assert torch.equal(seen.answer, shuffled.answer)
    assert not torch.equal(seen.frames, shuffled.frames)
    assert torch.allclose(seen.frames.sum((1, 2, 3, 4)), shuffled.frames.sum((1, 2, 3, 4)), atol=1e-2)
    with pytest.raises(SettingsError, match="no split 'unseen_shapes'"):
        ToyData(shape, "unseen_shapes")


def test_the_star_has_a_class_for_not_yet() -> None:
    settings = DataSettings(question="star")
    batch = collate(ToyData(settings, "seen"), range(20))
    assert settings.classes == 61
    for answer, shape in zip(batch.answer, batch.shape, strict=True):
        stars = torch.nonzero(shape).flatten().tolist()
        at = stars[0] if stars else 60
        assert answer.tolist() == [60] * at + list(range(60 - at))


def test_the_clip_is_the_average_of_its_frames() -> None:
    scores = torch.randn(3, 5, 4)
    assert torch.allclose(clip_scores(scores).exp(), scores.softmax(-1).mean(1))


def test_losses_by_hand() -> None:
    """Every stream learns what its goals say; several goals are averaged."""
    settings = ToySettings(
        model=SMALL,
        sub_goals=SubGoals(spatial=("main", "shape"), temporal=("main", "flow", "difference")),
    )
    batch = collate(ToyData(settings.data, "validation", with_flow=True), range(3))
    with torch.no_grad():
        output = model_for(settings)(batch, streams=("main", "spatial", "temporal"))
    losses = make_goals("which_way", settings.sub_goals)(output, batch)
    rows = range(3)
    main = -output.main.mean(1).log_softmax(-1)[rows, batch.answer[:, 0]].mean()
    spatial = -output.spatial.mean(1).log_softmax(-1)[rows, batch.answer[:, 0]].mean()
    shape = -output.shape.log_softmax(-1).gather(-1, batch.shape[..., None]).mean()
    temporal = -output.temporal.mean(1).log_softmax(-1)[rows, batch.answer[:, 0]].mean()
    assert losses.main == pytest.approx(float(main), rel=1e-5)
    assert losses.spatial == pytest.approx(float((spatial + shape) / 2), rel=1e-5)
    motion = motion_loss(output.motion, batch.frames, batch.flow, settings.sub_goals.temporal)
    assert losses.temporal == pytest.approx(float((temporal + motion) / 2), rel=1e-5)
    assert torch.allclose(losses.comparable, output.main.softmax(-1))


def test_the_motion_that_is_learned_is_the_right_one() -> None:
    settings = SubGoals(temporal=("flow", "difference"))
    batch = collate(ToyData(DataSettings(noise=0.0), "validation", with_flow=True), range(2))
    difference = torch.zeros_like(batch.frames)
    difference[:, 1:] = batch.frames[:, 1:] - batch.frames[:, :-1]
    right = torch.cat([batch.flow, difference], 2)
    assert float(motion_loss(right, batch.frames, batch.flow, settings.temporal)) == 0
    pooled = torch.nn.functional.avg_pool2d(right.flatten(0, 1), 4).unflatten(0, (2, 8))
    assert float(motion_loss(pooled, batch.frames, batch.flow, settings.temporal)) == pytest.approx(0, abs=1e-12)
    assert float(motion_loss(-pooled, batch.frames, batch.flow, settings.temporal)) > 0


def test_shares_and_their_intervals() -> None:
    assert Share(8, 10).value == 0.8
    assert Share(8, 10).interval == pytest.approx((0.4902, 0.9433), abs=1e-4)  # Wilson's, from a table
    assert Share(0, 0).interval is None
    assert math.isnan(Share(0, 0).value)


def test_accuracy_counts_clips() -> None:
    scores = torch.tensor([[[9.0, 0, 0], [1, 0, 0]], [[0, 0, 9], [0, 9.0, 0]]])
    assert clip_accuracy(scores, torch.tensor([[0, 0], [0, 0]])) == Share(1, 2)


def test_distances_are_right_within_a_frame() -> None:
    none = 5
    answer = torch.tensor([[none, 0, 1, 2, 3, 4]])
    said = torch.tensor([[none, 1, 1, none, 1, 3]])
    scores = torch.nn.functional.one_hot(said, 6).float()
    assert distance_accuracy(scores, answer, 0, 1) == Share(2, 2)
    assert distance_accuracy(scores, answer, 2, 2) == Share(0, 1)  # "not yet" is next to no distance
    assert distance_accuracy(scores, answer, 3, 3) == Share(0, 1)  # two off
    assert distance_accuracy(scores, answer, 4, 4) == Share(1, 1)
    assert none_accuracy(scores, answer) == Share(1, 1)


@pytest.mark.parametrize("kind", ["semicoupled", "convlstm", "convgru", "cbm", "cnn_lstm"])
def test_streamed_and_segmented_answers_equal_the_whole(kind: str) -> None:
    """With the state carried to the start of the next segment, all three ways are the same forward pass."""
    data = DataSettings(question="star", frames=14, test=3)
    settings = ToySettings(
        data=data,
        model=ModelSettings(kind=kind, widths=(4, 4), strides=(2, 2)),
        goals=GoalWeights(spatial=0, temporal=0),
        segments=SegmentSettings(length=4),
    )
    model = model_for(settings)
    whole, streamed, segmented = (
        ask(model, ToyData(data, "seen"), way=way, segments=settings.segments).scores
        for way in ("whole", "streamed", "segmented")
    )
    assert torch.allclose(streamed, whole, atol=1e-5)
    assert torch.allclose(segmented, whole, atol=1e-5)
    forgetful = ask(model, ToyData(data, "seen"), way="segmented", segments=SegmentSettings(length=4, carry="none"))
    assert torch.allclose(forgetful.scores[:, :4], whole[:, :4], atol=1e-5)
    assert not torch.allclose(forgetful.scores, whole, atol=1e-4)


def test_strided_answers_hold_until_the_next_one() -> None:
    data = DataSettings(question="star", frames=9, test=2)
    settings = ToySettings(data=data, model=SMALL)
    model = model_for(settings)
    segments = SegmentSettings(length=3, method="strided")
    found = ask(model, ToyData(data, "seen"), way="segmented", segments=segments)
    every_third = model(ToyBatch(*(tensor[:, ::3] for tensor in found.batch))).main
    assert torch.allclose(found.scores, every_third.repeat_interleave(3, dim=1), atol=1e-5)


def test_rows_are_as_promised() -> None:
    settings = ToySettings(seed=3, data=DataSettings(question="which_shape", test=8), model=SMALL)
    rows = rows_of_tests(settings, model_for(settings))
    assert [(row.model, row.metric) for row in rows] == [("semicoupled", "accuracy")] * 2
    assert [dict(row.condition) for row in rows] == [
        {"question": "which_shape", "test": "seen", "seed": 3},
        {"question": "which_shape", "test": "shuffled_frames", "seed": 3},
    ]
    assert all(row.count == 8 for row in rows)


@pytest.mark.parametrize("kind", ["semicoupled", "convlstm", "convgru", "cbm", "cnn_lstm"])
def test_all_kinds_have_the_same_depth_and_widths(kind: str) -> None:
    network = build_network(ModelSettings(kind=kind))
    assert network.depth == 8
    assert network.out_channels == (64 if kind == "cnn_lstm" else 32)


def test_answers_for_files(tmp_path: Path) -> None:
    settings = ToySettings(model=SMALL)
    clip = ToyData(settings.data, "seen")[0]
    np.save(tmp_path / "clip.npy", clip.frames[:, 0].numpy())
    model = model_for(settings)
    (out,) = ToyPredictor(settings.data, model).predict(PredictRequest([tmp_path], [tmp_path / "answers.json"]))
    (answer,) = json.loads(out.read_text()).values()
    assert answer["answer"] in ("E", "NE", "N", "NW", "W", "SW", "S", "SE")
    chance = clip_scores(model(ToyBatch(*(tensor[None] for tensor in clip))).main).exp().max()
    assert answer["probability"] == pytest.approx(float(chance.detach()), abs=1e-3)
    assert len(answer["frames"]) == 8


@pytest.mark.parametrize(
    ("content", "message"),
    [(np.zeros((3, 4)), r"shape \(3, 4\)"), (np.full((2, 3, 4), np.nan), "no numbers"), (b"not an array", "cannot be")],
)
def test_files_that_are_no_clips(tmp_path: Path, content: np.ndarray | bytes, message: str) -> None:
    file = tmp_path / "clip.npy"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        np.save(file, content)
    settings = ToySettings(model=SMALL)
    with pytest.raises(DataError, match=message):
        ToyPredictor(settings.data, model_for(settings)).predict(PredictRequest([file], [tmp_path / "answers.json"]))
    assert not (tmp_path / "answers.json").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": ModelSettings(kind="convlstm")}, "main stream alone"),
        (
            {
                "model": ModelSettings(kind="cnn_lstm"),
                "goals": GoalWeights(spatial=0, temporal=0),
                "switches": SwitchSettings(method="stsgd"),
            },
            "no branches to decouple",
        ),
        ({"data": DataSettings(question="star"), "sub_goals": SubGoals(temporal=("flow",))}, "nothing moves"),
        ({"goals": GoalWeights(spatial=0), "switches": SwitchSettings(method="astsgd")}, "spatial loss"),
    ],
)
def test_settings_that_contradict(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        ToySettings(**wrong)


def test_layers_must_agree() -> None:
    with pytest.raises(SettingsError, match=r"each of the 2 layers .* got 1"):
        ModelSettings(widths=(4, 4), strides=(1,))
    with pytest.raises(SettingsError, match="no temporal branch"):
        ModelSettings(kind="convlstm", cell="gru")
    with pytest.raises(SettingsError, match="each once"):
        SubGoals(spatial=())


class Elsewhere(torch.nn.Module):
    """A model on another device than the samples are made on."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.place = torch.nn.Parameter(torch.empty(1, device="meta"))
        self.classes = classes

    def forward(self, batch: ToyBatch, state: object = None, **_: object) -> Any:
        assert batch.frames.device == self.place.device
        return SimpleNamespace(main=torch.zeros(*batch.frames.shape[:2], self.classes), state=state)


@pytest.mark.parametrize("question", ["which_way", "star"])
def test_the_report_asks_a_model_where_it_lies(question: Any):
    data = DataSettings(question, test=4)
    assert sections(ToySettings(data=data), Elsewhere(data.classes))  # type: ignore[arg-type]
