"""A person and the network: only what comes after a change is drawn anew, from the state that is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from outline_samples import make_pictures, small_settings

from semicoupled.errors import SettingsError, ShapeError
from semicoupled.tasks.outline.crops import Box, cut_out, window_of
from semicoupled.tasks.outline.drawing.decoding import Ask, draw
from semicoupled.tasks.outline.drawing.outlines import encode
from semicoupled.tasks.outline.drawing.session import OutlineSession
from semicoupled.tasks.outline.images import read_image
from semicoupled.tasks.outline.model import build_model

BOX = Box(15, 20, 42, 45)


@pytest.fixture
def session(tmp_path: Path) -> OutlineSession:
    torch.manual_seed(1)
    settings = small_settings(head="cells", positions="fields")
    picture = make_pictures(tmp_path, 1)[0]
    model = build_model(settings.model, settings.data.grid)
    session = OutlineSession(model, read_image(tmp_path / picture.file), settings.data)
    session.box(BOX)
    return session


def _all(session: OutlineSession) -> list[tuple[float, float]]:
    return [(one.x, one.y) for one in session.vertices]


def test_points_appear_one_by_one_as_prediction_draws_them(session: OutlineSession) -> None:
    points = list(session.start((20.0, 30.0)))
    window = window_of(BOX)
    start = window.to_grid(np.array([[20.0, 30.0]]), 16)[0]
    features = encode(session.model, [cut_out(session.image, window, 64)])
    drawn = draw(session.model, features, [Ask((int(start[0]), int(start[1])))], most=12)[0]
    cells = np.floor(window.to_grid(session.outline.points, 16)).astype(int)
    np.testing.assert_array_equal(cells, drawn.cells)
    np.testing.assert_allclose([one.confidence for one in points], drawn.confidence[1:], atol=1e-5)
    assert [one.index for one in points] == list(range(1, len(points) + 1))
    assert all(one.distribution.shape == (16, 16) for one in points)
    assert all(one.distribution.sum() + one.closed == pytest.approx(1, abs=1e-5) for one in points)
    assert session.outline.closed
    assert session.vertices[0].given
    assert not session.vertices[1].given


def test_moving_a_point_keeps_what_is_before_it_and_costs_only_what_comes_after(session: OutlineSession) -> None:
    list(session.start((20.0, 30.0)))
    before, taken = _all(session), session.steps
    drawn = list(session.move(4, (50.0, 60.0)))
    after = _all(session)
    assert after[:4] == before[:4]
    assert after[4] == (50.0, 60.0)
    assert len(after) == 5 + len(drawn)
    assert session.steps - taken <= len(drawn) + 1
    replay = OutlineSession(session.model, session.image, session.data)  # from scratch: the same points follow
    replay.box(BOX)
    steps = replay.start((20.0, 30.0))
    for _ in range(3):
        next(steps)
    replay.insert(3, (50.0, 60.0))
    list(replay.draw())
    assert _all(replay)[5:] == after[5:]


def test_pins_stay_when_points_before_them_move(session: OutlineSession) -> None:
    list(session.start((20.0, 30.0)))
    pinned = session.vertices[7]
    session.pin(7)
    list(session.move(2, (44.0, 25.0)))
    assert (pinned.x, pinned.y) in _all(session)[3:]
    session.undo()
    session.pin(7, False)
    list(session.move(2, (44.0, 25.0)))
    assert not any(one.pinned for one in session.vertices[3:])


def test_points_are_put_between_and_taken_away(session: OutlineSession) -> None:
    list(session.start((20.0, 30.0)))
    before = _all(session)
    session.insert(2, (33.0, 44.0))
    assert _all(session) == [*before[:3], (33.0, 44.0), *before[3:]]
    session.delete(3)
    assert _all(session) == before
    session.delete(0)
    assert _all(session) == before[1:]
    list(session.move(5, (30.0, 50.0)))  # states that are no longer known are made again
    assert _all(session)[:5] == before[1:6]


def test_an_outline_ends_where_a_person_says(session: OutlineSession) -> None:
    list(session.start((20.0, 30.0)))
    before = _all(session)
    session.close(4)
    assert _all(session) == before[:5]
    assert session.outline.closed
    assert list(session.draw()) == []


def test_undo_and_redo_go_back_and_forth(session: OutlineSession) -> None:
    list(session.start((20.0, 30.0)))
    one = _all(session)
    list(session.move(1, (40.0, 40.0)))
    other = _all(session)
    assert session.undo()
    assert _all(session) == one
    assert session.outline.closed
    assert session.redo()
    assert _all(session) == other
    assert not session.redo()
    for _ in range(3):
        assert session.undo()
    assert not session.undo()
    assert session.now.current == -1
    with pytest.raises(SettingsError, match="no box yet"):
        list(session.draw())


def test_what_can_be_gone_back_to_holds_no_states_and_draws_the_same(session: OutlineSession) -> None:
    list(session.start((20.0, 30.0)))
    list(session.move(3, (40.0, 40.0)))
    drawn = _all(session)
    once = _tensors(session)
    for shift in range(5):
        list(session.move(3, (41.0 + shift, 40.0)))
    assert _tensors(session) == once  # one outline's, however often it was drawn
    for _ in range(5):
        assert session.undo()
    assert _all(session) == drawn
    list(session.move(3, (40.0, 40.0)))  # the states before it are made again
    assert _all(session) == drawn


def _tensors(session: OutlineSession) -> int:
    """Count the tensors of states that a session holds."""
    moments = (session.now, *session._before, *session._after)  # pyright: ignore[reportPrivateUsage]
    states = [state for moment in moments for part in moment.parts for state in part.states if state is not None]
    return len({tensor.data_ptr() for state in states for cell in state.main or () for tensor in cell})


def test_drawing_that_was_left_goes_on(session: OutlineSession) -> None:
    steps = session.start((20.0, 30.0))
    first = [next(steps), next(steps)]
    rest = list(session.draw())
    assert [one.index for one in (*first, *rest)] == list(range(1, len(session.vertices)))
    assert session.outline.closed
    assert list(session.draw()) == []


def test_several_parts_are_one_object(session: OutlineSession) -> None:
    list(session.draw())
    session.box(Box(70, 20, 30, 40))
    list(session.start((80.0, 25.0), end=(75.0, 30.0)))
    assert len(session.instance("car").parts) == 2
    session.choose(0)
    assert session.now.current == 0
    session.remove_part()
    assert len(session.instance("car").parts) == 1
    assert session.undo()
    assert len(session.now.parts) == 2
    with pytest.raises(SettingsError, match="no part 5; expected 0 to 1"):
        session.choose(5)


def test_what_cannot_be_is_refused(session: OutlineSession) -> None:
    with pytest.raises(SettingsError, match="no part has three points"):
        session.instance("car")
    list(session.start((20.0, 30.0)))
    with pytest.raises(SettingsError, match="there is no point 99; the outline has"):
        session.delete(99)
    with pytest.raises(ShapeError, match=r"expected height x width x 3 of uint8"):
        OutlineSession(session.model, np.zeros((4, 4)), session.data)  # pyright: ignore[reportArgumentType]
