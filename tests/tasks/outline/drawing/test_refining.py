"""Finer points: those of the graph network, in pixels, for whole images and with a person."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from outline_samples import small_settings

from semicoupled.errors import SettingsError
from semicoupled.tasks.outline.crops import Box
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.drawing.decoding import Ask
from semicoupled.tasks.outline.drawing.outlines import outline
from semicoupled.tasks.outline.drawing.refining import refine, refined_confidence
from semicoupled.tasks.outline.drawing.session import OutlineSession
from semicoupled.tasks.outline.geometry.window import Window
from semicoupled.tasks.outline.model import OutlineModel, build_model
from semicoupled.tasks.outline.network.graph import REACH

GRID = 16
DATA = DataSettings(size=64, grid=GRID, points=8)


def _model(dx: int = 0, dy: int = 0, *, graph: bool = True) -> OutlineModel:
    """A model whose graph network moves every node by as many fine pixels."""
    torch.manual_seed(0)
    model = build_model(small_settings(None, kind="convlstm", skips="branches", graph=graph).model, GRID).eval()
    if model.graph is not None:
        answer = model.graph.answer[-1]
        assert isinstance(answer, torch.nn.Linear)
        torch.nn.init.zeros_(answer.weight)
        torch.nn.init.zeros_(answer.bias)
        with torch.no_grad():
            answer.bias[(dy + REACH) * (2 * REACH + 1) + dx + REACH] = 1
    return model


def test_points_move_by_a_quarter_of_a_cell_and_have_one_between_them() -> None:
    outlines = [np.array([[2.5, 2.5], [8.5, 2.5], [8.5, 9.5]]), np.array([[4.0, 4.0], [5.0, 5.0]])]
    found = refine(_model(2, -1), torch.zeros(2, 8, 64, 64), outlines)
    nodes = np.array([[2.5, 2.5], [5.5, 2.5], [8.5, 2.5], [8.5, 6], [8.5, 9.5], [5.5, 6]])
    np.testing.assert_allclose(found[0] - nodes, np.tile([0.5, -0.25], (6, 1)), atol=1e-6)
    np.testing.assert_array_equal(found[1], outlines[1])  # two points are no outline
    assert refined_confidence([0.9, 0.5, 0.7]) == [0.9, 0.5, 0.5, 0.5, 0.7, 0.7]


def test_what_is_drawn_is_made_finer() -> None:
    rng = np.random.default_rng(0)
    crops = [rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)] * 2
    windows, asks = [Window(10, 20, 160, 80)] * 2, [Ask((3, 3), (3, 9)), Ask((5, 5))]
    plain = outline(_model(graph=False), crops, windows, asks, most=8)
    finer = outline(_model(3, 0), crops, windows, asks, most=8)
    for one, other in zip(plain, finer, strict=True):
        np.testing.assert_array_equal(one.drawn.cells, other.drawn.cells)
        assert len(other.points) == len(other.confidences) == 2 * len(one.points)
        inside = one.points[:, 0] + 7.5 <= 170
        np.testing.assert_allclose((other.points[::2] - one.points)[inside], [[7.5, 0]] * inside.sum(), atol=1e-4)
        assert len(one.confidences) == len(one.points)


def test_a_person_can_have_it_finer() -> None:
    image = np.random.default_rng(1).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    session = OutlineSession(_model(1, 1), image, DATA)
    session.box(Box(20, 20, 60, 50))
    _ = list(session.start((30, 30)))
    assert len(session.refined) == 2 * len(session.vertices)
    other = OutlineSession(_model(graph=False), image, DATA)
    other.box(Box(20, 20, 60, 50))
    with pytest.raises(SettingsError, match="the model has no graph network"):
        _ = other.refined
