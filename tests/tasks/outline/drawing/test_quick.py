"""The packed decoder draws what the model draws; every stream draws by itself; where the next point is expected."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from outline_samples import SMALL_DATA

from semicoupled.errors import SettingsError
from semicoupled.nn.streams import Stream
from semicoupled.tasks.outline.crops import Box
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.drawing.quick import quicken
from semicoupled.tasks.outline.drawing.session import OutlineSession
from semicoupled.tasks.outline.drawing.streams import draw_by
from semicoupled.tasks.outline.model import OutlineModel, build_model
from semicoupled.tasks.outline.settings import ModelSettings

DATA = DataSettings(**SMALL_DATA)  # pyright: ignore[reportArgumentType]
START = (20.0, 40.0)


def model_of(**settings: object) -> OutlineModel:
    torch.manual_seed(5)
    return build_model(ModelSettings(features=8, widths=(8, 8), **settings), 16).eval()  # pyright: ignore[reportArgumentType]


def session_of(model: OutlineModel) -> OutlineSession:
    image = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    session = OutlineSession(model, image, DATA)
    session.box(Box(15, 15, 60, 60))
    return session


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_the_packed_decoder_scores_the_same(norm: str) -> None:
    model = model_of(norm=norm)
    quick = quicken(model)
    assert quick is not model
    assert model.network is not quick.network
    features = torch.randn(1, 8, 16, 16)
    positions = torch.zeros(1, 3, 16, 16)
    positions[0, :, 3, 4] = 1
    slow_state, quick_state = None, None
    with torch.no_grad():
        for _ in range(3):
            expected, slow_state = model.step(features, positions, slow_state)
            found, quick_state = quick.step(features, positions, quick_state)
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_the_packed_decoder_draws_the_same_outline() -> None:
    model = model_of()
    drawn = [[(p.x, p.y) for p in session_of(one).start(START)] for one in (model, quicken(model))]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) >= 2


def test_what_cannot_be_packed_stays_as_it_is() -> None:
    for settings in ({"kind": "convlstm"}, {"kind": "cbm"}, {"cell": "gru"}):
        model = model_of(**settings)
        assert quicken(model) is model


def test_the_main_stream_draws_what_a_session_draws() -> None:
    model = model_of()
    session = session_of(model)
    for end in (None, (60.0, 70.0)):
        expected = [(p.x, p.y) for p in session.start(START, end)]
        outline = session.outline
        drawn = list(draw_by(model, outline.features, outline.window, START, end, "main", most=DATA.points))
        assert drawn[0] == START
        assert drawn[1:] == expected


def test_each_stream_has_its_own_way() -> None:
    model = model_of()
    outline = session_of(model).outline
    names: tuple[Stream, ...] = ("main", "spatial", "temporal")
    drawn = [tuple(draw_by(model, outline.features, outline.window, START, None, name, most=12)) for name in names]
    assert len(set(drawn)) > 1
    assert all(2 <= len(points) <= 12 for points in drawn)


def test_a_rival_has_no_streams() -> None:
    model = model_of(kind="convlstm")
    outline = session_of(model).outline
    with pytest.raises(SettingsError, match="no spatial stream"):
        next(draw_by(model, outline.features, outline.window, START, None, "spatial", most=12))


def test_expect_says_what_the_next_point_was_chosen_from() -> None:
    session = session_of(model_of())
    points = list(session.start(START))
    before = session.now
    for index, point in enumerate(points):
        found = session.expect(index)
        np.testing.assert_allclose(found.distribution, point.distribution, atol=1e-6)
        assert found.closed == pytest.approx(point.closed, abs=1e-6)
    assert session.now is before
    with pytest.raises(SettingsError, match="there is no point 99"):
        session.expect(99)
