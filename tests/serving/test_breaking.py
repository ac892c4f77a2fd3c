"""A real server under strangers' hands: half requests, sockets that talk nonsense, an end without a word."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn

from semicoupled.serving import server as server_module
from semicoupled.serving.patience import patient


def connect(address: str) -> socket.socket:
    place = urlsplit(address)
    assert place.hostname is not None
    made = socket.create_connection((place.hostname, place.port or 80), 10)
    made.settimeout(10)
    return made


def answer_of(connection: socket.socket) -> bytes:
    found = b""
    while part := connection.recv(65536):
        found += part
        if b"\r\n\r\n" in found and b"connection: close" not in found.lower():
            break
    return found


def host_of(address: str) -> bytes:
    return urlsplit(address).netloc.encode()


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nHost: x", b"\x16\x03\x01\x02\x00"])
def test_who_says_nothing_is_hung_up_on(head: bytes) -> None:
    # the same protocol as in the server, over a tiny app, so that the wait is short
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.8)  # an answer may take longer than a head
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def play() -> tuple[float, bytes]:
        listening = server_module.listen("127.0.0.1", 0)
        port = listening.getsockname()[1]
        config = uvicorn.Config(app, http=patient(0.4), log_level="critical", lifespan="off")
        found = uvicorn.Server(config)
        serving = asyncio.create_task(found.serve([listening]))
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            begun = time.monotonic()
            writer.write(head)
            await asyncio.wait_for(reader.read(), 10)  # until it is closed
            took = time.monotonic() - begun
            good, ask = await asyncio.open_connection("127.0.0.1", port)
            said = b""
            for _ in range(2):  # one connection, two requests, with a rest between them
                ask.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                said += await asyncio.wait_for(good.readuntil(b"ok"), 10)
                await asyncio.sleep(0.5)
            writer.close()
            ask.close()
            return took, said
        finally:
            found.should_exit = True
            await serving

    took, said = asyncio.run(play())
    assert took < 5
    assert said.count(b"200 OK") == 2


def test_a_body_that_ends_early_leaves_no_file(server: Any) -> None:
    upload = httpx.post(f"{server.address}/api/v1/uploads").json()["id"]
    with connect(server.address) as connection:
        connection.sendall(
            b"PUT /api/v1/uploads/%s/files?name=a.h5 HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000\r\n\r\nabc"
            % (upload.encode(), host_of(server.address))
        )
    deadline = time.monotonic() + 10
    answer: dict[str, Any] = {}
    while time.monotonic() < deadline:
        answer = httpx.put(f"{server.address}/api/v1/uploads/{upload}/files?name=b.h5", content=b"x").json()
        if answer["files"] == ["b.h5"]:
            break
        time.sleep(0.1)
    assert answer["files"][0] == "b.h5"
    assert "a.h5" not in answer["files"]


def test_two_lengths_or_a_length_beside_chunks_are_refused(server: Any) -> None:
    for lengths in (
        b"Content-Length: 3\r\nContent-Length: 5\r\n",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    ):
        with connect(server.address) as connection:
            connection.sendall(
                b"POST /api/v1/uploads HTTP/1.1\r\nHost: %s\r\n%s\r\n0\r\n\r\n" % (host_of(server.address), lengths)
            )
            found = answer_of(connection)
        assert found.startswith((b"HTTP/1.1 400", b"HTTP/1.1 201")), found  # at most one request is seen
        assert found.count(b"HTTP/1.1 ") == 1


def test_a_head_without_end_is_refused(server: Any) -> None:
    with connect(server.address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\n" % host_of(server.address))
        found = b""
        try:
            for _ in range(2000):
                connection.sendall(b"X-Long: " + b"a" * 1000 + b"\r\n")
            found = answer_of(connection)
        except (BrokenPipeError, ConnectionResetError):
            return  # it was hung up on
    assert found.startswith(b"HTTP/1.1 4")


@pytest.mark.slow
def test_the_next_server_takes_over_what_one_that_was_killed_left(
    run_server: Callable[..., AbstractContextManager[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with run_server() as first:
        upload = httpx.post(f"{first.address}/api/v1/uploads").json()["id"]
        httpx.put(f"{first.address}/api/v1/uploads/{upload}/files?name=secret.h5", content=b"secret")
        (left,) = tmp_path.glob("semicoupled_uploads_*")
        with run_server() as other:  # one that lives beside it takes nothing of its away
            assert httpx.get(f"{other.address}/api/v1/status").status_code == 200
            assert list(left.rglob("secret.h5"))
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(10)
    assert left.exists()
    with run_server():
        deadline = time.monotonic() + 10
        while left.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not left.exists()


@pytest.mark.slow
def test_a_browser_keeps_the_token_out_of_its_address(
    run_server: Callable[..., AbstractContextManager[Any]], browser: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    with run_server("--token") as guarded:
        address, _, token = guarded.address.partition("/?token=")
        assert len(token) > 40
        context = browser.new_context(reduced_motion="reduce")
        page = context.new_page()
        refused = page.goto(f"{address}/")
        assert refused is not None
        assert refused.status == 401
        page.goto(f"{address}/?token={token}")
        page.wait_for_selector(".task", timeout=60_000)
        assert token not in page.url
        assert page.evaluate("document.cookie") == ""  # no script can read it
        page.reload()
        page.wait_for_selector(".task", timeout=60_000)
        context.close()
        assert httpx.get(f"{address}/api/v1/nothing", params={"token": token}).status_code == 404
    said = capfd.readouterr()
    assert token not in said.err
