"""Networks of all kinds: equal sizes of maps, streaming, masks, losses."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from semicoupled.errors import MissingExtraError, RunError, SettingsError, ShapeError
from semicoupled.networks.backbone_stack import BackboneStack
from semicoupled.networks.from_torchvision import read_state, take_weights
from semicoupled.networks.residual_trunk import ResidualTrunk
from semicoupled.nn import SemiCoupledStack
from semicoupled.nn.streams import STREAMS
from semicoupled.tasks.action.answering import answered_streams
from semicoupled.tasks.action.architecture import architecture, build_network
from semicoupled.tasks.action.data import ActionBatch, pieces
from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.tasks.action.goals import answer_loss, make_goals, video_logs
from semicoupled.tasks.action.model import ActionModel, build_model
from semicoupled.tasks.action.settings import (
    AT_ONCE,
    NAMED,
    ActionSettings,
    Kind,
    LossSettings,
    ModelSettings,
    SubGoals,
)
from semicoupled.training.settings import GoalWeights, SegmentSettings, SwitchSettings

CLASSES = 4
NO_GOALS = GoalWeights(spatial=0, temporal=0)


def settings_for(kind: Kind, **changes: Any) -> ActionSettings:
    model = ModelSettings(kind=kind, widths=(6, 6, 8, 8), strides=(2, 1, 2, 1), **changes)
    goals = GoalWeights() if kind == "semicoupled" else NO_GOALS
    color = "rgb_flow" if kind == "two_stream_3d" else "rgb"
    return ActionSettings(data=DataSettings(height=24, width=32, color=color), model=model, goals=goals)


def batch_of(frames: Tensor, valid: Tensor | None = None) -> ActionBatch:
    count, steps = frames.shape[:2]
    label = torch.arange(count)[:, None].expand(count, steps) % CLASSES
    return ActionBatch(
        frames, label, torch.ones(count, steps) if valid is None else valid, torch.empty(count, steps, 0)
    )


def ready(settings: ActionSettings) -> ActionModel:
    torch.manual_seed(0)
    model = build_model(settings, CLASSES)
    for module in model.modules():  # statistics that are not those of the beginning
        if hasattr(module, "running_mean") and isinstance(module.running_mean, Tensor):
            nn.init.normal_(module.running_mean, std=0.1)
    return model.eval()


KINDS: list[Kind] = [kind for kind in get_args(Kind) if kind not in NAMED]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_learns(kind: Kind) -> None:
    settings = settings_for(kind)
    model = build_model(settings, CLASSES)
    batch = batch_of(torch.randn(3, 5, settings.data.channels, 24, 32))
    streams = ("main", "spatial", "temporal") if kind == "semicoupled" else ("main",)
    output = model(batch, streams=streams)
    assert output.main.shape == (3, 5, CLASSES)
    losses = make_goals(settings.loss, settings.sub_goals)(output, batch)
    (losses.main + (losses.spatial or 0) + (losses.temporal or 0)).backward()
    assert all(parameter.grad is not None for parameter in model.parameters() if parameter.requires_grad)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in AT_ONCE])
def test_a_clip_and_its_frames_one_by_one_give_the_same(kind: Kind) -> None:
    model = ready(settings_for(kind, grid=(2, 3)))
    batch = batch_of(torch.randn(2, 7, 3, 24, 32))
    with torch.no_grad():
        whole, state, parts = model(batch), None, []
        for frame in range(7):
            output = model(pieces(batch, slice(frame, frame + 1)), state)
            state = output.state
            parts.append(output.main)
    assert torch.allclose(torch.cat(parts, 1), whole.main, atol=1e-5)
    assert float(whole.main.std()) > 1e-3


@pytest.mark.parametrize("kind", ["semicoupled", "cnn", "cnn_lstm", "convlstm"])
@pytest.mark.parametrize("size", ["xs", "s"])
def test_sizes_have_maps_of_equal_sizes(kind: Kind, size: Any) -> None:
    plan = architecture(ModelSettings(size=size))
    network: Any = build_network(ModelSettings(kind=kind, size=size), 3)
    assert network.depth == len(plan.widths) == 9
    if kind not in ("cnn", "cnn_lstm"):
        assert network.output_size((112, 112)) == (4, 4)
    assert architecture(ModelSettings(size="table1")).widths[-1] == 512
    assert len(architecture(ModelSettings(size="table1")).widths) == 17


def test_what_follows_a_video_changes_nothing() -> None:
    scores = torch.randn(2, 6, CLASSES, dtype=torch.float64).float()
    valid = torch.tensor([[1.0, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1]])
    batch = batch_of(torch.zeros(2, 6, 3, 4, 4), valid)
    other = scores.clone()
    other[0, 3:] = 100 * torch.randn(3, CLASSES)
    for average in ("probabilities", "scores", "frames"):
        how = LossSettings(average=average, smoothing=0.1)
        assert torch.allclose(answer_loss(scores, batch, how), answer_loss(other, batch, how))


def test_the_loss_by_hand() -> None:
    scores = torch.randn(2, 3, CLASSES)
    batch = batch_of(torch.zeros(2, 3, 3, 4, 4))
    mean = scores.softmax(-1).mean(1)
    right = -(mean[0, 0].log() + mean[1, 1].log()) / 2
    assert answer_loss(scores, batch, LossSettings()) == pytest.approx(float(right), rel=1e-5)
    assert torch.allclose(video_logs(scores, batch.valid).exp(), mean, atol=1e-6)
    smooth = answer_loss(scores, batch, LossSettings(smoothing=0.2))
    assert smooth == pytest.approx(float(0.8 * right - 0.2 * mean.log().mean()), rel=1e-5)
    frames = answer_loss(scores, batch, LossSettings(average="frames"))
    logs = scores.log_softmax(-1)
    assert frames == pytest.approx(float(-(logs[0, :, 0].mean() + logs[1, :, 1].mean()) / 2), rel=1e-5)


def test_a_segment_behind_the_end_costs_nothing() -> None:
    scores = torch.randn(2, 2, CLASSES, requires_grad=True)
    batch = batch_of(torch.zeros(2, 2, 3, 4, 4), torch.tensor([[0.0, 0], [1, 1]]))
    loss = answer_loss(scores, batch, LossSettings())
    loss.backward()
    assert scores.grad is not None
    assert not scores.grad[0].any()
    assert scores.grad[1].any()
    nobody = answer_loss(scores.detach(), batch._replace(valid=torch.zeros(2, 2)), LossSettings())
    assert float(nobody) == 0


def test_the_temporal_stream_may_learn_motion_and_the_class() -> None:
    settings = replace(settings_for("semicoupled"), sub_goals=SubGoals(("main", "flow", "difference")))
    model = build_model(settings, CLASSES)
    batch = batch_of(torch.randn(2, 4, 3, 24, 32))._replace(flow=torch.randn(2, 4, 2, 24, 32))
    output = model(batch, streams=("main", "spatial", "temporal"))
    assert output.motion is not None
    assert output.motion.shape[2] == 5
    losses = make_goals(settings.loss, settings.sub_goals)(output, batch)
    assert losses.temporal is not None
    losses.temporal.backward()
    network: Any = model.network
    for parameter in network.spatial_parameters():  # dr_t / dPsi_s = 0
        assert parameter.grad is None or not parameter.grad.any()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.recurrent_parameters())


def test_streams_that_learn_nothing_say_nothing() -> None:
    settings = replace(settings_for("semicoupled"), goals=NO_GOALS)
    assert answered_streams(build_model(settings, CLASSES)) == ("main",)  # pyright: ignore[reportArgumentType]
    assert answered_streams(build_model(settings_for("semicoupled"), CLASSES)) == STREAMS  # pyright: ignore[reportArgumentType]


def test_a_backbone_feeds_the_stack_and_streams() -> None:
    trunk = ResidualTrunk(3, (4, 6), kernel_size=(3, 3), strides=(2, 2))
    network = BackboneStack(trunk, SemiCoupledStack(6, (8, 8), norm="group")).eval()
    frames = torch.randn(2, 4, 3, 16, 24)
    with torch.no_grad():
        whole = network(frames, streams=("main", "spatial"))
        state, parts = network.initial_state(2, (16, 24)), []
        for frame in frames.unbind(1):
            features, state = network.step(frame, state)
            parts.append(features)
    assert whole.main.shape == (2, 4, 8, 4, 6)
    assert whole.spatial is not None
    assert torch.allclose(torch.stack(parts, 1), whole.main, atol=1e-5)
    with pytest.raises(ShapeError, match="gives 6 channels, and the stack expects 5"):
        BackboneStack(trunk, SemiCoupledStack(5, (8,)))
    with pytest.raises(ShapeError, match="expected B T C H W with C = 3"):
        network(frames[:, :, :2])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": ModelSettings(kind="cnn")}, r"goals: model\.kind cnn has the main stream alone"),
        (
            {"model": ModelSettings(kind="cnn"), "goals": NO_GOALS, "switches": SwitchSettings(method="stsgd")},
            "has no branches to decouple",
        ),
        (
            {"model": ModelSettings(kind="r2plus1d"), "goals": NO_GOALS, "segments": SegmentSettings(length=4)},
            "sees a clip at once",
        ),
    ],
)
def test_settings_that_do_not_go_together(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        ActionSettings(**changes)


def test_ranges_are_checked() -> None:
    with pytest.raises(SettingsError, match=r"model\.widths and model\.strides: expected both"):
        ModelSettings(widths=(4, 4), strides=(1,))
    with pytest.raises(SettingsError, match=r"data\.short_side: 100 px are smaller than the crop of 112 x 112"):
        DataSettings(short_side=100)
    with pytest.raises(SettingsError, match="expected one or more goals, each once"):
        SubGoals(("main", "main"))
    with pytest.raises(SettingsError, match="expected frames of 3 channels, got 1"):
        build_network(ModelSettings(size="backbone"), 1)


@pytest.mark.parametrize("kind", NAMED)
def test_what_torchvision_has_is_built_or_the_error_says_what_to_install(kind: Any) -> None:
    settings = ModelSettings(kind=kind)
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError):
        with pytest.raises(MissingExtraError, match=r"torchvision, which cannot be imported.*pip install torchvision"):
            build_network(settings, 3)
        return
    network = build_network(settings, 3).eval()
    with torch.no_grad():
        assert network(torch.randn(1, 16, 3, 64, 64)).main.shape[:2] == (1, 16)


def test_weights_of_a_file_fit_or_are_refused(tmp_path: Path) -> None:
    one, other = nn.Sequential(nn.Conv2d(3, 4, 3)), nn.Sequential(nn.Conv2d(3, 4, 3))
    torch.save(one.state_dict(), tmp_path / "w.pth")
    take_weights(other, read_state(tmp_path / "w.pth"), "w.pth")
    assert torch.equal(next(one.parameters()), next(other.parameters()))
    with pytest.raises(
        RunError, match=r"w\.pth: 0\.weight: expected weights of the shape \(5, 3, 3, 3\), got \(4, 3, 3, 3\)"
    ):
        take_weights(nn.Sequential(nn.Conv2d(3, 5, 3)), read_state(tmp_path / "w.pth"), "w.pth")
    (tmp_path / "x.pth").write_bytes(b"no weights")
    with pytest.raises(RunError, match=r"x\.pth: cannot be read"):
        read_state(tmp_path / "x.pth")
