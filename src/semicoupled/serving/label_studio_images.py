"""Images that lie with Label Studio: fetched from the one address that the server was started with, and no other."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from urllib.parse import urlsplit

import httpx

from semicoupled.errors import DataError
from semicoupled.serving.settings import ServeSettings

_SECONDS = 30.0


def fetch(settings: ServeSettings, address: str) -> bytes:
    """Fetch an image.

    Args:
        settings: of the server: which Label Studio, and its token.
        address: as a task has it: a path there, or the whole address.

    Raises:
        DataError: it lies elsewhere, is too large, or does not come.
    """
    if settings.label_studio is None:
        raise DataError(
            f"{address[:100]!r} lies with Label Studio, and none may be asked; start the server with LABEL_STUDIO_URL "
            "and LABEL_STUDIO_API_KEY set, or give a --root that holds the images"
        )
    base = urlsplit(settings.label_studio)
    try:
        wanted = urlsplit(address)
    except ValueError as error:
        raise DataError(f"{address[:100]!r} is no address ({error}); expected that of an image") from error
    if (wanted.scheme or wanted.netloc) and (wanted.scheme, wanted.netloc) != (base.scheme, base.netloc):
        raise DataError(f"{address[:100]!r} lies elsewhere than {settings.label_studio}; expected an image there")
    if not wanted.path.startswith("/") or ".." in wanted.path.split("/"):
        raise DataError(f"{address[:100]!r} is no path; expected one that begins with /")
    query = f"?{wanted.query}" if wanted.query else ""
    place = f"{base.scheme}://{base.netloc}"
    headers = {} if settings.label_studio_key is None else {"Authorization": _key(place, settings.label_studio_key)}
    parts: list[bytes] = []
    with _answer(f"{place}{wanted.path}{query}", headers) as answer:
        if answer.status_code != 200:
            raise DataError(f"Label Studio answers {answer.status_code} for {wanted.path[:100]!r}; expected an image")
        for part in answer.iter_bytes():
            parts.append(part)
            if sum(map(len, parts)) > settings.limits.upload_bytes:
                raise DataError(f"{wanted.path[:100]!r} is larger than {settings.limits.upload_bytes} bytes")
    return b"".join(parts)


def _key(place: str, key: str) -> str:
    """Say who asks. A legacy token is said as it is; a personal access token is changed for one of a few minutes.

    https://labelstud.io/guide/access_tokens

    Raises:
        DataError: Label Studio does not know the token, or does not answer.
    """
    if key.count(".") != 2:  # personal ones are JSON Web Tokens: three parts
        return f"Token {key}"
    try:
        answer = httpx.post(f"{place}/api/token/refresh/", json={"refresh": key}, timeout=_SECONDS)
        fresh = answer.json().get("access") if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError, AttributeError) as error:
        raise DataError(f"Label Studio gives no access for LABEL_STUDIO_API_KEY ({error}); is it running?") from error
    if not isinstance(fresh, str):
        raise DataError(
            f"Label Studio answers {answer.status_code} to LABEL_STUDIO_API_KEY; expected a personal access token that "
            "it knows (Account & Settings), or a legacy token where those are allowed"
        )
    return f"Bearer {fresh}"


@contextlib.contextmanager
def _answer(address: str, headers: dict[str, str]) -> Generator[httpx.Response]:
    try:
        with httpx.stream("GET", address, headers=headers, timeout=_SECONDS, follow_redirects=False) as answer:
            yield answer
    except httpx.InvalidURL as error:
        raise DataError(f"{address[:100]!r} is no address ({error}); expected that of an image") from error
    except httpx.HTTPError as error:
        raise DataError(f"Label Studio does not answer ({error}); is it running?") from error
