"""Kinds of models, their losses, and answers along a drive: by clip, by frame, by segment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.tasks.driving.tubs import course, write_tub

from semicoupled.errors import RunError, SettingsError
from semicoupled.explain.importance import check_streams
from semicoupled.nn.streams import STREAMS
from semicoupled.settings_file import parse_settings
from semicoupled.tasks.driving.angles import denormalize
from semicoupled.tasks.driving.answering import answer_drive
from semicoupled.tasks.driving.data import DrivingBatch, to_frames
from semicoupled.tasks.driving.formats.reading import read_drives
from semicoupled.tasks.driving.goals import angle_loss, make_goals
from semicoupled.tasks.driving.images import look_at
from semicoupled.tasks.driving.model import DrivingModel, build_network, layers_of
from semicoupled.tasks.driving.settings import DrivingSettings, ModelSettings, SubGoals, Way
from semicoupled.training.settings import GoalWeights

KINDS = ("semicoupled", "convlstm", "cnn", "cnn_lstm")


def small(kind: str = "semicoupled", **more: object) -> ModelSettings:
    return ModelSettings(kind=kind, widths=(8, 8, 8), strides=(2, 1, 2), hidden=8, **more)  # pyright: ignore[reportArgumentType]


def make(kind: str = "semicoupled", sub_goals: SubGoals | None = None, **more: object) -> DrivingModel:
    settings = small(kind, **more)
    model = DrivingModel(build_network(settings), settings, sub_goals or SubGoals())
    for head in (model.main_head, model.spatial_head, model.temporal_head):
        if head is not None:
            torch.nn.init.normal_(head.head.linear.weight)
    with torch.no_grad():  # running statistics that are not those of a fresh network
        _ = model.train()(batch_of(torch.randn(2, 3, 3, 32, 40)), streams=model.streams)
    return model.eval()


def batch_of(frames: torch.Tensor) -> DrivingBatch:
    shape = frames.shape[:2]
    return DrivingBatch(frames, torch.rand(shape), torch.ones(shape), torch.randn(*shape, 2, 8, 10))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_answers_every_frame_between_0_and_1(kind: str) -> None:
    output = make(kind)(batch_of(torch.randn(2, 4, 3, 32, 40)))
    assert output.main.shape == (2, 4, 1)
    assert 0 < float(output.main.detach().min()) < float(output.main.detach().max()) < 1


def test_a_fresh_model_drives_straight_on() -> None:
    settings = small()
    model = DrivingModel(build_network(settings), settings, SubGoals()).eval()
    output = model(batch_of(torch.randn(1, 2, 3, 32, 40)), streams=STREAMS)
    assert all(bool((answer == 0.5).all()) for answer in (output.main, output.spatial, output.temporal))


def test_the_cnn_sees_the_newest_frame_alone_and_the_others_remember() -> None:
    frames = torch.randn(1, 4, 3, 32, 40)
    other = torch.cat([torch.randn(1, 3, 3, 32, 40), frames[:, 3:]], 1)
    for kind in KINDS:
        model = make(kind)
        with torch.no_grad():
            same = torch.allclose(model(batch_of(frames)).main[:, 3], model(batch_of(other)).main[:, 3], atol=1e-6)
        assert same == (kind == "cnn"), kind


def test_what_the_streams_may_see_is_what_they_answer_from() -> None:
    model = make()
    frames = torch.randn(1, 4, 3, 32, 40)
    other = torch.cat([torch.randn(1, 3, 3, 32, 40), frames[:, 3:]], 1)
    with torch.no_grad():
        one, two = (model(batch_of(each), streams=STREAMS) for each in (frames, other))
    assert torch.allclose(one.spatial[:, 3], two.spatial[:, 3], atol=1e-6)
    assert float((one.temporal - two.temporal)[:, 3].abs().max()) > 1e-6  # above rounding


def test_losses_by_hand() -> None:
    model = make(sub_goals=SubGoals(motion=0.5))
    batch = batch_of(torch.randn(2, 3, 3, 32, 40))
    batch = batch._replace(weight=torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]))
    with torch.no_grad():
        output = model(batch, streams=STREAMS)
        losses = make_goals(SubGoals(motion=0.5))(output, batch)
        nothing = make_goals(SubGoals(temporal=("main",)))(output._replace(motion=None), batch)
    squares = [(float(output.main[b, t, 0]) - float(batch.angle[b, t])) ** 2 for b, t in ((0, 1), (0, 2), (1, 2))]
    assert float(losses.main) == pytest.approx(np.mean(squares), rel=1e-5)
    flow = torch.nn.functional.adaptive_avg_pool2d(batch.flow.flatten(0, 1), output.motion.shape[-2:])
    before = torch.cat([batch.frames[:, :1], batch.frames[:, :-1]], 1)
    difference = torch.nn.functional.adaptive_avg_pool2d(
        (batch.frames - before).flatten(0, 1), output.motion.shape[-2:]
    )
    motion = (output.motion.flatten(0, 1) - torch.cat([flow, difference], 1)).square().mean()
    assert losses.temporal is not None
    assert nothing.temporal is not None
    assert float(losses.temporal - nothing.temporal) == pytest.approx(0.5 * float(motion), rel=1e-4)


def test_where_nothing_counts_the_loss_is_0() -> None:
    batch = batch_of(torch.randn(1, 2, 3, 16, 16))._replace(weight=torch.zeros(1, 2))
    assert float(angle_loss(torch.rand(1, 2, 1), batch)) == 0


def test_sizes_have_their_layers_and_a_factor_widens_them() -> None:
    assert [len(layers_of(ModelSettings(size=size))[0]) for size in ("paper", "s", "xs", "xxs")] == [17, 9, 9, 6]
    assert layers_of(ModelSettings(size="xs", width=1.7))[0][:3] == (24, 40, 40)
    with pytest.raises(SettingsError, match=r"model\.strides: expected one for each layer of model\.widths"):
        ModelSettings(widths=(4, 4), strides=(1,))


def test_named_networks_answer() -> None:
    settings = ModelSettings(kind="resnet18")
    model = DrivingModel(build_network(settings), settings, SubGoals()).eval()
    with torch.no_grad():
        assert model(batch_of(torch.randn(1, 2, 3, 32, 48))).main.shape == (1, 2, 1)
    assert sum(parameter.numel() for parameter in model.network.parameters()) == 11_176_512  # without its classifier


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("rate", "frames"), [(20.0, 13), (10.0, 13), (7.0, 14)])
def test_a_drive_is_one_stream_however_it_is_cut(tmp_path: Path, kind: str, rate: float, frames: int) -> None:
    settings = parse_settings(DrivingSettings, [f"--data.rate={rate}", "--data.width=40", "--data.height=32"]).data
    drive = read_drives(write_tub(tmp_path / "tub", {"a": course(frames)}))[0]
    (seen,) = look_at([drive], settings)
    model = make(kind)
    whole = answer_drive(model, seen, settings, segment=100)
    for segment in (1, 3):
        cut = answer_drive(model, drive, settings, segment=segment)
        assert cut.main == pytest.approx(whole.main, abs=1e-5)
    assert np.isfinite(whole.main).all()
    step = seen.step
    for phase in range(step):  # by hand: every step-th frame, one after the other
        state, said = None, []
        for index in range(phase, frames, step):
            with torch.no_grad():
                output = model.answer(to_frames(seen.images[index : index + 1], settings)[None], state)
            state = output.state
            said.append(float(output.main[0, 0, 0]))
        assert whole.main[phase::step] == pytest.approx(denormalize(np.array(said), 1.0, "normalized"), abs=1e-5)


def test_clips_answer_from_their_own_frames_alone(tmp_path: Path) -> None:
    options = ["--data.frames=3", "--data.width=40", "--data.height=32", "--data.rate=10"]
    settings = parse_settings(DrivingSettings, options).data
    drive = read_drives(write_tub(tmp_path / "tub", {"a": course(30)}))[0]
    model = make()
    found = answer_drive(model, drive, settings, way="clips")
    assert np.isnan(found.main).tolist() == [True] * 4 + [False] * 26
    images = np.stack([np.asarray(frame) for frame in look_at([drive], settings)[0].images[[20, 22, 24]]])
    with torch.no_grad():
        output = model.answer(to_frames(images, settings)[None], streams=STREAMS)
    for name in STREAMS:
        said = denormalize(getattr(output, name)[0, -1, 0].numpy(), 1.0, "normalized")
        assert getattr(found, name)[24] == pytest.approx(said, abs=1e-5)


@pytest.mark.parametrize("way", ["stream", "clips"])
def test_a_drive_of_one_frame_is_answered_or_not_but_never_fails(tmp_path: Path, way: Way) -> None:
    settings = parse_settings(DrivingSettings, ["--data.width=40", "--data.height=32"]).data
    drive = read_drives(write_tub(tmp_path / "tub", {"a": course(1)}))[0]
    found = answer_drive(make(), drive, settings, way=way)
    assert np.isnan(found.main).tolist() == [way == "clips"]


def test_streams_that_do_not_answer_are_none(tmp_path: Path) -> None:
    settings = parse_settings(DrivingSettings, ["--data.width=40", "--data.height=32"]).data
    drive = read_drives(write_tub(tmp_path / "tub", {"a": course(8)}))[0]
    found = answer_drive(make(sub_goals=SubGoals(temporal=("flow",))), drive, settings)
    assert found.spatial is not None
    assert found.temporal is None
    found = answer_drive(make("cnn"), drive, settings)
    assert found.spatial is None
    assert found.truth == pytest.approx(course(8))


def test_a_stream_whose_goal_weighs_nothing_answers_nothing(tmp_path: Path) -> None:
    settings = parse_settings(DrivingSettings, ["--data.width=40", "--data.height=32"]).data
    drive = read_drives(write_tub(tmp_path / "tub", {"a": course(8)}))[0]
    about = small()
    model = DrivingModel(build_network(about), about, SubGoals(), GoalWeights(spatial=0.0)).eval()
    assert model.streams == ("main", "temporal")
    found = answer_drive(model, drive, settings)
    assert (found.spatial, found.temporal is None) == (None, False)
    with pytest.raises(RunError, match="the spatial stream of this run learned another one, or none"):
        check_streams(model(batch_of(torch.randn(1, 2, 3, 32, 40)), streams=STREAMS))
