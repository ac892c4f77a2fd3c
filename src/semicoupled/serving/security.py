"""What stands before every request: the host, the origin, the token, the size of the body, and headers on the answer.

Attacks that are kept out, each with a test in tests/serving/test_security.py:

* DNS rebinding: a stranger's name that resolves to this machine. Only our own names and addresses are answered.
* Cross-site requests, WebSockets included: a page of another origin. What says its origin must say ours.
* Strangers on the network: where other machines can reach us, a token is needed; it is compared in constant time.
* Scripts and frames: the content security policy lets in what this server sends, and nothing else.
* Bodies that come drop by drop, to keep a connection busy for ever: they have a slowest pace.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hmac
import ipaddress
import json
import re
import socket
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from semicoupled.serving.settings import Limits, is_loopback

COOKIE = "semicoupled_token"
"""With the port behind it: browsers send a machine's cookies to all of its ports."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
UPLOADS = "/api/v1/uploads"
INLINE = ("/api/v1/label_studio/", "/api/v1/anylabeling/")
"""Where programs send images within JSON."""
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?")
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
}


class RefusedBodyError(Exception):
    """A request's body is larger, or comes slower, than is let through."""


class Guard:
    """Lets through what may come in."""

    def __init__(self, app: ASGIApp, *, host: str, token: str | None, limits: Limits) -> None:
        """Stand before an app.

        Args:
            app: what is guarded.
            host: address that is listened on.
            token: what a client must know, or None.
            limits: how large a body may be.
        """
        self._app, self._token, self._limits = app, token, limits
        self._names = {"localhost"}
        self._any_address = not is_loopback(host)
        if self._any_address:
            self._names |= {host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(scope, send, *refusal)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        if self._gives_token(scope):
            await self._welcome(scope, send)
            return
        await self._limited(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = _headers(scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            return 421, f"this server does not answer to the host {host[:100]!r}; open it by the address it printed"
        origin = headers.get("origin")
        unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if origin is not None and (unsafe or origin == "null") and _place(origin) != host.lower():
            return 403, "the request comes from a page of another origin; expected this server's own"
        if headers.get("sec-fetch-site", "none") == "cross-site" and (unsafe or scope["path"].startswith("/api/")):
            return 403, "the request comes from a page of another site; expected this server's own"
        if self._token is not None and not self._knows_token(scope, headers):
            return 401, "a token is needed; open the address with its token that the server printed when it started"
        return None

    def _is_ours(self, host: str) -> bool:
        found = _HOST.fullmatch(host.lower())
        if found is None:
            return False
        if found["name"] in self._names:
            return True
        try:
            address = ipaddress.ip_address(found["name"].strip("[]"))
        except ValueError:
            return False
        return self._any_address or address.is_loopback  # a name can be rebound, an address cannot

    def _knows_token(self, scope: Scope, headers: dict[str, str]) -> bool:
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        given = [bearer] if kind.lower() == "bearer" else []
        given += [_password(bearer)] if kind.lower() == "basic" else []  # Label Studio knows names and passwords
        given += [headers["token"]] if "token" in headers else []  # X-AnyLabeling's way
        given += [value for name, value in _query(scope) if name == "token"]
        given += _cookies(headers.get("cookie", ""), cookie_name(headers.get("host", "")))
        known = (self._token or "").encode()
        found = [hmac.compare_digest(value.encode("utf-8", "replace"), known) for value in given]
        return any(found)

    def _gives_token(self, scope: Scope) -> bool:
        """Whether a browser opened the printed address: the token then moves from the address into a cookie."""
        api = scope["path"].startswith("/api/")
        return self._token is not None and not api and any(name == "token" for name, _ in _query(scope))

    async def _welcome(self, scope: Scope, send: Send) -> None:
        rest = urlencode([(name, value) for name, value in _query(scope) if name != "token"])
        where = "/" + quote(scope["path"].lstrip("/\\")) + (f"?{rest}" if rest else "")
        name = cookie_name(_headers(scope).get("host", ""))
        cookie = f"{name}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        headers = {"location": where, "set-cookie": cookie, "cache-control": "no-store"}
        await _answer(send, 303, b"", headers)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        uploading = scope["method"] == "PUT" and scope["path"].startswith(UPLOADS)
        inline = scope["method"] == "POST" and scope["path"].startswith(INLINE)
        most = self._limits.inline_bytes if inline else self._limits.body_bytes
        most = self._limits.upload_bytes if uploading else most
        too_large = f"the body is larger than {most} bytes, the most that is let through here"
        declared = _headers(scope).get("content-length", "0")
        if not (declared.isascii() and declared.isdecimal()):
            await _refuse(scope, send, 400, f"the length of the body is {declared[:40]!r}; expected a number of bytes")
            return
        if int(declared) > most:
            await _refuse(scope, send, 413, too_large)
            return
        received, begun, whole = 0, False, False
        refusal: tuple[int, str] | None = None
        started = time.monotonic()

        async def counted() -> Message:
            nonlocal received, refusal, whole
            if whole:  # what comes now is that the other side has gone, whenever it does
                return await receive()
            left = started + self._limits.body_seconds + received / self._limits.body_rate - time.monotonic()
            try:
                message = await asyncio.wait_for(receive(), max(0.001, left))
            except TimeoutError as error:
                refusal = 408, "the body comes too slowly; send it again, or give a folder with --root instead"
                raise RefusedBodyError from error
            received += len(message.get("body", b""))
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            if received > most:
                refusal = 413, too_large
                raise RefusedBodyError
            return message

        async def guarded(message: Message) -> None:
            nonlocal begun
            if refusal is not None and not begun:
                return  # whatever the app makes of it, the refusal is said below
            if message["type"] == "http.response.start":
                begun = True
                message = {**message, "headers": _secured(message.get("headers", ()), scope["path"])}
            await send(message)

        with contextlib.suppress(RefusedBodyError):
            await self._app(scope, counted, guarded)
        if refusal is not None and not begun:
            await _refuse(scope, send, *refusal)


def cookie_name(host: str) -> str:
    """Name the cookie of a server: two of one machine, on two ports, must not take each other's.

    Args:
        host: header of a request.
    """
    port = host.rpartition(":")[2]
    return f"{COOKIE}_{port}" if port.isdecimal() else COOKIE


def _cookies(header: str, name: str) -> list[str]:
    """Give the values of a cookie; other programs of this machine may have set odd ones beside it."""
    pairs = (part.partition("=") for part in header.split(";"))
    return [value.strip().strip('"') for found, _, value in pairs if found.strip() == name]


def _place(origin: str) -> str | None:
    """Give the host and port of an origin, or None where it has none."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _password(basic: str) -> str:
    """The password of basic authentication; empty where there is none."""
    try:
        return base64.b64decode(basic, validate=True).decode("utf-8", "replace").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _secured(headers: Iterable[tuple[bytes, bytes]], path: str) -> list[tuple[bytes, bytes]]:
    found = list(headers)
    names = {name.lower() for name, _ in found}
    extra = {**HEADERS, "cache-control": "no-store" if path.startswith("/api/") else "no-cache"}
    return found + [(k.encode(), v.encode()) for k, v in extra.items() if k.encode() not in names]


def _headers(scope: Scope) -> dict[str, str]:
    """Give the headers; where one comes twice, both, so that neither can hide behind the other."""
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)


async def _refuse(scope: Scope, send: Send, status: int, message: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4000 + status, "reason": message[:100]})
        return
    body = json.dumps({"error": message}).encode()
    await _answer(send, status, body, {"content-type": "application/json", "connection": "close"})


async def _answer(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    all_headers: Any = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in {**HEADERS, **headers}.items()]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})
