"""Drawing over a WebSocket: points as they come, previews that are overtaken, who gets none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

API = "/api/v1/outline"
BOX = {"x": 25, "y": 18, "width": 70, "height": 54}
Call = Callable[..., Any]


def test_points_come_one_by_one(working: TestClient, project: str, piece: Call) -> None:
    with working.websocket_connect(f"ws://127.0.0.1:8642{API}/projects/{project}/live") as socket:
        socket.send_json({"id": 1, "image": 0, "command": {"do": "box", **BOX}})
        assert socket.receive_json()["state"]["current"] == 1
        socket.send_json({"id": 2, "image": 0, "command": {"do": "start", "x": 30, "y": 45}})
        points: list[dict[str, Any]] = []
        while "state" not in (message := socket.receive_json()):
            assert message["id"] == 2
            points.append(message["point"])
        corners = piece(message)["corners"]
        assert [point["index"] for point in points] == list(range(1, len(corners)))
        assert [[one["x"], one["y"]] for one in points] == [corner[:2] for corner in corners[1:]]
        socket.send_json({"id": 3, "image": 0, "command": {"do": "move", "index": 99, "x": 1, "y": 1}})
        assert "there is no point 99" in socket.receive_json()["error"]
        socket.send_json({"id": 4, "image": 0, "command": {"do": "undo", "revision": 0}})
        stale = socket.receive_json()
        assert "revision" in stale["error"]
        assert piece(stale)["corners"] == corners  # the page can go on from there
        socket.send_json({"id": 5, "image": 0, "command": {"do": "no such thing"}})
        assert "do" in socket.receive_json()["error"]
        socket.send_json([1, 2])
        assert socket.receive_json()["error"].startswith("expected an object")


def test_a_later_preview_overtakes(working: TestClient, project: str, piece: Call) -> None:
    with working.websocket_connect(f"ws://127.0.0.1:8642{API}/projects/{project}/live") as socket:
        for number, command in enumerate(({"do": "box", **BOX}, {"do": "start", "x": 30, "y": 45})):
            socket.send_json({"id": number, "image": 0, "command": command})
        while "state" not in (message := socket.receive_json()) or message["id"] != 1:
            pass
        before = message["state"]
        for number in range(10, 16):
            move = {"do": "move", "index": 0, "x": 30 + number, "y": 45, "preview": True}
            socket.send_json({"id": number, "image": 0, "command": move})
        socket.send_json(
            {"id": 99, "image": 0, "command": {"do": "delete", "index": 0, "revision": before["revision"]}}
        )
        while (message := socket.receive_json())["id"] != 99:
            pass
        assert len(piece(message)["corners"]) == len(before["things"][0]["pieces"][0]["corners"]) - 1


def test_the_socket_of_no_project_says_so(working: TestClient) -> None:
    with working.websocket_connect(f"ws://127.0.0.1:8642{API}/projects/{'0' * 32}/live") as socket:
        socket.send_json({"id": 1, "image": 0, "command": {"do": "undo"}})
        assert "no such project" in socket.receive_json()["error"]


def test_another_origin_gets_no_socket(working: TestClient, project: str) -> None:
    headers = {"origin": "http://evil.example"}
    with (
        pytest.raises(WebSocketDisconnect),
        working.websocket_connect(f"ws://127.0.0.1:8642{API}/projects/{project}/live", headers=headers),
    ):
        pass
