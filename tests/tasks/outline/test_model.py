"""The network: parameter counts to the unit, one point at a time, three streams, losses."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from outline_samples import make_root, small_settings
from torch.utils.data import default_collate

from semicoupled.errors import SettingsError
from semicoupled.tasks.outline import task
from semicoupled.tasks.outline.data import OutlineBatch
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.goals import make_goals, point_loss, spread_targets
from semicoupled.tasks.outline.model import OutlineModel, build_model
from semicoupled.tasks.outline.network.decoders import build_decoder
from semicoupled.tasks.outline.network.fields import Fields
from semicoupled.tasks.outline.network.heads import LinearHead
from semicoupled.tasks.outline.network.look import start_backbone
from semicoupled.tasks.outline.settings import LossSettings, ModelSettings, OutlineSettings
from semicoupled.training.ltsc import Segment
from semicoupled.training.sampling import SampleKey
from semicoupled.training.settings import GoalWeights, SwitchSettings

COUNTS = {
    "semicoupled": {2: 197_712, 5: 1_127_952, 10: 2_677_264, 15: 5_846_480},
    "cbm": {2: 197_712, 5: 1_127_952, 10: 2_677_264, 15: 5_846_480},
    "convlstm": {2: 470_304, 5: 2_939_040, 10: 7_069_856, 15: 15_712_288},
    "convgru": {5: 2_204_280, 15: 11_784_216},
}


@pytest.mark.parametrize(("kind", "layers", "count"), [(k, n, c) for k, own in COUNTS.items() for n, c in own.items()])
def test_the_decoders_have_the_parameters_of_table_4(kind: str, layers: int, count: int) -> None:
    decoder = build_decoder(ModelSettings(kind=kind, layers=layers))  # pyright: ignore[reportArgumentType]
    assert sum(parameter.numel() for parameter in decoder.parameters()) == count


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> OutlineBatch:
    settings = small_settings(make_root(tmp_path_factory.mktemp("model")))
    data = task.splits(settings).validation
    return default_collate([data[0], data[1], data[2]])


def _model(**model: object) -> OutlineModel:
    settings = small_settings(None, **model)
    return build_model(settings.model, settings.data.grid).eval()


@pytest.mark.parametrize("kind", ["semicoupled", "cbm", "convlstm", "convgru"])
@pytest.mark.parametrize("head", ["linear", "cells"])
def test_one_point_at_a_time_scores_what_the_whole_outline_does(batch: OutlineBatch, kind: str, head: str) -> None:
    model = _model(kind=kind, head=head, positions="fields")
    with torch.no_grad():
        whole = model(batch).main
        features, state = model.encode(batch.image.float() / 255), None
        used = int((batch.weight.amax(0) > 0).sum())
        assert 3 <= used < batch.frames.shape[1]
        for step in range(used):
            scores, state = model.step(features, batch.frames[:, step], state)
            torch.testing.assert_close(scores, whole[:, step], rtol=1e-5, atol=1e-5)
    assert not whole[:, used:].any()
    assert whole.shape == (3, 12, 16 * 16 + 1)


def test_segments_with_the_state_carried_are_the_whole_outline(batch: OutlineBatch) -> None:
    model = _model()
    with torch.no_grad():
        whole = model(batch).main
        first = model(task.cut(batch, Segment(0, 3)), state_at=2)
        second = model(task.cut(batch, Segment(2, 12)), first.state_at)
    torch.testing.assert_close(first.main, whole[:, :3], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(second.main, whole[:, 2:], rtol=1e-5, atol=1e-5)


def test_a_segment_behind_all_ends_costs_a_step_and_no_loss(batch: OutlineBatch) -> None:
    model = _model()
    behind = task.cut(batch._replace(weight=torch.zeros_like(batch.weight)), Segment(9, 12))
    losses = make_goals(LossSettings(maps=0.0), 16)(model(behind), behind)
    assert losses.main.item() == 0
    losses.main.backward()


def test_the_loss_of_a_model_that_knows_nothing_is_the_logarithm_of_the_classes(batch: OutlineBatch) -> None:
    scores = torch.zeros(3, 12, 257)
    for spread in (0.0, 0.5):
        assert float(point_loss(scores, batch.target, batch.weight, spread, 16)) == pytest.approx(
            math.log(257), rel=1e-5
        )
    right = torch.nn.functional.one_hot(batch.target, 257).float() * 100
    assert float(point_loss(right, batch.target, batch.weight, 0.0, 16)) == pytest.approx(0, abs=1e-5)
    wrong_behind = torch.where(batch.weight[..., None] > 0, right, -right)
    assert float(point_loss(wrong_behind, batch.target, batch.weight, 0.0, 16)) == pytest.approx(0, abs=1e-5)


def test_a_right_point_is_spread_over_its_neighbors_and_closed_is_not() -> None:
    index, share = spread_targets(16, 0.5)
    torch.testing.assert_close(share.sum(1), torch.ones(257))
    assert index[256][share[256] > 0].tolist() == [256]
    middle = dict(zip(index[8 * 16 + 8].tolist(), share[8 * 16 + 8].tolist(), strict=True))
    assert middle[8 * 16 + 8] > 0.5 > middle[8 * 16 + 9] > middle[9 * 16 + 9] > 0
    assert middle[8 * 16 + 9] == pytest.approx(middle[7 * 16 + 8])
    corner = {int(i) for i, s in zip(index[0], share[0], strict=True) if s > 0}
    assert corner == {row * 16 + column for row in range(3) for column in range(3)}


def test_goals_of_one_branch_never_reach_the_other(batch: OutlineBatch) -> None:
    model = _model().train()
    output = model(batch, streams=("main", "spatial", "temporal"))
    losses = make_goals(LossSettings(), 16)(output, batch)
    assert losses.spatial is not None
    assert losses.temporal is not None
    for loss, others in (
        (losses.spatial, model.network.temporal_parameters()),
        (losses.temporal, model.network.spatial_parameters()),
    ):
        model.zero_grad()
        loss.backward(retain_graph=True)
        assert all(parameter.grad is None or not parameter.grad.any() for parameter in others)


def test_fields_fall_off_with_the_distance() -> None:
    maps = torch.zeros(1, 3, 16, 16)
    maps[0, 0, 4, 7] = 1
    field = Fields(16, reach=5.0)(maps)
    assert float(field[0, 0, 4, 7]) == 1
    assert float(field[0, 0, 4, 12]) == pytest.approx(math.exp(-1))
    assert not field[0, 1:].any()


def test_a_frozen_backbone_stays_as_it_is(batch: OutlineBatch, tmp_path: Path) -> None:
    from semicoupled.networks.backbones import VGG16BN

    weights = {f"features.{name}": value for name, value in VGG16BN().features.state_dict().items()}
    torch.save(weights, tmp_path / "vgg.pth")
    settings = ModelSettings(
        backbone="vgg16_bn", pretrained=str(tmp_path / "vgg.pth"), freeze=True, features=4, widths=(4,)
    )
    model = OutlineModel(settings, 16).train()
    start_backbone(model.backbone, settings.pretrained)
    assert torch.equal(model.backbone.state_dict()["features.0.weight"], weights["features.0.weight"])
    before = {name: value.clone() for name, value in model.backbone.state_dict().items()}
    model(batch._replace(image=batch.image[:1], frames=batch.frames[:1], weight=batch.weight[:1])).main.sum().backward()
    assert all(parameter.grad is None for parameter in model.backbone.parameters())
    assert all(torch.equal(before[name], value) for name, value in model.backbone.state_dict().items())


def test_a_frozen_backbone_sees_a_crop_that_comes_again_once(
    outline_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from semicoupled.tasks.outline.data import OutlineData
    from semicoupled.tasks.outline.formats.listing import read_parts

    data = DataSettings(root=str(outline_root), size=64, grid=16, points=12, views=2)
    samples = OutlineData(read_parts(data).train, data, training=True)
    drawn = [samples[SampleKey(0, draw)] for draw in range(6)]
    assert all(torch.equal(drawn[draw].image, drawn[draw % 2].image) for draw in range(6))
    assert not torch.equal(drawn[0].image, drawn[1].image)
    assert any(not torch.equal(drawn[0].frames, drawn[draw].frames) for draw in (2, 4))
    settings = ModelSettings(
        backbone="efficientnet_lite0", pretrained="begun.pth", freeze=True, features=4, widths=(4,)
    )
    plain = OutlineModel(settings, 16).eval()
    kept = OutlineModel(dataclasses.replace(settings, cache_gigabytes=0.5), 16).eval()
    kept.load_state_dict(plain.state_dict())
    seen: list[int] = []
    look = kept.backbone.forward
    monkeypatch.setattr(kept.backbone, "forward", lambda image: (seen.append(len(image)), look(image))[1])
    images = torch.stack([one.image for one in drawn]).float() / 255
    for part in (images[:2], images[2:], images):
        torch.testing.assert_close(kept.encode(part), plain.encode(part), rtol=1e-4, atol=1e-4)
    assert seen == [2]


def test_a_run_loads_without_the_weights_that_it_began_with(tmp_path: Path, outline_root: Path) -> None:
    from semicoupled.cli.main import main
    from semicoupled.networks.efficientnet import EfficientNetLite0
    from semicoupled.run_folder import load

    weights = tmp_path / "lite.pth"
    torch.save(EfficientNetLite0().state_dict(), weights)
    small = ["--data.grid=8", "--data.size=32", "--model.features=4", "--model.widths=[4]", "--training.batch=2"]
    begin = ["--model.backbone=efficientnet_lite0", f"--model.pretrained={weights}", "--model.freeze=true"]
    arguments = ["train", "outline", f"--data.root={outline_root}", *small, *begin, "--training.steps=1"]
    assert main([*arguments, "--device=cpu", "--run", str(tmp_path / "run")]) == 0
    wanted = torch.load(weights, weights_only=True)
    weights.unlink()
    found = load(tmp_path / "run", "cpu").model.backbone.state_dict()
    assert torch.equal(found["stem.0.weight"], wanted["stem.0.weight"])
    assert torch.equal(found["blocks.15.project.1.running_var"], wanted["blocks.15.project.1.running_var"])


def test_settings_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(SettingsError, match="can be kept only if it stays as it is"):
        ModelSettings(cache_gigabytes=1.0)
    with pytest.raises(SettingsError, match=r"data\.views: expected at least 1, got 0"):
        DataSettings(views=0)
    with pytest.raises(SettingsError, match="expected 2, 5, 10, 15, got 7"):
        ModelSettings(layers=7)
    with pytest.raises(SettingsError, match=r"there are no weights of model\.backbone light"):
        ModelSettings(pretrained="imagenet")
    with pytest.raises(SettingsError, match="would stay random"):
        ModelSettings(freeze=True)
    with pytest.raises(SettingsError, match="has no temporal branch to choose"):
        ModelSettings(kind="convlstm", cell="gru")
    with pytest.raises(SettingsError, match="has no branches to decouple"):
        OutlineSettings(model=ModelSettings(kind="convgru"), switches=SwitchSettings(method="stsgd"))
    with pytest.raises(SettingsError, match="main stream alone"):
        OutlineSettings(model=ModelSettings(kind="cbm"), goals=GoalWeights())


def test_the_linear_head_has_the_parameters_that_the_docs_name() -> None:
    head = LinearHead(8, 28)
    assert sum(parameter.numel() for parameter in head.parameters()) == 4_924_305
