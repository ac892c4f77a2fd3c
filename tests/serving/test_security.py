from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from semicoupled.errors import SettingsError
from semicoupled.serving import security
from semicoupled.serving.security import COOKIE
from semicoupled.serving.settings import Limits, ServeSettings, is_loopback

TOKEN = "a-token-that-is-long-enough"
STATUS = "/api/v1/status"
UPLOADS = "/api/v1/uploads"


@pytest.mark.parametrize("host", ["127.0.0.1:8642", "localhost:8642", "localhost:9000", "[::1]:8642", "127.0.0.2"])
def test_our_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get(STATUS, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8642",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "localhost@evil.example",
        "evil.example#localhost",
        "192.168.1.7:8642",
        "0.0.0.0:8642",
        "",
        "[::1",
    ],
)
def test_a_name_that_was_rebound_to_this_machine_is_not_answered(client: TestClient, host: str) -> None:
    answer = client.get(STATUS, headers={"Host": host})
    assert answer.status_code == 421
    assert "does not answer to the host" in answer.json()["error"]
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")


def test_a_second_host_header_does_not_help(client: TestClient) -> None:
    headers = [("Host", "127.0.0.1:8642"), ("Host", "evil.example")]
    assert client.get(STATUS, headers=headers).status_code == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:3000", "http://127.0.0.1.evil.example:8642", "null"]
)
def test_a_page_of_another_origin_cannot_write(client: TestClient, origin: str) -> None:
    refused = client.post(UPLOADS, headers={"Origin": origin})
    assert refused.status_code == 403
    assert "another origin" in refused.json()["error"]
    assert client.app.state.services.uploads._uploads == {}
    assert client.post(UPLOADS, headers={"Origin": "http://127.0.0.1:8642"}).status_code == 201


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
def test_every_method_that_changes_something_asks_for_the_origin(client: TestClient, method: str) -> None:
    answer = client.request(method, f"{UPLOADS}/x/files?name=a", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403


def test_what_the_browser_says_of_another_site_is_believed(client: TestClient) -> None:
    assert client.get(STATUS, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200  # a link may lead here
    assert client.post(UPLOADS, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


SOCKET = "ws://127.0.0.1:8642/api/v1/jobs/x/events"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Origin": "http://evil.example"}, 4403),
        ({"Origin": "http://127.0.0.1:3000"}, 4403),
        ({"Origin": "null"}, 4403),
        ({"Sec-Fetch-Site": "cross-site"}, 4403),
        ({"Host": "evil.example"}, 4421),
    ],
)
def test_a_socket_of_another_origin_is_refused_before_it_is_accepted(
    client: TestClient, headers: dict[str, str], code: int
) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect(SOCKET, headers=headers):
        pass  # pragma: no cover
    assert refused.value.code == code


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://127.0.0.1:8642"}])
def test_a_socket_of_ours_is_accepted(client: TestClient, headers: dict[str, str]) -> None:
    with client.websocket_connect(SOCKET, headers=headers) as socket:
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json()
        assert ended.value.code == 4404  # accepted, and then told that there is no such job


def test_a_form_of_another_page_is_no_request(client: TestClient) -> None:
    body = '{"run": "nowcasting-small", "source": {"sample": "showers"}}'
    answer = client.post("/api/v1/nowcasting/forecasts", content=body, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422
    assert client.app.state.services.jobs.load() == (0, 0)


def test_headers_forbid_what_a_page_does_not_need(client: TestClient) -> None:
    for path in ("/", "/js/app.js", STATUS, "/nothing", "/api/v1/nothing"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == (
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
        ), path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers
    assert client.get(STATUS).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "example.org", "::"])
def test_another_address_needs_a_token(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(SettingsError, match="can be reached from other machines; expected a token"):
        ServeSettings(host=host)


def test_a_short_token_is_refused() -> None:
    with pytest.raises(SettingsError, match="token: expected at least 16 characters, got 5"):
        ServeSettings(host="0.0.0.0", token="short")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"headers": {"Authorization": "Bearer wrong-token-wrong-token"}},
        {"headers": {"Authorization": TOKEN}},
        {"headers": {"Authorization": f"Basic {TOKEN}"}},
        {"headers": {"Authorization": "Bearer"}},
        {"headers": {"Cookie": f"{COOKIE}=wrong"}},
        {"headers": {"Cookie": f"other={TOKEN}"}},
        {"params": {"token": TOKEN[:-1]}},
        {"params": {"token": f"{TOKEN}é"}},
    ],
)
def test_without_the_token_nothing_is_answered(
    make_client: Callable[..., TestClient], given: dict[str, object]
) -> None:
    client = make_client(host="0.0.0.0", token=TOKEN)
    for path in (STATUS, "/", "/js/app.js", "/api/v1/openapi.json"):
        answer = client.get(path, **given)
        assert answer.status_code == 401
        assert TOKEN not in answer.text


def test_with_the_token_everything_is_answered(make_client: Callable[..., TestClient]) -> None:
    client = make_client(host="0.0.0.0", token=TOKEN)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get(STATUS, headers=bearer).status_code == 200
    assert client.get(STATUS, headers={**bearer, "Host": "192.168.1.7:8642"}).status_code == 200
    assert client.get(STATUS, headers={**bearer, "Host": "evil.example"}).status_code == 421
    assert client.get(STATUS, params={"token": TOKEN}).status_code == 200


def test_the_token_moves_from_the_address_into_a_cookie(make_client: Callable[..., TestClient]) -> None:
    client = make_client(host="0.0.0.0", token=TOKEN)
    answer = client.get("/", params={"token": TOKEN, "a": "b"}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?a=b"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert client.get("/").status_code == 200  # by the cookie


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "///evil.example"])
def test_the_redirect_stays_here(make_client: Callable[..., TestClient], path: str) -> None:
    client = make_client(host="0.0.0.0", token=TOKEN)
    answer = client.get(f"http://127.0.0.1:8642{path}?token={TOKEN}", follow_redirects=False)
    assert answer.headers["location"].startswith("/")
    assert not answer.headers["location"].startswith(("//", "/\\"))


def test_a_socket_needs_the_token_too(make_client: Callable[..., TestClient]) -> None:
    client = make_client(host="0.0.0.0", token=TOKEN)
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect(SOCKET):
        pass  # pragma: no cover
    assert refused.value.code == 4401
    with client.websocket_connect(SOCKET, headers={"Authorization": f"Bearer {TOKEN}"}) as socket:
        assert socket.receive()["code"] == 4404


def test_the_token_is_compared_in_constant_time(
    make_client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    original = hmac.compare_digest

    def compare(one: bytes, two: bytes) -> bool:
        compared.append((one, two))
        return original(one, two)

    monkeypatch.setattr(security.hmac, "compare_digest", compare)
    client = make_client(host="0.0.0.0", token=TOKEN)
    assert client.get(STATUS, headers={"Authorization": "Bearer guess"}).status_code == 401
    assert compared == [(b"guess", TOKEN.encode())]


def test_a_large_body_is_refused_before_it_is_read(
    make_client: Callable[..., TestClient], small_limits: Limits
) -> None:
    client = make_client(limits=small_limits)
    answer = client.post("/api/v1/nowcasting/forecasts", content=b"x" * 4001)
    assert answer.status_code == 413
    assert "larger than 4000 bytes" in answer.json()["error"]
    lying = client.post(UPLOADS, content=b"x", headers={"Content-Length": "99999999999"})
    assert lying.status_code == 413


def test_a_body_that_does_not_say_its_size_is_counted(
    make_client: Callable[..., TestClient], small_limits: Limits
) -> None:
    client = make_client(limits=small_limits)
    sent = 0

    def endless() -> object:
        nonlocal sent
        while sent < 10_000_000:
            sent += 1000
            yield b"x" * 1000

    upload = client.post(UPLOADS).json()["id"]
    answer = client.put(f"{UPLOADS}/{upload}/files?name=a.h5", content=endless())
    assert answer.status_code == 413
    assert client.app.state.services.uploads.find(upload).names == {}
    assert not list(client.app.state.services.uploads.folder.rglob("*.h5"))


def test_nothing_is_fetched_from_elsewhere(client: TestClient) -> None:
    import re

    from semicoupled.serving.app import STATIC

    for file in sorted(STATIC.rglob("*")):
        if file.suffix in (".js", ".css", ".html") and "vendor" not in file.parts:
            text = file.read_text()
            found = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text)) - {"http://www.w3.org", "http://127.0.0.1"}
            assert not found, (file, found)
            assert not re.search(r"\son\w+=|<style|style=\"|<script>|innerHTML|eval\(", text), file
    assert client.get("/docs", follow_redirects=False).headers["location"] == "/#/reference"
    assert client.get("/redoc").status_code == 404


@pytest.mark.parametrize(
    "origin",
    ["http://[", "http://127.0.0.1:8642:9", "nonsense", "http://127.0.0.1:8642.evil.example", "null", "file://"],
)
def test_an_origin_that_is_none_is_refused(make_client: Callable[..., TestClient], origin: str) -> None:
    answer = make_client().post("/api/v1/uploads", headers={"Origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/x%0d%0aSet-Cookie:%20a=b", "/%E2%82%AC", "/%ff", "/a%3Fb%23c"])
def test_the_redirect_is_one_header(make_client: Callable[..., TestClient], path: str) -> None:
    client = make_client(token=TOKEN)
    answer = client.get(f"{path}?token={TOKEN}", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].isascii()
    assert not set(answer.headers["location"]) & set("\r\n?#")
    assert len(answer.headers.get_list("set-cookie")) == 1


@pytest.mark.parametrize("beside", ['other=a"b c;d', "x=\u00e9", "bad[key]=1", '{"a":1}', "=", "a=b; ; c"])
def test_cookies_of_other_programs_do_no_harm(make_client: Callable[..., TestClient], beside: str) -> None:
    client = make_client(token=TOKEN)
    for cookie in (f"{beside}; {COOKIE}_8642={TOKEN}", f"{COOKIE}_8642={TOKEN}; {beside}"):
        client.cookies.clear()
        assert client.get(STATUS, headers=[(b"cookie", cookie.encode())]).status_code == 200


def test_two_servers_of_a_machine_keep_their_cookies_apart(make_client: Callable[..., TestClient]) -> None:
    client = make_client(token=TOKEN)
    cookies = [
        client.get("/", params={"token": TOKEN}, headers={"Host": f"localhost:{port}"}, follow_redirects=False)
        .headers["set-cookie"]
        .partition("=")[0]
        for port in (8642, 8643)
    ]
    assert cookies == [f"{COOKIE}_8642", f"{COOKIE}_8643"]
    client.cookies.clear()
    assert client.get(STATUS, headers={"Cookie": f"{COOKIE}_8643={TOKEN}"}).status_code == 401


@pytest.mark.parametrize("token", ["ö" * 20, "a" * 20 + ";", "a b" * 10, "a" * 20 + "\n"])
def test_a_token_that_does_not_stand_in_a_header_is_refused(token: str) -> None:
    with pytest.raises(SettingsError, match="expected letters without accents, digits"):
        ServeSettings(token=token)


@pytest.mark.parametrize(
    "given",
    [
        {"headers": [(b"authorization", "Bearer törööööööööööök".encode())]},
        {"params": "token=%ff%fe%C3%A9"},
        {"headers": [(b"authorization", b"Basic \xff\xff")]},
    ],
)
def test_a_token_of_odd_letters_is_wrong_and_no_more(make_client: Callable[..., TestClient], given: Any) -> None:
    assert make_client(token=TOKEN).get(STATUS, **given).status_code == 401


@pytest.mark.parametrize("length", ["-5", "1e3", "0x10", "abc", "\u0663"])
def test_a_length_that_is_none_is_refused(make_client: Callable[..., TestClient], length: str) -> None:
    answer = make_client().post("/api/v1/uploads", headers=[(b"content-length", length.encode())])
    assert answer.status_code == 400
    assert "expected a number of bytes" in answer.json()["error"]


def test_a_body_that_comes_drop_by_drop_is_given_up() -> None:
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def drops() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    guard = security.Guard(app, host="127.0.0.1", token=None, limits=Limits(body_seconds=0.2, body_rate=1000))
    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/api/v1/uploads/x/files",
        "headers": [(b"host", b"localhost")],
        "query_string": b"",
    }
    asyncio.run(asyncio.wait_for(guard(scope, drops, send), 10))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert b"comes too slowly" in sent[1]["body"]


@pytest.mark.parametrize("path", ["runs/{}/log/events", "action/live?run={}"])
def test_why_a_socket_is_closed_fits_into_its_last_frame(client: TestClient, path: str) -> None:
    with client.websocket_connect(f"ws://127.0.0.1:8642/api/v1/{path.format('雨' * 60)}") as socket:
        closed = socket.receive()
    assert closed["code"] == 4404
    assert closed["reason"].startswith("there is no run '雨雨")
    assert len(closed["reason"].encode()) <= 123  # more than that cannot be sent (RFC 6455, 5.5)
