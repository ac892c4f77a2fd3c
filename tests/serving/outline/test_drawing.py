"""What a person and the network do to a drawing, command by command."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

API = "/api/v1/outline"
BOX = {"x": 25, "y": 18, "width": 70, "height": 54}
Call = Callable[..., Any]


def test_draw_move_undo(working: TestClient, project: str, do: Call, piece: Call) -> None:
    do(working, project, do="box", **BOX)
    drawn = do(working, project, do="start", x=30, y=45)
    before = piece(drawn)["corners"]
    assert before[0] == [30, 45, 1.0, 3]  # given and pinned
    assert 3 <= len(before) <= 12
    assert drawn["seconds"][0] <= drawn["seconds"][1]
    moved = do(working, project, do="move", index=1, x=60, y=20, revision=drawn["state"]["revision"])
    after = piece(moved)["corners"]
    assert after[:2] == [before[0], [60, 20, 1.0, 3]]
    assert moved["state"]["things"][0]["clicks"] == 1
    undone = do(working, project, do="undo")
    assert piece(undone)["corners"] == before
    assert piece(do(working, project, do="redo"))["corners"] == after


def test_a_preview_changes_nothing_and_says_what_a_move_would_do(
    working: TestClient, project: str, do: Call, piece: Call
) -> None:
    do(working, project, do="box", **BOX)
    drawn = do(working, project, do="start", x=30, y=45)
    shown = do(working, project, do="move", index=1, x=60, y=20, preview=True)
    assert "state" not in shown
    now = working.get(f"{API}/projects/{project}/images/0").json()
    assert now["state"] == drawn["state"]
    moved = do(working, project, do="move", index=1, x=60, y=20)
    assert piece(moved)["corners"] == shown["piece"]["corners"]


@pytest.mark.slow
def test_states_that_were_kept_and_states_made_anew_draw_the_same(
    working: TestClient, project: str, do: Call, piece: Call
) -> None:
    do(working, project, do="box", **BOX)
    do(working, project, do="start", x=30, y=45)
    at_once = piece(do(working, project, do="move", index=2, x=70, y=60))["corners"]
    do(working, project, do="undo")
    kill_worker(working)
    again = piece(do(working, project, do="move", index=2, x=70, y=60))["corners"]
    assert again == at_once


def kill_worker(client: TestClient) -> None:
    jobs = client.app.state.services.jobs
    before = jobs.process_id
    os.kill(before, signal.SIGKILL)
    until = time.monotonic() + 120
    while jobs.process_id in (before, None) and time.monotonic() < until:
        time.sleep(0.1)


def test_direction_by_the_second_point_or_by_the_last(working: TestClient, project: str, do: Call, piece: Call) -> None:
    do(working, project, do="box", **BOX)
    ahead = piece(do(working, project, do="start", x=30, y=45, second=[60, 20]))["corners"]
    assert ahead[1] == [60, 20, 1.0, 3]
    behind = piece(do(working, project, do="start", x=30, y=45, end=[40, 65]))
    assert behind["end"] == [40, 65]


def test_points_alone_pins_and_the_end(working: TestClient, project: str, do: Call, piece: Call) -> None:
    do(working, project, do="box", **BOX)
    before = piece(do(working, project, do="start", x=30, y=45))["corners"]
    put = piece(do(working, project, do="insert", index=0, x=31, y=40))["corners"]
    assert put == [before[0], [31, 40, 1.0, 3], *before[1:]]
    placed = piece(do(working, project, do="place", index=1, x=33, y=41))["corners"]
    assert placed == [before[0], [33, 41, 1.0, 3], *before[1:]]
    assert piece(do(working, project, do="pin", index=1, pinned=False))["corners"][1][3] == 1
    assert piece(do(working, project, do="delete", index=1))["corners"] == before
    ended = piece(do(working, project, do="close", index=2))
    assert (len(ended["corners"]), ended["closed"]) == (3, True)
    assert piece(do(working, project, do="clear"))["corners"] == []


def test_parts_labels_accepting_and_removing(working: TestClient, project: str, do: Call) -> None:
    do(working, project, do="box", **BOX, label="leaf")
    assert "no part has three points" in do(working, project, 400, do="accept")["error"]
    do(working, project, do="start", x=30, y=45)
    two = do(working, project, do="box", x=2, y=2, width=20, height=20, part=True)
    assert (two["state"]["piece"], len(two["state"]["things"][0]["pieces"])) == (1, 2)
    do(working, project, do="draw")
    do(working, project, do="label", label="a leaf")
    accepted = do(working, project, do="accept")["state"]
    assert accepted["current"] is None
    assert (accepted["things"][0]["accepted"], accepted["things"][0]["label"]) == (True, "a leaf")
    assert "a leaf" in working.get(f"{API}/projects/{project}").json()["labels"]
    do(working, project, do="choose", thing=1, piece=1)
    assert len(do(working, project, do="remove", part=True)["state"]["things"][0]["pieces"]) == 1
    assert do(working, project, do="remove")["state"]["things"] == []


def test_a_command_from_an_older_state_is_refused(working: TestClient, project: str, do: Call) -> None:
    first = do(working, project, do="box", **BOX)
    do(working, project, do="start", x=30, y=45)
    said = do(working, project, 409, do="delete", index=0, revision=first["state"]["revision"])
    assert "in another window perhaps" in said["error"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ({"do": "move", "index": 0, "x": 1, "y": 1}, "no object is chosen"),
        ({"do": "box", "x": 500, "y": 5, "width": 10, "height": 10}, "lies outside of the image"),
        ({"do": "box", "x": 5, "y": 5}, "expected x, y, width and height"),
        ({"do": "choose", "thing": 99}, "no object is chosen"),
    ],
)
def test_what_cannot_be_done_is_said(
    working: TestClient, project: str, command: dict[str, Any], said: str, do: Call
) -> None:
    assert said in do(working, project, 400, **command)["error"]


@pytest.mark.parametrize(
    "command",
    [
        {"do": "fly"},
        {"do": "box", "x": 1e9, "y": 0, "width": 1, "height": 1},
        {"do": "box", "x": 0, "y": 0, "width": -4, "height": 1},
        {"do": "delete", "index": -1},
        {"do": "undo", "strange": 1},
    ],
)
def test_nonsense_is_refused(working: TestClient, project: str, command: dict[str, Any], do: Call) -> None:
    do(working, project, 422, **command)


def test_numbers_that_are_none_are_refused(working: TestClient, project: str) -> None:
    body = '{"do": "start", "x": NaN, "y": Infinity}'
    answer = working.post(
        f"{API}/projects/{project}/images/0/commands", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422


def test_a_box_larger_than_the_image_costs_no_more_than_the_image(
    working: TestClient, project: str, do: Call, piece: Call
) -> None:
    do(working, project, do="box", x=-900_000, y=-900_000, width=990_000, height=990_000)
    assert piece(do(working, project, do="draw"))["corners"]


def test_where_the_next_point_is_expected(working: TestClient, project: str, do: Call) -> None:
    do(working, project, do="box", **BOX)
    do(working, project, do="start", x=30, y=45)
    found = working.post(f"{API}/projects/{project}/images/0/expected", json={"index": 1}).json()
    assert (found["grid"], len(found["cells"]), max(found["cells"])) == (16, 256, 255)
    assert 0 <= found["closed"] <= 1
    none = working.post(f"{API}/projects/{project}/images/0/expected", json={"index": 99})
    assert "there is no point 99" in none.json()["error"]


def test_every_stream_draws_its_own(working: TestClient, project: str, do: Call, piece: Call) -> None:
    do(working, project, do="box", **BOX)
    drawn = piece(do(working, project, do="start", x=30, y=45))["corners"]
    found = working.post(f"{API}/projects/{project}/images/0/streams").json()["streams"]
    assert set(found) == {"main", "spatial", "temporal"}
    assert all(points[0] == [30, 45] for points in found.values())
    assert len(drawn) >= 3
