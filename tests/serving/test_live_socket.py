"""A camera's frames over a socket, to a real server: state, order, refusals, and that other jobs take their turns."""

from __future__ import annotations

import io
import json
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from semicoupled.serving.client import Client
from semicoupled.serving.person_sample import person_frames

websockets = pytest.importorskip("websockets.sync.client", reason="no websockets: pip install 'semicoupled[serve]'")
CLOSED = pytest.importorskip("websockets.exceptions").ConnectionClosed


@pytest.fixture(scope="module")
def address(
    make_action_run: Callable[..., Path], run_server: Callable[..., AbstractContextManager[Any]]
) -> Iterator[str]:
    with run_server(str(make_action_run()), str(make_action_run(kind="r2plus1d", widths=(4, 6), strides=(2, 2)))) as it:
        yield it.address


def messages(name: str, count: int) -> list[bytes]:
    found: list[bytes] = []
    for frame in person_frames(name, count):
        buffer = io.BytesIO()
        Image.fromarray(frame.image).save(buffer, "JPEG")
        found.append(struct.pack("<d", frame.time) + buffer.getvalue())
    return found


def connect(address: str, run: str = "people", **headers: str) -> Any:
    url = f"{address.replace('http', 'ws')}/api/v1/action/live?run={run}&window=4"
    return websockets.connect(url, additional_headers=headers, open_timeout=60)


def say(socket: Any, message: bytes | str) -> dict[str, Any]:
    socket.send(message)
    return json.loads(socket.recv(timeout=120))


def test_frames_are_answered_in_order_with_their_state(address: str) -> None:
    frames = messages("jack", 6)
    with connect(address) as socket:
        first = [say(socket, frame) for frame in frames]
    assert [said["begun"] for said in first] == [True, False, False, False, False, False]
    for said in first:
        assert {name for name, _, _ in said["top"]} == {"bend", "jack", "wave"}
        assert sum(now for _, _, now in said["top"]) == pytest.approx(1, abs=2e-3)
        assert said["milliseconds"] > 0
        assert said["waited"] >= 0
    with connect(address) as socket:  # another camera begins anew, and says the same
        again = [say(socket, frame) for frame in frames]
    assert [said["top"] for said in again] == [said["top"] for said in first]


def test_two_cameras_at_once_do_not_mix(address: str) -> None:
    kinds = {name: messages(name, 5) for name in ("jack", "bend")}
    alone: dict[str, list[Any]] = {}
    for name, frames in kinds.items():
        with connect(address) as socket:
            alone[name] = [say(socket, frame)["top"] for frame in frames]
    together: dict[str, list[Any]] = {name: [] for name in kinds}

    def film(name: str) -> None:
        with connect(address) as socket:
            together[name] += [say(socket, frame)["top"] for frame in kinds[name]]

    threads = [threading.Thread(target=film, args=(name,)) for name in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert together == alone


def test_other_jobs_take_turns_and_no_result_is_pushed_out(address: str) -> None:
    frames = messages("wave", 70)  # more than results are kept
    with Client(address) as client, connect(address) as socket:
        found = client.job("/action/answers", {"run": "people", "source": {"sample": "wave"}})
        socket_answers = [say(socket, frame) for frame in frames]
        again = client.job("/action/answers", {"run": "people", "source": {"sample": "wave"}})
        status = client.status()
    assert len(socket_answers) == 70
    np.testing.assert_array_equal(found.arrays["main"], again.arrays["main"])
    assert (status["waiting"], status["running"]) == (0, 0)


def test_what_is_no_frame_is_refused_and_the_socket_stays(address: str) -> None:
    [frame] = messages("wave", 1)
    with connect(address) as socket:
        for message in (b"short", struct.pack("<d", float("nan")) + frame[8:]):
            assert say(socket, message)["error"] == "a message holds a time, 8 bytes, and a JPEG image"
        assert "no whole JPEG image" in say(socket, frame[:8] + b"nothing of the kind")["error"]
        assert say(socket, frame)["begun"]


def test_a_message_that_is_too_long_ends_the_socket(address: str) -> None:
    with connect(address) as socket, pytest.raises(CLOSED):
        say(socket, b"0" * 70_000)


def test_a_text_ends_the_socket_quietly(address: str) -> None:
    with connect(address) as socket, pytest.raises(CLOSED):
        say(socket, "hello")
    with connect(address) as socket:
        assert say(socket, messages("wave", 1)[0])["begun"]


def test_a_run_that_is_not_there_is_said(address: str) -> None:
    with connect(address, "nobody") as socket, pytest.raises(CLOSED) as caught:
        socket.recv(timeout=60)
    assert caught.value.rcvd.code == 4404
    assert "there is no run 'nobody'" in caught.value.rcvd.reason


def test_a_network_that_cannot_follow_says_so(address: str) -> None:
    with connect(address, "people%202") as socket:
        assert "cannot follow a camera" in say(socket, messages("wave", 1)[0])["error"]


def test_a_page_of_another_origin_sees_no_camera(address: str) -> None:
    invalid = pytest.importorskip("websockets.exceptions").InvalidStatus
    with pytest.raises(invalid, match="403"):
        connect(address, Origin="https://elsewhere.example")


def test_the_policy_lets_this_page_alone_use_a_camera(address: str) -> None:
    import httpx

    headers = httpx.get(address).headers
    assert headers["permissions-policy"].split(", ")[:2] == ["camera=(self)", "microphone=()"]
    assert headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "blob:" not in headers["content-security-policy"]
