"""The model with all parts of Polygon-RNN++: what learns from what, and that two outlines are learned."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from outline_samples import make_root, small_settings
from torch.utils.data import default_collate

from semicoupled.errors import SettingsError
from semicoupled.tasks.outline import task
from semicoupled.tasks.outline.data import OutlineBatch
from semicoupled.tasks.outline.drawing.decoding import Ask, draw
from semicoupled.tasks.outline.geometry.polygons import evenly
from semicoupled.tasks.outline.goals import drawn_loss, make_goals
from semicoupled.tasks.outline.model import OutlineModel, OutlineOutput, build_model
from semicoupled.tasks.outline.network.reinforce import iou_of
from semicoupled.tasks.outline.network.rollout import Corners
from semicoupled.tasks.outline.predict_options import PredictOptions
from semicoupled.tasks.outline.settings import LossSettings, ModelSettings, OutlineSettings
from semicoupled.training.settings import GoalWeights, SegmentSettings

ALL = {"kind": "convlstm", "skips": "branches", "attention": True, "evaluator": True, "graph": True}


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> OutlineBatch:
    settings = small_settings(make_root(tmp_path_factory.mktemp("practice")))
    data = task.splits(settings).validation
    return default_collate([data[0], data[1]])


def _model(*, reinforce: bool = False, **model: object) -> OutlineModel:
    torch.manual_seed(0)
    return build_model(small_settings(None, **{**ALL, **model}).model, 16, reinforce=reinforce).train()


def _moved(model: OutlineModel) -> set[str]:
    return {
        name.split(".")[0]
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and bool(parameter.grad.any())
    }


def test_each_loss_moves_what_it_is_for(batch: OutlineBatch) -> None:
    model = _model(reinforce=True)
    output: OutlineOutput = model(batch)
    practice = output.practice
    assert practice is not None
    assert practice.log_probability is not None
    # the same IoU for both would teach nothing
    output = output._replace(practice=practice._replace(reward=practice.baseline + 0.1))
    decoder = {"backbone", "pyramid", "network", "main_head", "attention"}
    for weights, wanted in (
        ({"reinforce": 1.0}, decoder),
        ({"evaluator": 1.0}, {"evaluator"}),
        ({"graph": 1.0}, {"graph"}),
    ):
        model.zero_grad()
        settings = LossSettings(**{"reinforce": 0.0, "evaluator": 0.0, "graph": 0.0, **weights})
        drawn_loss(output, batch, settings).backward(retain_graph=True)
        assert _moved(model) == wanted


def test_the_losses_by_hand(batch: OutlineBatch) -> None:
    output: OutlineOutput = _model(reinforce=True)(batch)
    practice = output.practice
    assert practice is not None
    assert practice.log_probability is not None
    assert practice.guessed is not None
    gain = practice.reward - practice.baseline
    iou = torch.cat([practice.reward, practice.baseline])
    wanted = 3 * -(gain * practice.log_probability).mean() + 2 * (practice.guessed - iou).square().mean()
    settings = LossSettings(reinforce=3.0, evaluator=2.0, graph=0.0)
    torch.testing.assert_close(drawn_loss(output, batch, settings), wanted)
    alone = LossSettings(points=0.0, maps=0.0, reinforce=3.0, evaluator=2.0, graph=0.0)
    torch.testing.assert_close(make_goals(alone, 16)(output, batch).main, wanted)


def test_nothing_is_drawn_where_nothing_learns_from_it(batch: OutlineBatch) -> None:
    assert _model(evaluator=False)(batch).practice is None
    evaluating = _model(reinforce=True).eval()(batch)
    assert evaluating.practice is None
    assert evaluating.nodes is None


def test_parts_alone_leave_all_else_as_it_is(batch: OutlineBatch) -> None:
    model = _model(learn="parts")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    make_goals(LossSettings(), 16)(model(batch), batch).main.backward()
    optimizer.step()
    changed = {name.split(".")[0] for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"evaluator", "graph"}  # running statistics stay, too


@pytest.mark.parametrize("kind", ["convlstm", "convgru"])
def test_two_outlines_are_learned_and_drawn(batch: OutlineBatch, kind: str) -> None:
    model = _model(kind=kind, evaluator=False, graph=False, head="cells", positions="fields", norm="batch")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    goals = make_goals(LossSettings(spread=0.0, maps=0.0), 16)
    losses: list[float] = []
    for _ in range(60):
        loss = goals(model(batch), batch).main
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.15 * losses[0]
    model.eval()
    with torch.no_grad():
        features = model.encode(batch.image.float() / 255)
    cells = batch.frames[:, 0, 2].flatten(1).argmax(1)
    drawn = draw(model, features, [Ask((int(one) % 16, int(one) // 16)) for one in cells], most=12)
    for row, one in enumerate(drawn):
        points = torch.from_numpy(one.cells + 0.5)[None].float()
        corners = Corners(points, torch.tensor([len(one.cells)]))
        assert float(iou_of(corners, batch.contour[row : row + 1], 16)) > 0.5


def test_the_parts_have_the_parameters_that_the_docs_name() -> None:
    with torch.device("meta"):
        model = build_model(ModelSettings(**ALL, layers=2))  # pyright: ignore[reportArgumentType]
    parts = {"attention": 9_601, "evaluator": 34_609, "graph": 60_513}
    for name, count in parts.items():
        assert sum(parameter.numel() for parameter in model.get_submodule(name).parameters()) == count


def test_the_contour_goes_along_the_outline() -> None:
    points = evenly(np.array([[0.0, 0.0], [6.0, 0.0], [6.0, 2.0], [0.0, 2.0]]), 8)
    np.testing.assert_allclose(points, [[0, 0], [2, 0], [4, 0], [6, 0], [6, 2], [4, 2], [2, 2], [0, 2]])


def test_settings_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"model\.kind is cbm\. Set model\.kind to convlstm or convgru"):
        ModelSettings(kind="cbm", attention=True)
    with pytest.raises(SettingsError, match=r"looks at fine features, but model\.skips is pyramid"):
        ModelSettings(graph=True)
    with pytest.raises(SettingsError, match="there is no part to learn"):
        ModelSettings(learn="parts")
    alone = GoalWeights(spatial=0.0, temporal=0.0)
    with pytest.raises(SettingsError, match=r"segments\.length 6: .* judge whole outlines"):
        OutlineSettings(model=ModelSettings(evaluator=True), segments=SegmentSettings(length=6), goals=alone)
    with pytest.raises(SettingsError, match=r"with model\.learn parts the decoder stays as it is"):
        OutlineSettings(model=ModelSettings(evaluator=True, learn="parts"), loss=LossSettings(reinforce=1.0))
    with pytest.raises(SettingsError, match=r"loss\.reinforce: expected at least 0, got -1"):
        LossSettings(reinforce=-1)
    with pytest.raises(SettingsError, match=r"--firsts: expected at least 1, got 0"):
        PredictOptions(firsts=0)
    with pytest.raises(SettingsError, match=r"evaluation\.firsts: expected at least 1, got 0"):
        dataclasses.replace(OutlineSettings().evaluation, firsts=0)
