"""Drawings: every step can be undone, what is written is read again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from semicoupled.errors import DataError
from semicoupled.serving.outline_document import MOST_STEPS, Corner, Drawing, Piece, Sheet, Thing
from semicoupled.serving.outline_projects import ProjectImage, Projects
from semicoupled.serving.outline_score import score_of
from semicoupled.serving.settings import Limits

SQUARE = Piece((0, 0, 10, 10), tuple(Corner(x, y, 0.5) for x, y in ((0, 0), (10, 0), (10, 10), (0, 10))), None, True)


def drawing() -> Drawing:
    return Drawing((Thing(1, "blob", (SQUARE,)),), 1, 0)


def places(piece: Piece) -> list[tuple[float, float]]:
    return [(one.x, one.y) for one in piece.corners]


def test_points_are_put_in_taken_away_and_moved_alone() -> None:
    put = SQUARE.inserted(1, (12, 5))
    assert places(put) == [(0, 0), (10, 0), (12, 5), (10, 10), (0, 10)]
    assert put.corners[2].pinned
    assert put.corners[2].given
    assert places(put.deleted(0)) == [(10, 0), (12, 5), (10, 10), (0, 10)]
    assert places(SQUARE.placed(3, (1, 9)))[3] == (1, 9)
    assert [one.pinned for one in SQUARE.pinned(2, True).corners] == [False, False, True, False]
    ended = replace(SQUARE, closed=False).ended(1)
    assert ended.closed
    assert len(ended.corners) == 2
    with pytest.raises(DataError, match="there is no point 4; the outline has 4"):
        SQUARE.deleted(4)


def test_a_second_part_and_its_removal() -> None:
    two = drawing().begun((20, 20, 5, 5), "ignored", part=True)
    assert (len(two.thing.pieces), two.piece, two.thing.label) == (2, 1, "blob")
    assert two.outline.corners == ()
    one = two.without(part=True)
    assert (len(one.thing.pieces), one.piece) == (1, 0)
    assert one.without(part=True).things == ()
    with pytest.raises(DataError, match="no part 3"):
        two.chosen(1, 3)
    with pytest.raises(DataError, match="no object is chosen"):
        _ = one.chosen(None).thing


def test_new_objects_never_get_an_id_that_was_there() -> None:
    two = drawing().begun((1, 1, 2, 2), "b", part=False)
    assert two.current == 2
    assert [one.id for one in two.added([Thing(0, "c", (SQUARE,))]).things] == [1, 2, 3]


def test_every_step_is_undone_and_done_again() -> None:
    sheet = Sheet()
    states = [sheet.now]
    for number in range(5):
        sheet = sheet.stepped(sheet.now.begun((number, 0, 3, 3), "x", part=False))
        states.append(sheet.now)
    revisions = [sheet.revision]
    for wanted in states[-2::-1]:
        sheet = sheet.undone()
        revisions.append(sheet.revision)
        assert sheet.now == wanted
    assert sheet.undone() is sheet
    for wanted in states[1:]:
        sheet = sheet.redone()
        assert sheet.now == wanted
    assert sheet.redone() is sheet
    assert len(set(revisions)) == len(revisions)  # a revision never comes again: a stale command is known by it
    assert sheet.undone().stepped(Drawing()).after == ()


def test_only_so_many_steps_are_kept() -> None:
    sheet = Sheet()
    for _ in range(MOST_STEPS + 20):
        sheet = sheet.stepped(drawing())
    assert len(sheet.before) == MOST_STEPS


def test_what_is_written_is_read_again() -> None:
    holes = (((2.0, 2.0), (4.0, 2.0), (4.0, 4.0)),)
    thing = Thing(7, "ö", (replace(SQUARE, holes=holes, end=(3.5, 4.25)),), True, 3)
    sheet = Sheet(Drawing((thing,), 7, 0), 9, (drawing(),), (Drawing(),))
    assert Sheet.of(json.loads(json.dumps(sheet.json()))) == sheet


def test_score_finds_the_object_that_is_meant() -> None:
    truth = [
        Thing(1, "far", (replace(SQUARE, corners=tuple(replace(one, x=one.x + 50) for one in SQUARE.corners)),)),
        Thing(2, "here", (replace(SQUARE, corners=tuple(replace(one, x=one.x + 5) for one in SQUARE.corners)),)),
    ]
    found = score_of(Thing(1, "mine", (SQUARE,), clicks=4), truth, (100, 100))
    assert found == {"iou": round(50 / 150, 4), "label": "here", "truth": 1, "clicks": 4}
    assert score_of(Thing(1, "mine", (Piece((0, 0, 1, 1)),)), truth, (100, 100)) is None
    hole = replace(SQUARE, holes=(((0.0, 0.0), (5.0, 0.0), (5.0, 10.0), (0.0, 10.0)),))
    halved = score_of(Thing(1, "mine", (hole,)), truth, (100, 100))
    assert halved is not None
    assert halved["iou"] == 0.5  # what is left of ours lies in theirs


def test_steps_share_what_they_have_in_common_on_disk() -> None:
    many = tuple(Thing(number, "x", (SQUARE,)) for number in range(1, 101))
    sheet = Sheet(Drawing(many, 1, 0))
    one = len(json.dumps(sheet.json()))
    for number in range(30):
        sheet = sheet.stepped(sheet.now.outlined(SQUARE.placed(0, (number, 0))))
    assert len(json.dumps(sheet.json())) < 3 * one
    again = Sheet.of(json.loads(json.dumps(sheet.json())))
    assert again == sheet
    assert len(json.dumps(again.json())) < 3 * one


def test_only_the_last_drawings_stay_in_memory(tmp_path: Path) -> None:
    projects = Projects(tmp_path, Limits())
    images = tuple(ProjectImage(f"{n}.png", f"{n}.png", 9, 9) for n in range(100))
    project = replace(projects.begin("many", "run", None), images=images)
    projects.save(project)
    for number in range(100):
        projects.keep(project, number, Sheet(revision=number))
    assert len(projects._sheets) < 100
    assert [projects.sheet(project, number).revision for number in range(100)] == list(range(100))
